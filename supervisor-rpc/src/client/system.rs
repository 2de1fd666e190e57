//! The `system` namespace with types: what a server offers, and many calls in one.

use supervisor_core::rpc::{Fault, FromValue, Value};

use super::{Client, ClientError};

/// The `system` namespace of a server; made by [`Client::system`]. Methods fail as those of
/// [`Supervisor`](super::Supervisor) do.
#[derive(Debug, Clone, Copy)]
pub struct System<'a> {
    client: &'a Client,
}

impl Client {
    /// The `system` namespace with types.
    pub fn system(&self) -> System<'_> {
        System { client: self }
    }
}

impl System<'_> {
    /// The full names of all methods (Supervisor 4.3: `system.listMethods`).
    pub async fn list_methods(&self) -> Result<Vec<String>, ClientError> {
        self.client.ask("system.listMethods", vec![]).await
    }

    /// What a method does. Faults: SIGNATURE_UNSUPPORTED for an unknown one (Supervisor 4.3: `system.methodHelp`).
    pub async fn method_help(&self, method: &str) -> Result<String, ClientError> {
        self.client.ask("system.methodHelp", vec![method.into()]).await
    }

    /// The type of a method's answer, then those of its parameters. Faults: SIGNATURE_UNSUPPORTED for an unknown one
    /// (Supervisor 4.3: `system.methodSignature`).
    pub async fn method_signature(&self, method: &str) -> Result<Vec<String>, ClientError> {
        self.client.ask("system.methodSignature", vec![method.into()]).await
    }

    /// Makes many calls in one, in order; each has its own answer or fault (Supervisor 4.3: `system.multicall`).
    ///
    /// ```no_run
    /// # async fn example(client: supervisor_rpc::client::Client) -> Result<(), supervisor_rpc::client::ClientError> {
    /// let calls = vec![("supervisor.getPID", vec![]), ("supervisor.startProcess", vec!["web".into()])];
    /// for answer in client.system().multicall(calls).await? {
    ///     println!("{answer:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn multicall(&self, calls: Vec<(&str, Vec<Value>)>) -> Result<Vec<Result<Value, Fault>>, ClientError> {
        let count = calls.len();
        let calls = calls.into_iter().map(|(method, params)| {
            Value::Struct(vec![("methodName".to_owned(), method.into()), ("params".to_owned(), params.into())])
        });
        let answers: Vec<Value> = self.client.ask("system.multicall", vec![calls.collect::<Vec<_>>().into()]).await?;
        if answers.len() != count {
            return Err(self.client.odd_answer("system.multicall"));
        }
        Ok(answers.into_iter().map(|answer| fault(&answer).map_or(Ok(answer), Err)).collect())
    }
}

/// The fault that one of many answers is, if it is one.
fn fault(answer: &Value) -> Option<Fault> {
    let code = i64::from_value(answer.get("faultCode")?)?;
    Some(Fault { code: i32::try_from(code).ok()?, text: String::from_value(answer.get("faultString")?)? })
}

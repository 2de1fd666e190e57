//! `[rpcinterface:janitor]`: restarts what has been up for too long. A namespace needs a table of methods and `call`.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use supervisor_core::rpc::{Answer, Caller, Fault, FaultCode, Kind, Method, Parameter, Params, RpcInterface, Value};
use supervisor_core::{Handle, RequestError};

static SECONDS: [Parameter; 1] =
    [Parameter::required("seconds", Kind::Int, "the longest time that a process may be up")];

static METHODS: [Method; 1] = [Method::new(
    "restartOlderThan",
    &SECONDS,
    Kind::Array,
    "names  of the processes that were restarted",
    "Restart every process that has been up for longer.",
)];

/// The namespace.
pub struct Janitor {
    handle: Handle,
    /// A process of this name is left alone.
    spared: Option<String>,
}

impl Janitor {
    /// Takes its settings from its section: `spare`, the name of a process.
    ///
    /// # Errors
    /// The name of a key that it does not know.
    pub fn new(handle: &Handle, settings: &BTreeMap<String, String>) -> Result<Self, String> {
        match settings.keys().find(|key| *key != "spare") {
            Some(key) => Err(format!("the janitor does not know '{key}'")),
            None => Ok(Self { handle: handle.clone(), spared: settings.get("spare").cloned() }),
        }
    }

    async fn restart_older_than(&self, seconds: u64) -> Result<Value, RequestError> {
        let mut restarted = Vec::new();
        for process in self.handle.processes().await? {
            let spared = self.spared.as_ref() == Some(&process.name.process);
            if process.state.is_running() && process.uptime > Duration::from_secs(seconds) && !spared {
                self.handle.restart(&process.name).await?;
                restarted.push(process.name.to_string().into());
            }
        }
        Ok(Value::Array(restarted))
    }
}

#[async_trait]
impl RpcInterface for Janitor {
    fn methods(&self) -> &[Method] {
        &METHODS
    }

    async fn call(&self, method: &str, params: Params, _caller: &Caller) -> Result<Box<dyn Answer>, Fault> {
        match method {
            "restartOlderThan" => {
                let seconds = u64::try_from(params.get::<i64>(0)?).map_err(|_| Fault::incorrect_parameters())?;
                let restarted = self.restart_older_than(seconds).await;
                restarted.map(Into::into).map_err(|error| Fault::with(FaultCode::Failed, error))
            }
            _ => Err(Fault::unknown_method()),
        }
    }
}

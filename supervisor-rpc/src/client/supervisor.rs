//! The methods that most programs want, with types instead of values.
//!
//! A thin layer: each method is one call. What is not here is one [`Client::call`] away.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::rpc::{Params, Value};

use super::{Client, ClientError};

/// The `supervisor` namespace of a server.
#[derive(Debug, Clone, Copy)]
pub struct Supervisor<'a> {
    client: &'a Client,
}

/// What a server says of one process (Supervisor 4.3: `getProcessInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// Its full name.
    pub name: ProcessName,
    /// Its state.
    pub state: ProcessState,
    /// What a person is told: `pid 12, uptime 0:01:02`.
    pub description: String,
    /// Its process id, while it runs.
    pub pid: Option<u32>,
    /// The last attempt to start it.
    pub started: Option<SystemTime>,
    /// Its last end.
    pub ended: Option<SystemTime>,
    /// The exit code of its last end; -1 if a signal ended it.
    pub exit_status: i64,
    /// Why it could not be started; empty if it could.
    pub spawn_error: String,
    /// Path of its stdout log; empty if there is none.
    pub stdout_log: String,
    /// Path of its stderr log; empty if there is none.
    pub stderr_log: String,
}

impl Client {
    /// The `supervisor` namespace with types.
    pub fn supervisor(&self) -> Supervisor<'_> {
        Supervisor { client: self }
    }
}

/// Every method fails as [`Client::call`] does, and with [`ClientError::NotASupervisor`] for an answer of the wrong type.
impl Supervisor<'_> {
    /// The version of the API: `3.0`.
    ///
    /// # Errors
    /// See above.
    pub async fn api_version(&self) -> Result<String, ClientError> {
        self.text("getAPIVersion").await
    }

    /// The version of the server.
    ///
    /// # Errors
    /// See above.
    pub async fn version(&self) -> Result<String, ClientError> {
        self.text("getSupervisorVersion").await
    }

    /// The identifier of the server (Supervisor 4.3: `identifier`).
    ///
    /// # Errors
    /// See above.
    pub async fn identification(&self) -> Result<String, ClientError> {
        self.text("getIdentification").await
    }

    /// Every process, sorted by group, then name.
    ///
    /// # Errors
    /// See above.
    pub async fn processes(&self) -> Result<Vec<ProcessInfo>, ClientError> {
        match self.ask("getAllProcessInfo", Vec::new()).await? {
            Value::Array(all) => all.iter().map(|one| self.typed(read_info(one), "getAllProcessInfo")).collect(),
            _ => self.typed(None, "getAllProcessInfo"),
        }
    }

    /// One process, as `name` or `group:name`.
    ///
    /// # Errors
    /// See above.
    pub async fn process(&self, name: &str) -> Result<ProcessInfo, ClientError> {
        let info = self.ask("getProcessInfo", vec![name.into()]).await?;
        self.typed(read_info(&info), "getProcessInfo")
    }

    /// Starts a process; with `wait`, until it is RUNNING.
    ///
    /// # Errors
    /// See above.
    pub async fn start(&self, name: &str, wait: bool) -> Result<(), ClientError> {
        self.ask("startProcess", vec![name.into(), wait.into()]).await.map(drop)
    }

    /// Stops a process; with `wait`, until it has ended.
    ///
    /// # Errors
    /// See above.
    pub async fn stop(&self, name: &str, wait: bool) -> Result<(), ClientError> {
        self.ask("stopProcess", vec![name.into(), wait.into()]).await.map(drop)
    }

    /// Ends the server and all its processes.
    ///
    /// # Errors
    /// See above.
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        self.ask("shutdown", Vec::new()).await.map(drop)
    }

    async fn ask(&self, method: &str, params: Vec<Value>) -> Result<Value, ClientError> {
        self.client.call(&format!("supervisor.{method}"), params).await
    }

    async fn text(&self, method: &str) -> Result<String, ClientError> {
        match self.ask(method, Vec::new()).await? {
            Value::String(text) => Ok(text),
            _ => self.typed(None, method),
        }
    }

    fn typed<T>(&self, value: Option<T>, method: &str) -> Result<T, ClientError> {
        value.ok_or_else(|| ClientError::NotASupervisor {
            url: self.client.url().to_string(),
            why: format!("supervisor.{method} did not answer as documented"),
        })
    }
}

fn read_info(value: &Value) -> Option<ProcessInfo> {
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let number = |name: &str| Params(vec![value.get(name)?.clone()]).get::<i64>(0).ok();
    let time = |name: &str| {
        let seconds = u64::try_from(number(name)?).ok().filter(|seconds| *seconds > 0);
        Some(seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)))
    };
    Some(ProcessInfo {
        name: ProcessName::new(text("group")?, text("name")?),
        state: ProcessState::from_code(i32::try_from(number("state")?).ok()?)?,
        description: text("description")?,
        pid: u32::try_from(number("pid")?).ok().filter(|pid| *pid > 0),
        started: time("start")?,
        ended: time("stop")?,
        exit_status: number("exitstatus")?,
        spawn_error: text("spawnerr")?,
        stdout_log: text("stdout_logfile")?,
        stderr_log: text("stderr_logfile")?,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn info() -> Vec<(String, Value)> {
        let texts = [("name", "p"), ("group", "g"), ("description", "d"), ("spawnerr", "")];
        let logs = [("stdout_logfile", "/o"), ("stderr_logfile", "")];
        let numbers = [("state", 20), ("start", 10), ("stop", 0), ("pid", 12), ("exitstatus", -1)];
        let texts = texts.into_iter().chain(logs).map(|(name, text)| (name.to_owned(), Value::from(text)));
        texts.chain(numbers.map(|(name, number)| (name.to_owned(), Value::Int(number)))).collect()
    }

    #[test]
    fn a_process_is_read() {
        let process = read_info(&Value::Struct(info())).unwrap();
        assert_eq!((process.name.to_string().as_str(), process.state), ("g:p", ProcessState::Running));
        assert_eq!((process.pid, process.exit_status), (Some(12), -1));
        assert_eq!((process.started, process.ended), (Some(UNIX_EPOCH + Duration::from_secs(10)), None));
    }

    #[test]
    fn what_is_missing_or_odd_is_no_process() {
        for at in 0..info().len() {
            let mut members = info();
            members.remove(at);
            assert_eq!(read_info(&Value::Struct(members)), None, "{:?}", info()[at]);
            let mut members = info();
            members[at].1 = Value::Nil;
            assert_eq!(read_info(&Value::Struct(members)), None, "{:?}", info()[at]);
        }
        assert_eq!(read_info(&Value::Nil), None);
    }
}

//! The `supervisor` namespace with types instead of values: each method is one call.

use supervisor_core::domain::state::SupervisorState;
use supervisor_core::process::Stream;
use supervisor_core::rpc::{FromValue, Value};

use super::answers::{ConfigChanges, LogTail, ProcessConfig, ProcessInfo, ProcessResult};
use super::{Client, ClientError};

/// The `supervisor` namespace of a server; made by [`Client::supervisor`].
///
/// Processes are named as everywhere: `group:process`, or one name where both are the same. Every method fails as
/// [`Client::call`] does, and with [`ClientError::NotASupervisor`] for an answer of another type. The faults that a method
/// is known for are named with it.
///
/// ```no_run
/// # async fn example() -> Result<(), supervisor_rpc::client::ClientError> {
/// use supervisor_core::process::Stream;
/// use supervisor_rpc::client::{Client, ServerUrl};
///
/// let client = Client::new(ServerUrl::parse("http://localhost:9001")?, None);
/// let supervisor = client.supervisor();
/// for started in supervisor.start_group("web", true).await? {
///     match started.result {
///         Ok(()) => println!("{} runs", started.name),
///         Err(fault) => println!("{}: {fault}", started.name),
///     }
/// }
/// let size = supervisor.tail_process_log("web:one", Stream::Stdout, 0, 0).await?.size;
/// println!("its log has {size} bytes");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Supervisor<'a> {
    client: &'a Client,
}

impl Client {
    /// The `supervisor` namespace with types.
    pub fn supervisor(&self) -> Supervisor<'_> {
        Supervisor { client: self }
    }
}

impl Supervisor<'_> {
    /// The version of the API: `3.0` (Supervisor 4.3: `getAPIVersion`, `getVersion`).
    pub async fn api_version(&self) -> Result<String, ClientError> {
        self.ask("getAPIVersion", vec![]).await
    }

    /// The version of Supervisor that the server is, or stands in for (Supervisor 4.3: `getSupervisorVersion`).
    pub async fn version(&self) -> Result<String, ClientError> {
        self.ask("getSupervisorVersion", vec![]).await
    }

    /// The setting `identifier` of the server (Supervisor 4.3: `getIdentification`).
    pub async fn identification(&self) -> Result<String, ClientError> {
        self.ask("getIdentification", vec![]).await
    }

    /// What the server is about (Supervisor 4.3: `getState`).
    pub async fn state(&self) -> Result<SupervisorState, ClientError> {
        let answer: Value = self.ask("getState", vec![]).await?;
        let code = answer.get("statecode").and_then(i64::from_value).and_then(|code| i32::try_from(code).ok());
        let state = code.and_then(SupervisorState::from_code);
        state.ok_or_else(|| self.client.odd_answer("supervisor.getState"))
    }

    /// The process id of the server (Supervisor 4.3: `getPID`).
    pub async fn pid(&self) -> Result<u32, ClientError> {
        let pid: i64 = self.ask("getPID", vec![]).await?;
        u32::try_from(pid).map_err(|_| self.client.odd_answer("supervisor.getPID"))
    }

    /// A part of the server's own log: `length` bytes from `offset` on, or the last `-offset` bytes; a length of 0 reads to
    /// the end. Faults: NO_FILE, BAD_ARGUMENTS, FAILED (Supervisor 4.3: `readLog`).
    pub async fn read_log(&self, offset: i64, length: i64) -> Result<String, ClientError> {
        self.ask("readLog", vec![offset.into(), length.into()]).await
    }

    /// Empties the server's own log. Faults: NO_FILE, FAILED (Supervisor 4.3: `clearLog`).
    pub async fn clear_log(&self) -> Result<(), ClientError> {
        self.done("clearLog", vec![]).await
    }

    /// Ends the server and all its processes; answers before they have ended (Supervisor 4.3: `shutdown`).
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        self.done("shutdown", vec![]).await
    }

    /// Stops all processes and starts the server anew; answers before that is done. Faults: CANT_REREAD
    /// (Supervisor 4.3: `restart`).
    pub async fn restart(&self) -> Result<(), ClientError> {
        self.done("restart", vec![]).await
    }

    /// Has the configuration read again and tells what differs; nothing is applied. Faults: CANT_REREAD
    /// (Supervisor 4.3: `reloadConfig`).
    pub async fn reload_config(&self) -> Result<ConfigChanges, ClientError> {
        self.ask("reloadConfig", vec![]).await
    }

    /// Makes a configured group active and starts what has `autostart`. Faults: BAD_NAME, ALREADY_ADDED, FAILED
    /// (Supervisor 4.3: `addProcessGroup`).
    pub async fn add_group(&self, group: &str) -> Result<(), ClientError> {
        self.done("addProcessGroup", vec![group.into()]).await
    }

    /// Drops a group whose processes are all stopped. Faults: BAD_NAME, STILL_RUNNING
    /// (Supervisor 4.3: `removeProcessGroup`).
    pub async fn remove_group(&self, group: &str) -> Result<(), ClientError> {
        self.done("removeProcessGroup", vec![group.into()]).await
    }

    /// One process. Faults: BAD_NAME (Supervisor 4.3: `getProcessInfo`).
    pub async fn process(&self, name: &str) -> Result<ProcessInfo, ClientError> {
        self.ask("getProcessInfo", vec![name.into()]).await
    }

    /// Every process, by group, then name (Supervisor 4.3: `getAllProcessInfo`).
    pub async fn processes(&self) -> Result<Vec<ProcessInfo>, ClientError> {
        self.ask("getAllProcessInfo", vec![]).await
    }

    /// The settings of every process of the configuration that was read last, active or not
    /// (Supervisor 4.3: `getAllConfigInfo`).
    pub async fn configurations(&self) -> Result<Vec<ProcessConfig>, ClientError> {
        self.ask("getAllConfigInfo", vec![]).await
    }

    /// Starts a process; with `wait`, until it is RUNNING. Faults: BAD_NAME, NO_FILE, NOT_EXECUTABLE, ALREADY_STARTED,
    /// SPAWN_ERROR, ABNORMAL_TERMINATION, FAILED (Supervisor 4.3: `startProcess`).
    pub async fn start(&self, name: &str, wait: bool) -> Result<(), ClientError> {
        self.done("startProcess", vec![name.into(), wait.into()]).await
    }

    /// Starts the processes of a group that do not run. Faults: BAD_NAME (Supervisor 4.3: `startProcessGroup`).
    pub async fn start_group(&self, group: &str, wait: bool) -> Result<Vec<ProcessResult>, ClientError> {
        self.ask("startProcessGroup", vec![group.into(), wait.into()]).await
    }

    /// Starts every process that does not run (Supervisor 4.3: `startAllProcesses`).
    pub async fn start_all(&self, wait: bool) -> Result<Vec<ProcessResult>, ClientError> {
        self.ask("startAllProcesses", vec![wait.into()]).await
    }

    /// Stops a process; with `wait`, until it has ended. Faults: BAD_NAME, NOT_RUNNING, FAILED
    /// (Supervisor 4.3: `stopProcess`).
    pub async fn stop(&self, name: &str, wait: bool) -> Result<(), ClientError> {
        self.done("stopProcess", vec![name.into(), wait.into()]).await
    }

    /// Stops the processes of a group that run. Faults: BAD_NAME (Supervisor 4.3: `stopProcessGroup`).
    pub async fn stop_group(&self, group: &str, wait: bool) -> Result<Vec<ProcessResult>, ClientError> {
        self.ask("stopProcessGroup", vec![group.into(), wait.into()]).await
    }

    /// Stops every process that runs (Supervisor 4.3: `stopAllProcesses`).
    pub async fn stop_all(&self, wait: bool) -> Result<Vec<ProcessResult>, ClientError> {
        self.ask("stopAllProcesses", vec![wait.into()]).await
    }

    /// Sends a signal, such as `HUP`, `SIGHUP` or `1`. Faults: BAD_NAME, BAD_SIGNAL, NOT_RUNNING, FAILED
    /// (Supervisor 4.3: `signalProcess`).
    pub async fn signal(&self, name: &str, signal: &str) -> Result<(), ClientError> {
        self.done("signalProcess", vec![name.into(), signal.into()]).await
    }

    /// Sends a signal to the processes of a group that run. Faults: BAD_NAME (Supervisor 4.3: `signalProcessGroup`).
    pub async fn signal_group(&self, group: &str, signal: &str) -> Result<Vec<ProcessResult>, ClientError> {
        self.ask("signalProcessGroup", vec![group.into(), signal.into()]).await
    }

    /// Sends a signal to every process that runs (Supervisor 4.3: `signalAllProcesses`).
    pub async fn signal_all(&self, signal: &str) -> Result<Vec<ProcessResult>, ClientError> {
        self.ask("signalAllProcesses", vec![signal.into()]).await
    }

    /// A part of a log, with offset and length as in [`Supervisor::read_log`]. Faults: BAD_NAME, NO_FILE, BAD_ARGUMENTS,
    /// FAILED (Supervisor 4.3: `readProcessStdoutLog`, `readProcessStderrLog`).
    pub async fn read_process_log(
        &self,
        name: &str,
        stream: Stream,
        offset: i64,
        length: i64,
    ) -> Result<String, ClientError> {
        let method = match stream {
            Stream::Stdout => "readProcessStdoutLog",
            Stream::Stderr => "readProcessStderrLog",
        };
        self.ask(method, vec![name.into(), offset.into(), length.into()]).await
    }

    /// What was added to a log since it had `offset` bytes, `length` bytes of it at most; nothing if there is no log.
    /// Faults: BAD_NAME (Supervisor 4.3: `tailProcessStdoutLog`, `tailProcessStderrLog`).
    pub async fn tail_process_log(
        &self,
        name: &str,
        stream: Stream,
        offset: i64,
        length: i64,
    ) -> Result<LogTail, ClientError> {
        let method = match stream {
            Stream::Stdout => "tailProcessStdoutLog",
            Stream::Stderr => "tailProcessStderrLog",
        };
        self.ask(method, vec![name.into(), offset.into(), length.into()]).await
    }

    /// Empties both logs of a process. Faults: BAD_NAME, FAILED (Supervisor 4.3: `clearProcessLogs`).
    pub async fn clear_process_logs(&self, name: &str) -> Result<(), ClientError> {
        self.done("clearProcessLogs", vec![name.into()]).await
    }

    /// Empties the logs of all processes (Supervisor 4.3: `clearAllProcessLogs`).
    pub async fn clear_all_process_logs(&self) -> Result<Vec<ProcessResult>, ClientError> {
        self.ask("clearAllProcessLogs", vec![]).await
    }

    /// Writes a text to the stdin of a process; nothing is added to it. Faults: BAD_NAME, NOT_RUNNING, NO_FILE, FAILED
    /// (Supervisor 4.3: `sendProcessStdin`).
    pub async fn send_stdin(&self, name: &str, text: &str) -> Result<(), ClientError> {
        self.done("sendProcessStdin", vec![name.into(), text.into()]).await
    }

    /// Publishes a REMOTE_COMMUNICATION event (Supervisor 4.3: `sendRemoteCommEvent`).
    pub async fn send_event(&self, kind: &str, data: &str) -> Result<(), ClientError> {
        self.done("sendRemoteCommEvent", vec![kind.into(), data.into()]).await
    }

    async fn ask<T: FromValue>(&self, method: &str, params: Vec<Value>) -> Result<T, ClientError> {
        self.client.ask(&format!("supervisor.{method}"), params).await
    }

    /// For methods whose answer says nothing but that there is one.
    async fn done(&self, method: &str, params: Vec<Value>) -> Result<(), ClientError> {
        self.ask::<Value>(method, params).await.map(drop)
    }
}

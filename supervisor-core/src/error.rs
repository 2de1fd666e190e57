//! The errors of the crate's front door.

use std::path::PathBuf;

use crate::domain::name::ProcessName;

/// Why a supervisor could not be built or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot work; the text names section, key and value.
    #[error("{0}")]
    Settings(String),
    /// The shared socket of FastCGI processes could not be made.
    #[error("Could not create FastCGI socket {socket}: {reason}")]
    FastCgiSocket {
        /// Its URL.
        socket: String,
        /// What the system said.
        reason: String,
    },
    /// A file of the supervisor's own could not be made.
    #[error("could not open {path}: {source}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread or descriptor that the supervisor cannot do without could not be had.
    #[error("could not {what}: {source}")]
    Resource {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Why a request was refused. One variant per refusal, so that one can match on it; the RPC layer turns each into the
/// fault of the same name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The supervisor is shutting down or restarting.
    #[error("the supervisor is shutting down")]
    ShutdownState,
    /// No such process or group.
    #[error("no such process or group: {0}")]
    BadName(String),
    /// Not a signal.
    #[error("bad signal: {0}")]
    BadSignal(String),
    /// The command or log file is missing; the text says which.
    #[error("{0}")]
    NoFile(String),
    /// The command cannot be executed; the text says why.
    #[error("{0}")]
    NotExecutable(String),
    /// Something else went wrong; the text says what.
    #[error("{0}")]
    Failed(String),
    /// The process left STARTING by another way than to RUNNING.
    #[error("{0}: abnormal termination")]
    AbnormalTermination(ProcessName),
    /// The process could not be spawned or ended too quickly.
    #[error("{0}: spawn error")]
    SpawnError(ProcessName),
    /// The process is up or on its way.
    #[error("{0}: already started")]
    AlreadyStarted(ProcessName),
    /// The process is not in a state for this.
    #[error("{0}: not running")]
    NotRunning(ProcessName),
    /// The process has no stdin, or has closed it.
    #[error("{0}: stdin is closed")]
    NoStdin(ProcessName),
    /// The settings of a definition cannot work; the text names key and value.
    #[error("{0}")]
    Settings(String),
    /// A group of this name is active.
    #[error("group already active: {0}")]
    AlreadyAdded(String),
    /// A process of the group is not stopped.
    #[error("group still running: {0}")]
    StillRunning(String),
    /// The configuration does not load; the text is the configuration's error.
    #[error("{0}")]
    CantReread(String),
    /// Offset and length do not go together.
    #[error("bad combination of offset and length")]
    BadArguments,
    /// The supervisor has ended.
    #[error("the supervisor has ended")]
    Gone,
}

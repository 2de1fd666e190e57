//! What it takes to start a process, as a trait: real processes and the simulation's come through the same door.
//!
//! Only the contract is here. `runtime/spawner.rs` starts real processes, `runtime/tasks.rs` tasks of the embedding program;
//! the simulation has a spawner of its own.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;

use super::command::ResolvedCommand;
use crate::domain::exit::ExitStatus;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::sys::announcement::Announcement;

/// One start to be made.
#[derive(Debug, Clone)]
pub(crate) struct StartOrder {
    /// The process's full name.
    pub(crate) name: Arc<ProcessName>,
    /// Its settings.
    pub(crate) settings: Arc<spec::Process>,
    /// What `serverurl=AUTO` stands for, if there is a server.
    pub(crate) server_url: Option<Arc<str>>,
    /// The shared listening socket that becomes fd 0 in place of a pipe.
    pub(crate) socket: Option<Arc<OwnedFd>>,
    /// What the child writes down about itself before it is anything.
    pub(crate) announcement: Option<Arc<Announcement>>,
}

/// A process that has just been started. Pipe ends are close-on-exec and non-blocking.
pub(crate) struct Started {
    /// Its pid; a task of the embedding program has none.
    pub(crate) pid: Option<u32>,
    /// The way to signal it.
    pub(crate) signaller: Arc<dyn Signaller>,
    /// Resolves with its end; must be polled for the signaller to learn of it.
    pub(crate) exit: Pin<Box<dyn Future<Output = ExitStatus> + Send>>,
    /// Our end of its stdin; `None` with a shared socket.
    pub(crate) stdin: Option<OwnedFd>,
    /// Our end of its stdout.
    pub(crate) stdout: Option<OwnedFd>,
    /// Our end of its stderr; `None` with `redirect_stderr`.
    pub(crate) stderr: Option<OwnedFd>,
}

/// Signals one child, and only as long as it has not been reaped: a recycled pid is never hit.
pub(crate) trait Signaller: Send + Sync {
    /// Sends `signal` to the process, or to its whole process group.
    ///
    /// # Errors
    /// ESRCH once the process is gone; anything else the system says.
    fn signal(&self, signal: i32, whole_group: bool) -> io::Result<()>;
}

/// Why a process could not be started. The text is what `spawnerr` shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpawnError {
    /// The command does not exist.
    #[error("{0}")]
    NoFile(String),
    /// The command is there but cannot be executed, or cannot be read as words.
    #[error("{0}")]
    NotExecutable(String),
    /// Logs, pipes, descriptors or the fork failed.
    #[error("{0}")]
    System(String),
}

/// Starts processes. Called on threads that may block.
pub(crate) trait Spawner: Send + Sync {
    /// Finds the command, without starting it. Before anything is made for a start: a command that is not there leaves
    /// nothing behind, not even a log.
    ///
    /// # Errors
    /// [`SpawnError::NoFile`] or [`SpawnError::NotExecutable`].
    fn resolve(&self, settings: &spec::Process) -> Result<ResolvedCommand, SpawnError>;

    /// Starts a process with the command that was found for it.
    ///
    /// # Errors
    /// Why not; nothing is left behind then.
    fn spawn(&self, order: &StartOrder, command: &ResolvedCommand) -> Result<Started, SpawnError>;
}

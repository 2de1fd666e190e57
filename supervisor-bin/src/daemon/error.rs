//! Why a daemon could not start, in the two lines that Supervisor prints: `Error: …` and where to find help.

use std::io;
use std::path::PathBuf;

use supervisor_core::config::ConfigError;
use supervisor_core::sys::privilege::PrivilegeError;
use supervisor_core::sys::rlimit::{Limit, LimitError};
use supervisor_rpc::namespace::FactoryError;
use supervisor_rpc::server::BindError;

use super::pidfile::Held;
use crate::getopt::UsageError;

/// The status of a daemon that could not start.
pub(super) const STATUS: u8 = 2;

/// What went wrong before there was a daemon.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The command line.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `user` of `[supervisord]`.
    #[error(transparent)]
    Identity(#[from] PrivilegeError),
    /// `minfds` or `minprocs`.
    #[error("{}", limit_text(.0))]
    Limit(#[from] LimitError),
    /// A socket of an HTTP server.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A second daemon.
    #[error(transparent)]
    Held(#[from] Held),
    /// The activity log.
    #[error("could not open the log file {path}: {source}", path = path.display())]
    Log {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The programs' logs and sockets.
    #[error(transparent)]
    Supervisor(#[from] supervisor_core::Error),
    /// A namespace.
    #[error(transparent)]
    Interface(#[from] FactoryError),
    /// Something that the daemon cannot do without.
    #[error("could not {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// For `map_err`: a step that failed.
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

fn limit_text(error: &LimitError) -> String {
    let (wanted, source) = (error.wanted, &error.source);
    match error.limit {
        Limit::OpenFiles => format!(
            "The minimum number of file descriptors required to run this process is {wanted} as per the \"minfds\" \
             command-line argument or config file setting. The system does not allow so many ({source}): raise the limit \
             of open files of whoever starts supervisord, or lower minfds."
        ),
        Limit::Processes => format!(
            "The minimum number of available processes required to run this program is {wanted} as per the \"minprocs\" \
             command-line argument or config file setting. The system does not allow so many ({source}): raise the limit \
             of processes of whoever starts supervisord, or lower minprocs."
        ),
    }
}

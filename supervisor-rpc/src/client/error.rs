//! What can go wrong between a client and a supervisor, in terms of what a person would do about it.

use std::io;
use std::time::Duration;

use supervisor_core::rpc::Fault;

/// Why a call or a stream failed. `url` is the server URL as it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no socket file: no supervisor runs there, or the path is wrong.
    #[error("{url} no such file")]
    NoSuchSocket {
        /// The server URL.
        url: String,
    },
    /// Nobody listens.
    #[error("{url} refused connection")]
    Refused {
        /// The server URL.
        url: String,
    },
    /// We may not connect to the socket file.
    #[error("{url} permission denied")]
    PermissionDenied {
        /// The server URL.
        url: String,
    },
    /// The host name has no address.
    #[error("{url}: host name {host} cannot be resolved")]
    UnknownHost {
        /// The server URL.
        url: String,
        /// The name.
        host: String,
    },
    /// Neither `unix://` nor `http://`.
    #[error("Unknown protocol for serverurl {url}")]
    UnsupportedScheme {
        /// The server URL.
        url: String,
    },
    /// A URL without host or path, or with a port that is no port.
    #[error("invalid serverurl {url}: {why}")]
    InvalidUrl {
        /// The server URL.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// User name and password are missing or wrong.
    #[error("Server requires authentication")]
    Unauthorised,
    /// The call was refused, with reason.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The server answered with another status than was hoped for.
    #[error("{url}: HTTP status {status} {reason}")]
    Http {
        /// The server URL.
        url: String,
        /// The status, such as 404.
        status: u16,
        /// What the status means.
        reason: String,
    },
    /// Somebody answered, but it is no supervisor.
    #[error("{url} does not answer like a supervisor: {why}")]
    NotASupervisor {
        /// The server URL.
        url: String,
        /// What was odd.
        why: String,
    },
    /// No answer in time.
    #[error("{url} gave no answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// The server URL.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection broke.
    #[error("{url}: {source}")]
    Io {
        /// The server URL.
        url: String,
        /// What the system said.
        source: io::Error,
    },
}

impl ClientError {
    /// What an I/O error while connecting means.
    pub(super) fn from_connect(url: &str, source: io::Error) -> Self {
        let url = url.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NoSuchSocket { url },
            io::ErrorKind::ConnectionRefused => Self::Refused { url },
            io::ErrorKind::PermissionDenied => Self::PermissionDenied { url },
            _ => Self::Io { url, source },
        }
    }
}

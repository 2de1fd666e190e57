//! What supervisorctl needs of a server, and what can go wrong with one.
//!
//! Commands see only these traits, so that they can be tried without a server; `transport.rs` puts the real client
//! behind them.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures_lite::Stream;
use supervisor_core::domain::server::Credentials;
use supervisor_core::rpc::{Fault, FromValue, Value};

use super::surroundings::Surroundings;
use crate::getopt::quoted;

/// An answer to come.
pub(super) type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, ClientError>> + 'a>>;

/// The bytes of a log as they are written.
pub(super) type LogStream = Pin<Box<dyn Stream<Item = io::Result<Vec<u8>>>>>;

/// A server that can be asked.
pub(super) trait Rpc {
    /// Calls a method by its full name, such as `supervisor.getPID`.
    fn call<'a>(&'a self, method: &'a str, params: Vec<Value>) -> Reply<'a, Value>;

    /// Opens the stream at this path, such as `/logtail/cat/stdout`.
    fn follow<'a>(&'a self, path: &'a str) -> Reply<'a, LogStream>;
}

/// Finds servers by their URL.
pub(super) trait Connect {
    /// A server at `url`; nothing need be sent yet.
    ///
    /// # Errors
    /// [`ClientError::UnsupportedScheme`] or whatever else is wrong with the URL itself.
    fn connect(&self, url: &str, credentials: Option<&Credentials>) -> Result<Box<dyn Rpc>, ClientError>;

    /// What there is to see where this URL points to, for somebody who cannot connect.
    fn look(&self, url: &str) -> Surroundings;
}

/// Why a server gave no answer, or not a good one.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The socket file does not exist.
    NoSuchSocket,
    /// Nobody listens there.
    Refused,
    /// The socket file may not be used by this user.
    PermissionDenied,
    /// HTTP status 401.
    Unauthorised,
    /// The server refused the call.
    Fault(Fault),
    /// Another HTTP status than 200.
    Http {
        /// The status code.
        status: u16,
        /// What the server says to it; may be empty.
        reason: String,
    },
    /// An answer that no supervisor gives.
    NotASupervisor(String),
    /// The host name is not known.
    UnknownHost,
    /// A URL that begins neither with `http://` nor with `unix://`.
    UnsupportedScheme,
    /// A URL whose host, port or path cannot be used; says why.
    InvalidUrl(String),
    /// The server has ceased to answer; says for how long.
    TimedOut(Duration),
    /// Any other error of the operating system.
    Io(io::Error),
}

impl From<Fault> for ClientError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl ClientError {
    /// One line that says what went wrong with the server at `url`.
    pub fn sentence(&self, url: &str) -> String {
        match self {
            Self::NoSuchSocket => format!("cannot connect to {url}: No such file or directory"),
            Self::Refused => format!("cannot connect to {url}: Connection refused"),
            Self::PermissionDenied => format!("cannot connect to {url}: Permission denied"),
            Self::Unauthorised => "Server requires authentication".to_owned(),
            Self::Fault(fault) => fault_line(fault),
            Self::Http { status, reason } => {
                format!("{url} answered with HTTP status {status} {reason}").trim_end().into()
            }
            Self::NotASupervisor(what) => format!("{url} does not answer like supervisord: {what}"),
            Self::UnknownHost => format!("cannot connect to {url}: unknown host name"),
            Self::UnsupportedScheme => format!("Unknown protocol for serverurl {url}"),
            Self::InvalidUrl(why) => format!("invalid serverurl {url}: {why}"),
            Self::TimedOut(after) => format!("{url} gave no answer within {} seconds", after.as_secs()),
            Self::Io(error) => format!("{url}: {error}"),
        }
    }
}

/// A fault as the error line shows it: `<Fault 6: 'SHUTDOWN_STATE'>`.
pub(super) fn fault_line(fault: &Fault) -> String {
    format!("<Fault {}: {}>", fault.code, quoted(&fault.text))
}

/// The answer of a method as what it is documented to be.
pub(super) fn read<T: FromValue>(value: &Value, method: &str) -> Result<T, ClientError> {
    T::from_value(value).ok_or_else(|| {
        ClientError::NotASupervisor(format!("the answer of {method} is of another type than documented"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line() {
        let url = "http://h:1";
        let http = ClientError::Http { status: 500, reason: String::new() };
        assert_eq!(http.sentence(url), "http://h:1 answered with HTTP status 500");
        let fault = ClientError::Fault(Fault { code: 30, text: "FAILED: it's\nso".to_owned() });
        assert_eq!(fault.sentence(url), "<Fault 30: \"FAILED: it's\\nso\">");
        assert_eq!(ClientError::UnsupportedScheme.sentence("ftp://x"), "Unknown protocol for serverurl ftp://x");
    }
}

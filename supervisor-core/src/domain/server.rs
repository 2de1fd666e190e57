//! Where the daemon listens for requests (Supervisor 4.3: `[unix_http_server]`, `[inet_http_server]`).

use std::fmt;
use std::path::PathBuf;

use super::spec::Owner;

/// Settings of one HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The section's name, such as `unix_http_server` or `inet_http_server:2`.
    pub section: String,
    /// Where it listens.
    pub address: ServerAddress,
    /// Who may come in; `None` asks for nothing.
    pub credentials: Option<Credentials>,
}

/// The address of an HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ServerAddress {
    /// A socket file.
    Unix {
        /// Absolute path.
        path: PathBuf,
        /// Its mode. Default 0700.
        mode: u32,
        /// Its owner; `None` leaves it to the daemon's identity.
        owner: Option<Owner>,
    },
    /// A TCP port.
    Inet {
        /// Host name or address, in lower case; `None` listens on all interfaces.
        host: Option<String>,
        /// 1 to 65535.
        port: u16,
    },
}

/// A user name and a password, or its hash as `{SCHEME}hash`. Never shown: `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password, or `{SHA}` and the hexadecimal SHA-1 of it.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

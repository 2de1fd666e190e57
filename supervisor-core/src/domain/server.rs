//! Where the daemon listens for requests (Supervisor 4.3: `[unix_http_server]`, `[inet_http_server]`).

use std::fmt;
use std::path::PathBuf;

use super::spec::Owner;

/// Settings of one HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// The section's name, such as `unix_http_server` or `inet_http_server:2`.
    pub section: String,
    /// Where it listens.
    pub address: ServerAddress,
    /// Who may come in; `None` asks for nothing.
    pub credentials: Option<Credentials>,
    /// `allowed_origins`: web origins besides the server's own that may change things, in lower case. Default none.
    pub allowed_origins: Vec<String>,
    /// `allowed_hosts`: host names that requests may be addressed to, in lower case; empty allows all. Default empty.
    pub allowed_hosts: Vec<String>,
}

impl Server {
    /// A server at this address that asks for nothing.
    pub fn new(section: impl Into<String>, address: ServerAddress) -> Self {
        let (allowed_origins, allowed_hosts) = (Vec::new(), Vec::new());
        Self { section: section.into(), address, credentials: None, allowed_origins, allowed_hosts }
    }
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
    /// The password, or a hash of it behind the name of its scheme: `{SHA}` and hexadecimal SHA-1, or `{ARGON2}` and a hash
    /// in PHC form.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

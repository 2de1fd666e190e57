//! The URL of a server (Supervisor 4.3: `serverurl`).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::ClientError;

/// Where a supervisor listens: `unix:///path` or `http://host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    text: String,
    address: Address,
}

/// The address that a URL stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    /// A name or an address without brackets, and a port.
    Inet(String, u16),
}

impl ServerUrl {
    /// Reads a URL. The port defaults to 80; path, query, user name and password are ignored.
    ///
    /// # Errors
    /// [`ClientError::UnsupportedScheme`], [`ClientError::InvalidUrl`].
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let unsupported = || ClientError::UnsupportedScheme { url: text.to_owned() };
        let invalid = |why| ClientError::InvalidUrl { url: text.to_owned(), why };
        let (scheme, rest) = text.split_once("://").ok_or_else(unsupported)?;
        let address = if scheme.eq_ignore_ascii_case("unix") {
            if rest.is_empty() || rest.contains('\0') {
                return Err(invalid("the path of the socket is missing"));
            }
            Address::Unix(PathBuf::from(rest))
        } else if scheme.eq_ignore_ascii_case("http") {
            inet(rest).map_err(invalid)?
        } else {
            return Err(unsupported());
        };
        Ok(Self { text: text.to_owned(), address })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The `Host` header of requests.
    pub(super) fn host(&self) -> String {
        match &self.address {
            Address::Unix(_) => "localhost".to_owned(),
            Address::Inet(host, port) => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                if *port == 80 { host } else { format!("{host}:{port}") }
            }
        }
    }
}

/// `[user:password@]host[:port][/path]`
fn inet(rest: &str) -> Result<Address, &'static str> {
    const NO_PORT: &str = "the port is not a number from 1 to 65535";
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let (host, behind) = bracketed.split_once(']').ok_or("a bracket is not closed")?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| "not an IPv6 address")?;
            (host, if behind.is_empty() { None } else { Some(behind.strip_prefix(':').ok_or(NO_PORT)?) })
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err("the host is missing");
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"\\^`{|}%".contains(c)) {
        return Err("the host holds characters that no host name has");
    }
    let port = match port {
        None | Some("") => 80,
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(NO_PORT)?,
    };
    Ok(Address::Inet(host.to_owned(), port))
}

impl FromStr for ServerUrl {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        Self::parse(text)
    }
}

impl fmt::Display for ServerUrl {
    /// As it was given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn addresses() {
        let inet = |host: &str, port| Address::Inet(host.to_owned(), port);
        for (text, expected, host) in [
            ("unix:///tmp/supervisor.sock", Address::Unix("/tmp/supervisor.sock".into()), "localhost"),
            ("unix://relative%20.sock", Address::Unix("relative%20.sock".into()), "localhost"),
            ("http://localhost:9001", inet("localhost", 9001), "localhost:9001"),
            ("HTTP://Box", inet("Box", 80), "Box"),
            ("http://u:p@w@box:9001/RPC2?x#y", inet("box", 9001), "box:9001"),
            ("http://box:/", inet("box", 80), "box"),
            ("http://[::1]:9001/", inet("::1", 9001), "[::1]:9001"),
            ("http://[::1]", inet("::1", 80), "[::1]"),
        ] {
            let url = ServerUrl::parse(text).unwrap();
            assert_eq!((url.address(), url.host().as_str()), (&expected, host), "{text}");
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn refusals() {
        for text in ["https://box", "ftp://box", "box:9001", "", "/tmp/s"] {
            assert!(matches!(ServerUrl::parse(text), Err(ClientError::UnsupportedScheme { .. })), "{text}");
        }
        for text in [
            "unix://",
            "http://",
            "http://:9001",
            "http://box:0",
            "http://box:70000",
            "http://[::1",
            "http://[::1]x",
            "http://a b",
        ] {
            assert!(matches!(ServerUrl::parse(text), Err(ClientError::InvalidUrl { .. })), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(http|unix)?(://)?\\PC{0,20}") {
            drop(ServerUrl::parse(&text));
        }
    }
}

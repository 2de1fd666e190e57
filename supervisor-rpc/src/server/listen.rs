//! From a configured server to a bound socket, before there is a runtime.
//!
//! How a socket file is made, and what may be replaced by it, is decided in `supervisor_core::sys::socket`. Answers no
//! request and prints nothing: what a person should read comes back as [`Note`] or [`BindError`].

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use supervisor_core::domain::server::{Server, ServerAddress};
use supervisor_core::domain::spec::Owner;
use supervisor_core::sys::errno;
use supervisor_core::sys::socket::{self, BindError as Cause, SocketFile};

/// A bound and listening socket.
#[derive(Debug)]
pub enum Socket {
    /// A socket file.
    Unix {
        /// The listening socket.
        listener: UnixListener,
        /// Its file, where it really is: at the configured path, or where that points to.
        file: SocketFile,
    },
    /// A TCP port.
    Inet(TcpListener),
}

/// A server with its listening socket; can be handed over from one life of the daemon to the next.
///
/// Dropping it closes the socket and leaves the file where it is, as a forked parent must; [`close`](Self::close)
/// removes it.
#[derive(Debug)]
pub struct Bound {
    /// The settings that it was made from.
    pub server: Server,
    /// The socket.
    pub socket: Socket,
}

/// Something that happened while binding and that a person may want to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Note {
    /// Nobody listened on a socket file, so it was replaced.
    #[error("Unlinking stale socket {}", .0.display())]
    StaleSocket(PathBuf),
}

/// Why the socket of a server could not be had: Supervisor 4.3's text, then section, key and value.
#[derive(Debug, thiserror::Error)]
#[error("{}  (section '{section}', key '{key}': {address})", self.text())]
pub struct BindError {
    /// The section of the server.
    pub section: String,
    /// The key of the address.
    pub key: &'static str,
    /// The address: path or `host:port`.
    pub address: String,
    /// What went wrong.
    #[source]
    pub cause: Cause,
}

impl BindError {
    fn new(server: &Server, cause: Cause) -> Self {
        let (key, address) = match &server.address {
            ServerAddress::Unix { path, .. } => ("file", path.display().to_string()),
            ServerAddress::Inet { host, port } => ("port", format!("{}:{port}", host.as_deref().unwrap_or("*"))),
        };
        Self { section: server.section.clone(), key, address, cause }
    }

    fn text(&self) -> String {
        const CANNOT: &str = "Cannot open an HTTP server:";
        match &self.cause {
            Cause::AddressInUse => {
                "Another program is already listening on a port that one of our HTTP servers is configured \
                                    to use.  Shut this program down first before starting supervisord."
                    .to_owned()
            }
            chown @ Cause::NotPermittedToChown { .. } => chown.to_string(),
            Cause::System(error) if error.raw_os_error() == Some(Errno::EXIST.raw_os_error()) => {
                format!("{CANNOT} there is a file that is not a socket")
            }
            Cause::System(error) => match error.raw_os_error() {
                Some(number) => format!("{CANNOT} socket.error reported errno.{} ({number})", errno::describe(error)),
                None => format!("{CANNOT} socket.error reported {error}"),
            },
            Cause::PathTooLong => format!("{CANNOT} socket.error reported {}", self.cause),
            other => format!("{CANNOT} {other}"),
        }
    }
}

/// Binds every server, in order. Sockets of `kept` whose address is unchanged and whose path still names them are taken
/// over; the others are closed. If one cannot be bound, all are closed again.
///
/// # Errors
/// The first [`BindError`].
pub fn bind_all(servers: &[Server], kept: Vec<Bound>) -> Result<(Vec<Bound>, Vec<Note>), BindError> {
    let mut kept: Vec<Option<Bound>> = kept.into_iter().map(Some).collect();
    // First decide what is kept, and close the rest: a changed mode or a swapped path must not find our own socket in use.
    let mut taken: Vec<Option<Bound>> = servers.iter().map(|server| take(&mut kept, server)).collect();
    kept.into_iter().flatten().for_each(Bound::close);
    let mut bound = Vec::new();
    let mut notes = Vec::new();
    for (server, slot) in servers.iter().zip(&mut taken) {
        match slot.take().map_or_else(|| bind(server, &mut notes), Ok) {
            Ok(next) => bound.push(next),
            Err(error) => {
                bound.into_iter().chain(taken.into_iter().flatten()).for_each(Bound::close);
                return Err(error);
            }
        }
    }
    Ok((bound, notes))
}

fn take(kept: &mut [Option<Bound>], server: &Server) -> Option<Bound> {
    let slot = kept.iter_mut().find(|slot| {
        slot.as_ref().is_some_and(|bound| bound.server.address == server.address && bound.is_in_place())
    })?;
    let bound = slot.take()?;
    Some(Bound { server: server.clone(), socket: bound.socket })
}

/// Binds one server.
///
/// # Errors
/// A [`BindError`].
pub fn bind(server: &Server, notes: &mut Vec<Note>) -> Result<Bound, BindError> {
    let socket = match &server.address {
        ServerAddress::Unix { path, mode, owner } => bind_unix(path, *mode, *owner, notes),
        ServerAddress::Inet { host, port } => bind_inet(host.as_deref(), *port).map(Socket::Inet).map_err(Cause::from),
    };
    let socket = socket.map_err(|cause| BindError::new(server, cause))?;
    Ok(Bound { server: server.clone(), socket })
}

impl Bound {
    /// True if the address still leads here: the file at the path is the one that we made. TCP ports always do.
    pub fn is_in_place(&self) -> bool {
        match &self.socket {
            Socket::Inet(_) => true,
            Socket::Unix { file, .. } => file.is_there(),
        }
    }

    /// The address that is really bound, for TCP.
    pub fn local_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Inet(listener) => listener.local_addr().ok(),
            Socket::Unix { .. } => None,
        }
    }

    /// Closes the socket and removes its file, if that is still ours.
    pub fn close(self) {
        if let Socket::Unix { file, .. } = &self.socket {
            // If it cannot be removed it is stale from now on, and replaced by whoever comes next.
            drop(file.remove());
        }
    }
}

/// IPv4 only, as in Supervisor 4.3, unless the host is written as an IPv6 address. `SO_REUSEADDR` is set by std.
fn bind_inet(host: Option<&str>, port: u16) -> io::Result<TcpListener> {
    let host = host.unwrap_or("0.0.0.0");
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = match literal.parse() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => (host, port).to_socket_addrs()?.filter(SocketAddr::is_ipv4).collect(),
    };
    TcpListener::bind(&*addresses)
}

fn bind_unix(path: &Path, mode: u32, owner: Option<Owner>, notes: &mut Vec<Note>) -> Result<Socket, Cause> {
    let bound = socket::bind_unix(path, mode, owner)?;
    let path = bound.file.path().to_owned();
    if bound.replaced_stale {
        notes.push(Note::StaleSocket(path));
    }
    Ok(Socket::Unix { listener: bound.listener, file: bound.file })
}

#[cfg(test)]
mod tests;

//! From a configured server to a bound socket, before there is a runtime.
//!
//! A socket file appears under its name only when it is complete: made aside, given mode and owner, then linked. A file
//! that is there already is stale only if a connection to it is refused; nobody is waited for. Answers no request and
//! prints nothing: what a person should read comes back as [`Note`] or [`BindError`].

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use supervisor_core::domain::server::{Server, ServerAddress};
use supervisor_core::domain::spec::Owner;

/// How many connections wait to be accepted.
const BACKLOG: i32 = 1024;

/// The longest path that a socket address holds, in bytes.
const LONGEST_PATH: usize = 107;

/// A bound and listening socket.
#[derive(Debug)]
pub enum Socket {
    /// A socket file.
    Unix {
        /// The listening socket.
        listener: UnixListener,
        /// Where the file really is: the configured path, or where it points to.
        path: PathBuf,
        /// Device and inode of the file, by which it is known again.
        identity: (u64, u64),
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

/// Why a socket could not be had. The texts are Supervisor 4.3's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody listens there.
    #[error(
        "Another program is already listening on a port that one of our HTTP servers is configured to use.  \
         Shut this program down first before starting supervisord."
    )]
    InUse {
        /// The section of the server.
        section: String,
    },
    /// The path is too long for a socket address.
    #[error("Cannot open an HTTP server: socket.error reported AF_UNIX path too long")]
    PathTooLong {
        /// The section of the server.
        section: String,
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be given to the configured owner.
    #[error("Not permitted to chown {} to uid/gid ({uid}, {gid})", path.display())]
    Chown {
        /// The section of the server.
        section: String,
        /// The path.
        path: PathBuf,
        /// The user.
        uid: u32,
        /// The group; -1 leaves it alone.
        gid: i64,
    },
    /// There is something at the path that we must not replace.
    #[error("Cannot open an HTTP server: {} {why}", path.display())]
    Occupied {
        /// The section of the server.
        section: String,
        /// The path.
        path: PathBuf,
        /// What it is.
        why: &'static str,
    },
    /// Anything else that the system says.
    #[error("Cannot open an HTTP server: socket.error reported {}", errno_name(source))]
    System {
        /// The section of the server.
        section: String,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    /// The section of the server that could not be opened.
    pub fn section(&self) -> &str {
        match self {
            Self::InUse { section }
            | Self::PathTooLong { section, .. }
            | Self::Chown { section, .. }
            | Self::Occupied { section, .. }
            | Self::System { section, .. } => section,
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
        ServerAddress::Unix { path, mode, owner } => bind_unix(&server.section, path, *mode, *owner, notes)?,
        ServerAddress::Inet { host, port } => {
            Socket::Inet(bind_inet(host.as_deref(), *port).map_err(|source| from_system(&server.section, source))?)
        }
    };
    Ok(Bound { server: server.clone(), socket })
}

impl Bound {
    /// True if the address still leads here: the file at the path is the one that we made. TCP ports always do.
    pub fn is_in_place(&self) -> bool {
        match &self.socket {
            Socket::Inet(_) => true,
            Socket::Unix { path, identity, .. } => identity_of(path).is_ok_and(|found| found == *identity),
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
        if let Socket::Unix { path, .. } = &self.socket
            && self.is_in_place()
        {
            // If it cannot be removed it is stale from now on, and replaced by whoever comes next.
            drop(fs::remove_file(path));
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

fn bind_unix(
    section: &str,
    path: &Path,
    mode: u32,
    owner: Option<Owner>,
    notes: &mut Vec<Note>,
) -> Result<Socket, BindError> {
    let system = |source| from_system(section, source);
    let path = follow_own_link(section, path)?;
    let mut aside = path.clone().into_os_string();
    aside.push(format!(".{}", std::process::id()));
    let aside = PathBuf::from(aside);
    if aside.as_os_str().len() > LONGEST_PATH {
        return Err(BindError::PathTooLong { section: section.to_owned(), path });
    }
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(system(error)),
        Ok(()) | Err(_) => {}
    }
    let socket = new_socket(mode).map_err(system)?;
    let address = SocketAddrUnix::new(&aside).map_err(|error| system(error.into()))?;
    rustix::net::bind(&socket, &address).map_err(|error| system(error.into()))?;
    let published = dress(section, &socket, &aside, mode, owner).and_then(|()| publish(section, &aside, &path, notes));
    let identity = identity_of(&aside).map_err(system);
    drop(fs::remove_file(&aside));
    published?;
    Ok(Socket::Unix { listener: UnixListener::from(socket), path, identity: identity? })
}

/// A symbolic link that root or we ourselves made is followed; one that somebody else planted is refused.
fn follow_own_link(section: &str, path: &Path) -> Result<PathBuf, BindError> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(path.to_owned()) };
    if !found.file_type().is_symlink() {
        return Ok(path.to_owned());
    }
    if found.uid() != 0 && found.uid() != rustix::process::geteuid().as_raw() {
        let why = "is a symbolic link of another user";
        return Err(BindError::Occupied { section: section.to_owned(), path: path.to_owned(), why });
    }
    let target = fs::read_link(path).map_err(|source| from_system(section, source))?;
    // One step only: a chain of links in front of a socket is nobody's wish.
    Ok(path.parent().map_or_else(|| target.clone(), |folder| folder.join(&target)))
}

/// An unbound socket that nobody but the configured mode allows can ever connect to: the mode is set before there is a
/// file (where the system looks at it), so no umask needs to be changed.
fn new_socket(mode: u32) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    // Where a socket has no mode, the one that its file gets is all there is.
    let _ = rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(mode));
    Ok(socket)
}

/// Gives the file its final owner and mode, then listens.
fn dress(section: &str, socket: &OwnedFd, file: &Path, mode: u32, owner: Option<Owner>) -> Result<(), BindError> {
    if let Some(Owner { uid, gid }) = owner {
        std::os::unix::fs::chown(file, Some(uid), gid).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => BindError::Chown {
                section: section.to_owned(),
                path: file.to_owned(),
                uid,
                gid: gid.map_or(-1, i64::from),
            },
            _ => from_system(section, error),
        })?;
    }
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).map_err(|error| from_system(section, error))?;
    rustix::net::listen(socket, BACKLOG).map_err(|error| from_system(section, error.into()))
}

/// Gives the finished socket its name. The name is never replaced while somebody listens behind it.
fn publish(section: &str, aside: &Path, path: &Path, notes: &mut Vec<Note>) -> Result<(), BindError> {
    // Two rounds suffice unless somebody else binds at the same moment; then he has won.
    for _ in 0..3 {
        match fs::hard_link(aside, path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(from_system(section, error)),
            Err(_) => {}
        }
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                let why = "exists and is not a socket";
                return Err(BindError::Occupied { section: section.to_owned(), path: path.to_owned(), why });
            }
            Ok(_) if !is_stale(path) => return Err(BindError::InUse { section: section.to_owned() }),
            Ok(_) => match fs::remove_file(path) {
                Ok(()) => notes.push(Note::StaleSocket(path.to_owned())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(from_system(section, error)),
            },
            // Its owner has just removed it.
            Err(_) => {}
        }
    }
    Err(BindError::InUse { section: section.to_owned() })
}

/// True only if the system says that nobody listens. A frozen daemon with a full backlog (EAGAIN) lives.
fn is_stale(path: &Path) -> bool {
    let attempt = || {
        let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)
    };
    attempt() == Err(rustix::io::Errno::CONNREFUSED)
}

fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

fn from_system(section: &str, source: io::Error) -> BindError {
    match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { section: section.to_owned() },
        _ => BindError::System { section: section.to_owned(), source },
    }
}

/// `errno.EACCES (13)`, as Supervisor 4.3 says it; the system's text where there is no number.
fn errno_name(error: &io::Error) -> String {
    use rustix::io::Errno;
    const NAMES: &[(Errno, &str)] = &[
        (Errno::ACCESS, "EACCES"),
        (Errno::ADDRNOTAVAIL, "EADDRNOTAVAIL"),
        (Errno::AFNOSUPPORT, "EAFNOSUPPORT"),
        (Errno::INVAL, "EINVAL"),
        (Errno::ISDIR, "EISDIR"),
        (Errno::LOOP, "ELOOP"),
        (Errno::MFILE, "EMFILE"),
        (Errno::NAMETOOLONG, "ENAMETOOLONG"),
        (Errno::NFILE, "ENFILE"),
        (Errno::NOENT, "ENOENT"),
        (Errno::NOMEM, "ENOMEM"),
        (Errno::NOSPC, "ENOSPC"),
        (Errno::NOTDIR, "ENOTDIR"),
        (Errno::NOTSUP, "EOPNOTSUPP"),
        (Errno::PERM, "EPERM"),
        (Errno::ROFS, "EROFS"),
    ];
    let Some(number) = error.raw_os_error() else { return error.to_string() };
    match NAMES.iter().find(|(errno, _)| errno.raw_os_error() == number) {
        Some((_, name)) => format!("errno.{name} ({number})"),
        None => format!("{error}"),
    }
}

#[cfg(test)]
mod tests;

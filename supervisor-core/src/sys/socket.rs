//! Listening sockets: HTTP servers and the shared sockets of FastCGI programs.
//!
//! A socket file never exists under its name with a wrong mode or owner, and never without somebody who listens: it is
//! bound aside, made ready, and published by a hard link. Accepting is not done here.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, Gid, Mode, OFlags, RawMode, Uid};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use super::errno;
use super::open::{Link, trusted_link};
use crate::domain::spec::{FastCgiSocket, Owner, SocketAddress, User};

/// The system cuts it down to what it allows (`listen(2)`).
pub const GREATEST_BACKLOG: i32 = i32::MAX;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody listens there.
    #[error("address already in use")]
    AddressInUse,
    /// The path of the socket does not fit an address; for a server's, with the suffix that it is bound under.
    #[error("AF_UNIX path too long")]
    PathTooLong,
    /// The owner cannot be set.
    #[error("Not permitted to chown {path} to uid/gid {uid}/{gid}", path = path.display(), gid = gid.map_or(-1, i64::from))]
    NotPermittedToChown {
        /// The socket's path.
        path: PathBuf,
        /// The user that it should have belonged to.
        uid: u32,
        /// The group, if one was asked for.
        gid: Option<u32>,
    },
    /// The path is a symbolic link made by another user.
    #[error("{0}")]
    ForeignLink(String),
    /// The host has no address.
    #[error("no address for host {0}")]
    UnknownHost(String),
    /// Anything else.
    #[error("{}", errno::describe(.0))]
    System(#[source] io::Error),
}

impl From<Errno> for BindError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::ADDRINUSE => Self::AddressInUse,
            other => Self::System(other.into()),
        }
    }
}

impl From<io::Error> for BindError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => Errno::from_raw_os_error(number).into(),
            None if error.kind() == io::ErrorKind::PermissionDenied => Self::ForeignLink(error.to_string()),
            None => Self::System(error),
        }
    }
}

/// A socket's file, known by more than its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True while its path still names it.
    pub fn is_there(&self) -> bool {
        Self::at(&self.path).is_ok_and(|now| now == *self)
    }

    /// Removes it, unless its path names something else by now.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self) -> io::Result<()> {
        if self.is_there() { std::fs::remove_file(&self.path) } else { Ok(()) }
    }
}

/// A listening Unix socket.
#[derive(Debug)]
pub struct UnixSocket {
    /// It listens already; blocking.
    pub listener: UnixListener,
    /// Its file.
    pub file: SocketFile,
    /// A file that nobody listened on was there before and has been removed.
    pub replaced_stale: bool,
}

/// Listens at a path, with this mode and owner from the first moment on. A socket file that nobody listens on is
/// replaced; only a refused connection counts as that.
///
/// # Errors
/// See [`BindError`]. Nothing is left behind then.
pub fn bind_unix(path: &Path, mode: u32, owner: Option<Owner>) -> Result<UnixSocket, BindError> {
    const MOST_TRIES: usize = 8;
    let path = follow(path)?;
    let mut replaced_stale = false;
    if path_is_taken(&path)? {
        return Err(BindError::AddressInUse);
    }
    let aside = Aside { path: beside(&path, '.') };
    let address = unix_address(&aside.path)?;
    let socket = bind_aside(&path, &aside, &address, mode, owner, GREATEST_BACKLOG)?;
    for _ in 0..MOST_TRIES {
        match rustix::fs::link(&aside.path, &path) {
            Ok(()) => {
                let file = SocketFile { path, ..aside.file()? };
                return Ok(UnixSocket { listener: socket.into(), file, replaced_stale });
            }
            Err(Errno::EXIST) => replaced_stale |= remove_stale(&path)?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(BindError::AddressInUse)
}

/// Listens on a TCP port (SO_REUSEADDR); on all interfaces without a host. A name is looked up; its first IPv4 address
/// is taken, or its first one if it has no such.
///
/// # Errors
/// See [`BindError`].
pub fn bind_tcp(host: Option<&str>, port: u16) -> Result<TcpListener, BindError> {
    Ok(bind_inet(host.unwrap_or("0.0.0.0"), port, GREATEST_BACKLOG)?.into())
}

fn bind_inet(host: &str, port: u16, backlog: i32) -> Result<OwnedFd, BindError> {
    let unknown = || BindError::UnknownHost(host.to_owned());
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(|_| unknown())?.collect();
    let first = addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first());
    let address = first.ok_or_else(unknown)?;
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = stream(family)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, address)?;
    rustix::net::listen(&socket, backlog)?;
    Ok(socket)
}

/// The shared socket of a FastCGI program. Dropping it does not remove its file.
#[derive(Debug)]
pub struct SharedSocket {
    /// It listens; blocking, as programs expect it on their fd 0.
    pub socket: OwnedFd,
    /// Its file, if it has one.
    pub file: Option<SocketFile>,
}

/// Listens for FastCGI programs. A file at the path of a Unix socket is replaced whatever it is. Without an owner of its
/// own it belongs to `user`, the program's, if that is somebody else than we are.
///
/// # Errors
/// See [`BindError`].
pub fn bind_fastcgi(wanted: &FastCgiSocket, user: Option<&User>) -> Result<SharedSocket, BindError> {
    let backlog = wanted.backlog.map_or(GREATEST_BACKLOG, i32::from);
    let path = match &wanted.address {
        SocketAddress::Tcp { host, port } => {
            return Ok(SharedSocket { socket: bind_inet(host, *port, backlog)?, file: None });
        }
        SocketAddress::Unix(path) => path,
    };
    let ours = rustix::process::geteuid().as_raw();
    let program = user.filter(|user| user.uid != ours).map(|user| Owner { uid: user.uid, gid: Some(user.gid) });
    let (aside, address, _way) = Aside::in_the_room_of(path)?;
    let socket = bind_aside(path, &aside, &address, wanted.mode, wanted.owner.or(program), backlog)?;
    let file = SocketFile { path: path.clone(), ..aside.file()? };
    // Takes the place of a file or a link, never of what a link leads to.
    rustix::fs::rename(&aside.path, path)?;
    Ok(SharedSocket { socket, file: Some(file) })
}

fn stream(family: AddressFamily) -> Result<OwnedFd, BindError> {
    #[cfg(not(target_vendor = "apple"))]
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    #[cfg(target_vendor = "apple")]
    let socket = {
        let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::empty(), None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        socket
    };
    Ok(socket)
}

/// A path as an address; with the NUL at its end it must fit the field.
fn unix_address(path: &Path) -> Result<SocketAddrUnix, BindError> {
    const ROOM: usize = size_of::<libc::sockaddr_un>() - std::mem::offset_of!(libc::sockaddr_un, sun_path);
    if path.as_os_str().len() >= ROOM {
        return Err(BindError::PathTooLong);
    }
    Ok(SocketAddrUnix::new(path)?)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The right to remove stale sockets of a directory: a lock on the directory itself, which leaves nothing behind
/// (`flock(2)`).
struct Turn(Option<OwnedFd>);

impl Turn {
    /// Waits for it, but not for ever: whoever may read the directory can hold its lock. Without one where the directory
    /// cannot be read or locked.
    fn at(path: &Path) -> Self {
        const TRIES: u32 = 200;
        const PAUSE: Duration = Duration::from_millis(5);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(directory) = rustix::fs::open(directory_of(path), flags, Mode::empty()) else { return Self(None) };
        for _ in 0..TRIES {
            match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Self(Some(directory)),
                Err(Errno::AGAIN | Errno::INTR) => std::thread::sleep(PAUSE),
                Err(_) => break,
            }
        }
        Self(None)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A child that is just being started may share the descriptor for a moment.
        if let Some(directory) = &self.0 {
            let _ = rustix::fs::flock(directory, FlockOperation::Unlock);
        }
    }
}

/// `<path>.<pid>`, or with another mark.
fn beside(path: &Path, mark: char) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{mark}{}", std::process::id()));
    name.into()
}

/// A name for one moment; removed when dropped.
struct Aside {
    path: PathBuf,
}

impl Aside {
    /// One that can be bound if `path` itself can be: with a shorter name in the same directory, and an address that leads
    /// through the directory (`proc(5)`), if need be. With its address, and what must be held until that one is bound.
    fn in_the_room_of(path: &Path) -> Result<(Self, SocketAddrUnix, Option<OwnedFd>), BindError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        unix_address(path)?;
        let usual = beside(path, '.');
        if let Ok(address) = unix_address(&usual) {
            return Ok((Self { path: usual }, address, None));
        }
        let name = format!(".{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let short = Self { path: path.with_file_name(&name) };
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use std::os::fd::AsRawFd;
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let directory = rustix::fs::open(directory_of(path), flags, Mode::empty())?;
            let way = PathBuf::from(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()));
            Ok((short, unix_address(&way)?, Some(directory)))
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        {
            let address = unix_address(&short.path)?;
            Ok((short, address, None))
        }
    }

    fn file(&self) -> io::Result<SocketFile> {
        SocketFile::at(&self.path)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Binds aside of the path and makes everything right before anybody can know it.
fn bind_aside(
    path: &Path,
    aside: &Aside,
    address: &SocketAddrUnix,
    mode: u32,
    owner: Option<Owner>,
    backlog: i32,
) -> Result<OwnedFd, BindError> {
    let _ = std::fs::remove_file(&aside.path);
    let socket = stream(AddressFamily::UNIX)?;
    // On Linux the file gets the mode of the socket less the umask, so it is never more open than it should be.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    rustix::fs::fchmod(&socket, Mode::from_bits_truncate(mode as RawMode))?;
    rustix::net::bind(&socket, address)?;
    if let Some(owner) = owner {
        set_owner(path, &aside.path, owner)?;
    }
    set_mode(&aside.path, mode)?;
    rustix::net::listen(&socket, backlog)?;
    Ok(socket)
}

fn set_owner(path: &Path, aside: &Path, owner: Owner) -> Result<(), BindError> {
    let (uid, gid) = (Uid::from_raw(owner.uid), owner.gid.map(Gid::from_raw));
    match rustix::fs::chownat(CWD, aside, Some(uid), gid, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::PERM) => {
            Err(BindError::NotPermittedToChown { path: path.to_owned(), uid: owner.uid, gid: owner.gid })
        }
        result => Ok(result?),
    }
}

/// The exact mode, whatever the umask is: through the file itself where it can be held, so that nothing planted in its
/// place is ever changed.
fn set_mode(path: &Path, mode: u32) -> Result<(), BindError> {
    let mode = Mode::from_bits_truncate(mode as RawMode);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use std::os::fd::AsRawFd;
        let held = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        match rustix::fs::chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), mode) {
            Err(Errno::NOENT) => {}
            result => return Ok(result?),
        }
    }
    Ok(rustix::fs::chmod(path, mode)?)
}

/// Where links lead that root or we made.
fn follow(path: &Path) -> Result<PathBuf, BindError> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match trusted_link(&path) {
            Ok(Some(Link::To(target))) => path = target,
            Ok(Some(Link::OfKernel)) => return Err(Errno::LOOP.into()),
            Ok(None) => return Ok(path),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(path),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::LOOP.into())
}

/// True if somebody listens at the path. A file that is no socket is an error, since it is not ours to remove, unless there
/// is nothing in it: that is what an image or a copy makes of a socket.
fn path_is_taken(path: &Path) -> Result<bool, BindError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => return Ok(false),
        Ok(metadata) if !std::os::unix::fs::FileTypeExt::is_socket(&metadata.file_type()) => {
            return Err(Errno::EXIST.into());
        }
        Ok(_) => {}
    }
    let address = unix_address(path)?;
    let probe = stream(AddressFamily::UNIX)?;
    // Without waiting: a daemon that is busy or stopped with a full queue gives EAGAIN, and lives.
    rustix::io::ioctl_fionbio(&probe, true)?;
    match rustix::net::connect(&probe, &address) {
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        Ok(()) | Err(Errno::AGAIN | Errno::INPROGRESS) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// True if somebody listens on a socket that was made for this path and whose file is gone: a cleaner of old files took it, and
/// whoever listens does not know. Always false where the system does not tell (`/proc/net/unix`).
pub fn has_lost_its_file(path: &Path) -> bool {
    if std::fs::symlink_metadata(path).is_ok() {
        return false;
    }
    let path = follow(path).unwrap_or_else(|_| path.to_owned());
    let sockets = std::fs::read("/proc/net/unix").unwrap_or_default();
    sockets.split(|byte| *byte == b'\n').any(|line| is_bound_aside(line, path.as_os_str().as_encoded_bytes()))
}

/// Whether a line of `/proc/net/unix` is of a listening socket that was bound aside for this path, by whatever process.
fn is_bound_aside(line: &[u8], path: &[u8]) -> bool {
    const LISTENS: &[u8] = b"00010000";
    // Only the name has slashes.
    let Some(start) = line.iter().position(|byte| *byte == b'/') else { return false };
    let (fields, name) = line.split_at(start);
    let pid = name.strip_prefix(path).and_then(|rest| rest.strip_prefix(b"."));
    pid.is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit))
        && fields.split(u8::is_ascii_whitespace).nth(3) == Some(LISTENS)
}

/// Removes a socket file that nobody listens on, in turn: between the look at it and its end no other daemon takes it
/// away and puts its own there. Where turns cannot be had it is taken aside first and judged again, which leaves a gap of
/// two system calls.
fn remove_stale(path: &Path) -> Result<bool, BindError> {
    let _turn = Turn::at(path);
    if path_is_taken(path)? {
        return Err(BindError::AddressInUse);
    }
    // No longer than the other name, so that it can be asked for.
    let aside = Aside { path: beside(path, '~') };
    match rustix::fs::rename(path, &aside.path) {
        Err(Errno::NOENT) => return Ok(false),
        result => result?,
    }
    if path_is_taken(&aside.path)? {
        rustix::fs::link(&aside.path, path)?;
        return Err(BindError::AddressInUse);
    }
    Ok(true)
}

#[cfg(test)]
mod tests;

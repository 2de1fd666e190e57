//! Opens files that the supervisor writes: logs and the pid file.
//!
//! A symbolic link in the last place is followed only if root or we made it; one planted by another user is refused. The
//! owner is asked of the link that is held open, so nothing can be exchanged in between. Nothing is waited for: a FIFO
//! that nobody reads is refused (`ENXIO`). Rotating and reading are not done here.
#![expect(unsafe_code, reason = "duplicates a descriptor given by number")]

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// As many links as the kernel follows (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Opens a file to append to; creates it (mode 0666 less the umask) where it is missing.
///
/// `/dev/stdout`, `/dev/stderr` and `/dev/fd/N` fall back to a duplicate of our own descriptor where they cannot be
/// opened (a socket, a pipe of another user). The mode of a descriptor that we inherited is never changed.
///
/// # Errors
/// What the system says; `PermissionDenied` for a link of another user.
pub fn append(path: &Path) -> io::Result<File> {
    open(path, OFlags::APPEND)
}

/// Opens a file to write it anew: what it held is cut off. Otherwise as [`append`].
///
/// # Errors
/// As [`append`].
pub fn overwrite(path: &Path) -> io::Result<File> {
    open(path, OFlags::APPEND | OFlags::TRUNC)
}

fn open(path: &Path, how: OFlags) -> io::Result<File> {
    // A FIFO without a reader, which anybody can plant, must not keep us waiting.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK | how;
    let mode = Mode::from_bits_truncate(0o666);
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Some(number) = own_descriptor(&place) {
            // The kernel's own link: nobody can plant it, and it is no text that one could follow.
            let opened = rustix::fs::open(&place, flags, mode).map_err(io::Error::from).and_then(may_wait);
            return Ok(opened.or_else(|error| duplicate(number).map_err(|_| error))?.into());
        }
        match rustix::fs::open(&place, flags | OFlags::NOFOLLOW, mode) {
            Ok(file) => return Ok(may_wait(file)?.into()),
            Err(Errno::LOOP | Errno::MLINK) => {}
            Err(error) => return Err(error.into()),
        }
        match trusted_link(&place)? {
            Some(Link::To(target)) => place = target,
            Some(Link::OfKernel) => {
                return Ok(may_wait(rustix::fs::open(&place, flags, mode)?)?.into());
            }
            // It was one a moment ago: look again.
            None => {}
        }
    }
    Err(Errno::LOOP.into())
}

/// Writing may wait, other than opening. The description is a fresh one, so that nobody else sees the change.
fn may_wait(file: OwnedFd) -> io::Result<OwnedFd> {
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(file)
}

/// Where a link leads that root or we made.
pub(crate) enum Link {
    /// To this path.
    To(PathBuf),
    /// To something that only the kernel can name.
    OfKernel,
}

/// Looks at a path whose last part may be a symbolic link; `None` if it is not one.
///
/// # Errors
/// `PermissionDenied` for a link of another user; what the system says.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(crate) fn trusted_link(path: &Path) -> io::Result<Option<Link>> {
    let link = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let status = rustix::fs::fstat(&link)?;
    if rustix::fs::FileType::from_raw_mode(status.st_mode) != rustix::fs::FileType::Symlink {
        return Ok(None);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if rustix::fs::fstatfs(&link)?.f_type == libc::PROC_SUPER_MAGIC as rustix::fs::FsWord {
        return Ok(Some(Link::OfKernel));
    }
    owned_by_us_or_root(path, status.st_uid)?;
    let target = rustix::fs::readlinkat(&link, "", Vec::new())?;
    Ok(Some(Link::To(beside(path, target.into_bytes()))))
}

/// The same where a link cannot be held open: asks by name twice.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) fn trusted_link(path: &Path) -> io::Result<Option<Link>> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::symlink_metadata(path)?;
    if !metadata.is_symlink() {
        return Ok(None);
    }
    owned_by_us_or_root(path, metadata.uid())?;
    let target = std::fs::read_link(path)?;
    Ok(Some(Link::To(beside(path, target.into_os_string().into_vec()))))
}

fn owned_by_us_or_root(path: &Path, owner: u32) -> io::Result<()> {
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let text = format!("{} is a symbolic link made by another user (uid {owner})", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// The target of a link is relative to where the link is.
fn beside(link: &Path, target: Vec<u8>) -> PathBuf {
    link.parent().unwrap_or(Path::new("")).join(std::ffi::OsString::from_vec(target))
}

/// Whether a path leads to something that only a descriptor names: `/dev/stdout`, a link to `/proc/self/fd/N`. Such a path
/// is no name of the file behind it.
pub(crate) fn leads_to_descriptor(path: &Path) -> bool {
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        if own_descriptor(&place).is_some() {
            return true;
        }
        match trusted_link(&place) {
            Ok(Some(Link::To(target))) => place = target,
            Ok(Some(Link::OfKernel)) => return true,
            Ok(None) | Err(_) => return false,
        }
    }
    false
}

/// The number of the descriptor of ours that a path names.
fn own_descriptor(path: &Path) -> Option<libc::c_int> {
    let bytes = path.as_os_str().as_bytes();
    match bytes {
        b"/dev/stdin" => return Some(0),
        b"/dev/stdout" => return Some(1),
        b"/dev/stderr" => return Some(2),
        _ => {}
    }
    let own = format!("/proc/{}/fd/", std::process::id());
    let number = [b"/dev/fd/".as_slice(), b"/proc/self/fd/", b"/proc/thread-self/fd/", own.as_bytes()]
        .iter()
        .find_map(|directory| bytes.strip_prefix(*directory))?;
    // Digits only: `from_str` would take a sign.
    let digits = number.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(number).ok().filter(|_| digits)?.parse().ok()
}

fn duplicate(number: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC makes a new descriptor and leaves the old one as it is; a number that is not open is
    // refused.
    let new = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if new < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(new) })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{lchown, symlink};

    use super::*;
    use crate::sys::alone;

    #[test]
    fn own_descriptors_are_known_by_name() {
        let own = format!("/proc/{}/fd/7", std::process::id());
        let table = [
            ("/dev/stdout", Some(1)),
            ("/dev/stderr", Some(2)),
            ("/dev/fd/12", Some(12)),
            ("/proc/self/fd/2", Some(2)),
            (own.as_str(), Some(7)),
            ("/dev/fd/", None),
            ("/dev/fd/+1", None),
            ("/dev/fd/1x", None),
            ("/dev/stdoutx", None),
            ("/proc/1/fd/1", None),
        ];
        for (path, number) in table {
            assert_eq!(own_descriptor(Path::new(path)), number, "{path}");
        }
    }

    #[test]
    fn appends_and_overwrites() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        append(&path).unwrap().write_all(b"one").unwrap();
        append(&path).unwrap().write_all(b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"onetwo");
        overwrite(&path).unwrap().write_all(b"three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_eq!(append(directory.path()).unwrap_err().raw_os_error(), Some(libc::EISDIR));
        let missing = append(&directory.path().join("no/such")).unwrap_err();
        assert_eq!(missing.raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(append(&path).unwrap_err().raw_os_error(), Some(libc::ENXIO));
        let reader = rustix::fs::open(&path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap();
        let writer = append(&path).unwrap();
        assert!(!rustix::fs::fcntl_getfl(&writer).unwrap().contains(OFlags::NONBLOCK));
        drop(reader);
    }

    #[test]
    fn links_are_judged_by_their_owner() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        std::fs::write(place("target"), "kept").unwrap();
        symlink("target", place("second")).unwrap();
        symlink(place("second"), place("first")).unwrap();
        append(&place("first")).unwrap().write_all(b"+").unwrap();
        assert_eq!(std::fs::read(place("target")).unwrap(), b"kept+");
        symlink("fresh", place("dangling")).unwrap();
        append(&place("dangling")).unwrap();
        assert!(place("fresh").is_file());
        symlink("round", place("round")).unwrap();
        assert_eq!(append(&place("round")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
        if alone::is_root() {
            lchown(place("second"), Some(65_534), None).unwrap();
            for open in [append, overwrite] {
                let error = open(&place("first")).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                assert!(error.to_string().contains("made by another user (uid 65534)"), "{error}");
            }
            assert_eq!(std::fs::read(place("target")).unwrap(), b"kept+");
        }
    }

    #[test]
    fn a_descriptor_that_cannot_be_opened_is_duplicated() {
        use std::io::Read;
        use std::os::fd::AsRawFd;
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("log");
        let name = PathBuf::from(format!("/dev/fd/{}", ours.as_raw_fd()));
        symlink(&name, &link).unwrap();
        for path in [name, link] {
            let mut file = append(&path).unwrap();
            file.write_all(b"line").unwrap();
            let mut bytes = [0; 4];
            theirs.read_exact(&mut bytes).unwrap();
            assert_eq!(&bytes, b"line");
            assert!(!rustix::fs::fcntl_getfl(&ours).unwrap().contains(OFlags::NONBLOCK));
        }
        drop(ours);
        assert!(append(Path::new("/dev/fd/99999")).is_err());
    }
}

//! The pid file: written once the daemon is the process that stays, removed at the end if it is still ours.
//!
//! It tells others who we are. Nothing is ever read from it to find out whom to signal. A lock on it, which dies with
//! its holder, keeps a second daemon of the same configuration from taking it over where there is no HTTP socket that
//! would refuse it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use supervisor_core::config::{Daemon, Orphans};
use supervisor_core::logfile::open::open_read;
use supervisor_core::sys::open::append;

/// Somebody else holds the pid file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Another supervisord{pid} is running with the pid file {path}.  Shut it down first, or give this one a pid file of \
     its own.",
    pid = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default(),
    path = path.display()
)]
pub(super) struct Held {
    path: PathBuf,
    pid: Option<u32>,
}

/// A pid file that we have written.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
    /// Keeps the lock.
    file: File,
    pid: u32,
}

/// Refuses to go on while a living daemon holds the pid file. Changes nothing.
///
/// # Errors
/// [`Held`].
pub(super) fn check(path: &Path) -> Result<(), Held> {
    // A file that is not there, or that we cannot read, says nothing; writing it will tell.
    let Ok(mut file) = open_read(path) else { return Ok(()) };
    if !is_regular(&file) || flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        return Ok(());
    }
    Err(Held { path: path.to_owned(), pid: read_pid(&mut file) })
}

impl PidFile {
    /// Writes the pid of this process. What stood in the file is overwritten.
    ///
    /// # Errors
    /// What the system says; somebody else holds the file.
    pub(super) fn write(path: &Path) -> io::Result<Self> {
        // Not cut off yet: it may be somebody else's.
        let mut file = append(path)?;
        let pid = std::process::id();
        if is_regular(&file) {
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.set_len(0)?;
        }
        file.write_all(format!("{pid}\n").as_bytes())?;
        Ok(Self { path: path.to_owned(), file, pid })
    }

    /// True if it is at this path and nobody has put something else there.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path == path && self.is_ours()
    }

    fn is_ours(&self) -> bool {
        let (Ok(ours), Ok(found)) = (self.file.metadata(), fs::metadata(&self.path)) else { return false };
        if !ours.is_file() || (ours.dev(), ours.ino()) != (found.dev(), found.ino()) {
            return false;
        }
        open_read(&self.path).is_ok_and(|mut file| read_pid(&mut file) == Some(self.pid))
    }

    /// Removes it, if it is still ours.
    pub(super) fn remove(self) {
        if self.is_ours() {
            // A pid file that stays is overwritten by whoever comes next.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Where running programs are written down: beside the pid file. `None` with `orphans=ignore`, and beside a device.
pub(super) fn state_file(daemon: &Daemon) -> Option<PathBuf> {
    let stop = daemon.orphans == Orphans::Stop;
    let beside_a_file = fs::metadata(&daemon.pidfile).map_or(true, |found| found.is_file());
    let mut name = daemon.pidfile.clone().into_os_string();
    name.push(".state");
    (stop && beside_a_file).then(|| name.into())
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_is_overwritten_held_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        fs::write(&path, "a much longer text than a pid\n").unwrap();
        assert_eq!(check(&path), Ok(()), "a leftover does not matter");
        let pidfile = PidFile::write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert_eq!(check(&path), Err(Held { path: path.clone(), pid: Some(std::process::id()) }));
        assert!(PidFile::write(&path).is_err(), "a second writer is refused");
        assert!(pidfile.is_at(&path) && !pidfile.is_at(folder.path()));
        pidfile.remove();
        assert!(!path.exists());
        assert_eq!(check(&path), Ok(()));
    }

    #[test]
    fn what_others_put_in_its_place_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let replaced = PidFile::write(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "1\n").unwrap();
        replaced.remove();
        assert!(path.exists());
        let overwritten = PidFile::write(&path).unwrap();
        fs::write(&path, "1\n").unwrap();
        overwritten.remove();
        assert!(path.exists());
    }

    #[test]
    fn a_device_is_no_obstacle() {
        let pidfile = PidFile::write(Path::new("/dev/null")).unwrap();
        assert_eq!(check(Path::new("/dev/null")), Ok(()));
        pidfile.remove();
        assert!(Path::new("/dev/null").exists());
    }
}

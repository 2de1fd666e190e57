//! Descriptors: none is inherited by a child unawares, and some are always left.
#![expect(unsafe_code, reason = "close_range and fcntl on bare numbers")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use super::rlimit;

/// The way to mark every descriptor from 3 on close-on-exec, found out in the parent, used in the child.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CloseOnExec {
    /// `close_range(2)` does it in one call.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Range,
    /// Each number up to this one.
    Each(libc::c_int),
}

impl CloseOnExec {
    /// Finds out. Without `close_range(2)` the answer holds for the descriptors of now, with some room for what other
    /// threads open meanwhile.
    pub(crate) fn find() -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // A range where nothing is open: only asks whether the call and the flag are known (Linux 5.11).
        if close_range(libc::c_uint::MAX) == 0 {
            return Self::Range;
        }
        const ROOM: libc::c_int = 256;
        let limit = rlimit::open_files().and_then(|limit| libc::c_int::try_from(limit).ok()).unwrap_or(65_536);
        Self::Each(highest().map_or(limit.min(65_536), |highest| highest.saturating_add(ROOM)))
    }

    /// Marks them. Safe between fork and exec.
    pub(crate) fn mark(self) {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Self::Range => {
                close_range(3);
            }
            Self::Each(last) => {
                for fd in 3..=last {
                    // SAFETY: F_SETFD changes a flag only; numbers that are not open are refused. FD_CLOEXEC is the
                    // only flag there is.
                    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
                }
            }
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn close_range(first: libc::c_uint) -> libc::c_long {
    // SAFETY: with this flag the call closes nothing and only marks descriptors; async-signal-safe, as any bare system
    // call.
    unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) }
}

/// The highest open descriptor, where the system lists them.
fn highest() -> Option<libc::c_int> {
    let directory = if cfg!(target_os = "macos") { "/dev/fd" } else { "/proc/self/fd" };
    let entries = std::fs::read_dir(directory).ok()?;
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).max()
}

/// Marks every descriptor that this process has inherited, from 3 on, close-on-exec. For a daemon's first steps.
pub fn mark_inherited() {
    CloseOnExec::find().mark();
}

/// With no more descriptors than this, each one that is spared is a part of a program.
const FEW: u64 = 256;

/// How many are to be left free of programs where the limit is so low that programs take all others: for clients, and one
/// for whatever else is opened for a moment. `None` where it is not.
fn spared_of(limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| *limit <= FEW).map(|limit| (limit / 8).saturating_sub(2).max(4))
}

/// How many descriptors programs leave for others, if this process may open few files only. `None` if descriptors are not
/// that scarce.
pub fn spared() -> Option<u64> {
    spared_of(rlimit::open_files())
}

/// How many of those that are spared are in use.
static LENT: AtomicU64 = AtomicU64::new(0);

/// Descriptors that are in use by whom they were [spared] for, until this is dropped: programs need not leave them free
/// once more.
#[derive(Debug)]
#[must_use]
pub struct Lent(u64);

impl Drop for Lent {
    fn drop(&mut self) {
        LENT.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// To be called by whoever opens so many descriptors for a client.
pub fn lend(count: u64) -> Lent {
    LENT.fetch_add(count, Ordering::Relaxed);
    Lent(count)
}

/// What is [spared] less what is [lent](lend).
pub(crate) fn spared_still() -> Option<u64> {
    spared().map(|spared| spared.saturating_sub(LENT.load(Ordering::Relaxed)))
}

/// Whether this process may open few files only.
pub(crate) fn are_few() -> bool {
    spared().is_some()
}

/// How many descriptors are open; `None` where the system does not tell.
pub fn open_count() -> Option<u64> {
    let directory = std::fs::metadata("/proc/self/fd").ok()?;
    match directory.len() {
        // Before Linux 6.2 the size says nothing; the one that reads the list is in it.
        0 => std::fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().saturating_sub(1) as u64),
        count => Some(count),
    }
}

/// How many more descriptors this process may open; `None` where the system does not tell or sets no limit.
pub fn free_count() -> Option<u64> {
    Some(rlimit::open_files()?.saturating_sub(open_count()?))
}

/// True if this many more descriptors can be opened now.
pub fn has_room(count: u64) -> bool {
    match free_count() {
        Some(free) => free >= count,
        None => can_open(count),
    }
}

/// Tries it, for systems that do not count.
fn can_open(count: u64) -> bool {
    let Ok(first) = File::open("/dev/null") else { return false };
    let held: io::Result<Vec<OwnedFd>> = (1..count).map(|_| first.as_fd().try_clone_to_owned()).collect();
    held.is_ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::fd::{AsRawFd, FromRawFd};

    use super::*;
    use crate::sys::alone;

    #[test]
    fn the_fewer_there_are_the_fewer_are_spared() {
        for (limit, spared) in [
            (Some(0), Some(4)),
            (Some(48), Some(4)),
            (Some(64), Some(6)),
            (Some(96), Some(10)),
            (Some(128), Some(14)),
            (Some(256), Some(30)),
            (Some(257), None),
            (Some(1024), None),
            (None, None),
        ] {
            assert_eq!(spared_of(limit), spared, "{limit:?}");
        }
    }

    #[test]
    fn what_is_lent_is_not_spared_once_more() {
        alone::run("sys::fds::tests::lending_in_a_process", &[]);
    }

    #[test]
    #[ignore = "run by what_is_lent_is_not_spared_once_more"]
    fn lending_in_a_process() {
        use rustix::process::{Resource, Rlimit, setrlimit};
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).unwrap();
        let [first, rest] = [2, 10].map(|count| {
            let lent = lend(count);
            (spared_still(), lent)
        });
        assert_eq!((first.0, rest.0), (Some(4), Some(0)));
        drop(rest);
        assert_eq!((spared(), spared_still()), (Some(6), Some(4)));
        drop(first);
        assert_eq!(spared_still(), spared());
    }

    #[test]
    fn room_is_counted() {
        alone::run("sys::fds::tests::in_a_process", &[]);
    }

    #[test]
    #[ignore = "run by room_is_counted"]
    fn in_a_process() {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let (before, free) = (open_count().unwrap(), free_count().unwrap());
        let file = File::open("/dev/null").unwrap();
        assert_eq!((open_count(), free_count()), (Some(before + 1), Some(free - 1)));
        setrlimit(Resource::Nofile, Rlimit { current: Some(before + 11), maximum: Some(before + 11) }).unwrap();
        for count in 1..30 {
            assert_eq!(has_room(count), count <= 10, "{count}");
        }
        // Descriptors above the limit that we inherited count, though they take no room.
        assert!(can_open(10) && !can_open(before + 12));
        drop(file);
    }

    #[test]
    fn both_ways_mark() {
        alone::run("sys::fds::tests::marking_in_a_process", &[]);
    }

    #[test]
    #[ignore = "run by both_ways_mark"]
    fn marking_in_a_process() {
        let null = File::open("/dev/null").unwrap();
        for way in [CloseOnExec::find(), CloseOnExec::Each(highest().unwrap() + 256)] {
            // SAFETY: a plain duplicate, owned from here on.
            let open = unsafe { OwnedFd::from_raw_fd(libc::fcntl(null.as_raw_fd(), libc::F_DUPFD, 200)) };
            // SAFETY: F_GETFD only asks.
            let flag = || unsafe { libc::fcntl(open.as_raw_fd(), libc::F_GETFD) };
            assert_eq!(flag(), 0);
            way.mark();
            assert_eq!(flag(), libc::FD_CLOEXEC, "{way:?}");
        }
    }
}

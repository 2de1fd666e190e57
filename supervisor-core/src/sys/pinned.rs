//! A process that is not our child, held so that it cannot be mistaken for another (`pidfd_open(2)`, `proc(5)`).
//!
//! A pid alone says nothing about a process that somebody else reaps: it may have been given out again. Pid, moment of
//! birth and boot together name one process for ever. Whom to signal, and why, is not decided here. Where the kernel has
//! no such descriptors (Linux before 5.3, other systems) nothing can be held.
#![cfg_attr(
    any(target_os = "linux", target_os = "android"),
    expect(unsafe_code, reason = "safe wrappers of pidfd_send_signal take named signals only, not real-time ones")
)]

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::process::send_signal;

/// The name of this boot of the system; `None` where it has none.
pub fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let text = text.trim();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    plain.then(|| text.to_owned())
}

/// When a process was born, in clock ticks since the boot; `None` if there is none that runs (a zombie does not), or where
/// the system does not tell.
pub fn birth(pid: u32) -> Option<u64> {
    born(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// What `/proc/PID/stat` says.
fn born(stat: &[u8]) -> Option<u64> {
    // The second field is a name in brackets that may hold anything, brackets, blanks and halves of characters too
    // (`proc(5)`).
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// The present moment as [`birth`] tells it; `None` where the system has no such clock.
///
/// A process that is started between two equal moments is born at that moment, and nobody need look at it to know.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn moment() -> Option<u64> {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::Boottime);
    let (seconds, nanoseconds) = (u64::try_from(now.tv_sec).ok()?, u64::try_from(now.tv_nsec).ok()?);
    let a_second = rustix::param::clock_ticks_per_second();
    let a_tick = 1_000_000_000_u64.checked_div(a_second)?;
    // As the kernel counts: whole ticks.
    seconds.checked_mul(a_second)?.checked_add(nanoseconds.checked_div(a_tick)?)
}

/// Births are not told here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn moment() -> Option<u64> {
    None
}

/// A process that is held. Dropping it lets go of it.
#[derive(Debug)]
pub struct Pinned {
    pid: u32,
    fd: OwnedFd,
}

impl Pinned {
    /// Takes hold of the process with this pid if it is the one that was born at `birth`; `None` if that one is gone.
    ///
    /// # Errors
    /// What the system says; `Unsupported` where it cannot hold a process.
    pub fn take(pid: u32, birth: u64) -> io::Result<Option<Self>> {
        let Some(fd) = open(pid)? else { return Ok(None) };
        // Whoever has the pid now is held already and cannot be exchanged any more.
        Ok((self::birth(pid) == Some(birth)).then_some(Self { pid, fd }))
    }

    /// Sends a signal to the process, or to the whole process group that it leads.
    ///
    /// # Errors
    /// ESRCH once it has been reaped; what the system says.
    pub fn signal(&self, signal: i32, whole_group: bool) -> io::Result<()> {
        if whole_group {
            // The group keeps the number of its leader from being given out, as long as the leader is there.
            send(&self.fd, 0)?;
            return send_signal(self.pid, signal, true);
        }
        send(&self.fd, signal)
    }
}

/// True if the process that this descriptor holds has ended, reaped or not.
pub(crate) fn is_over(held: &impl AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    poll(&mut [PollFd::new(held, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
        .is_ok_and(|ready| ready > 0)
}

/// True if our child `pid`, which nobody has reaped, has ended; also if no descriptor is left to find out. False where the
/// system cannot hold a process.
pub(crate) fn has_ended(pid: u32) -> bool {
    match open(pid) {
        Ok(held) => held.is_some_and(|held| is_over(&held)),
        Err(error) => matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)),
    }
}

/// Becomes readable when the process has ended.
impl AsFd for Pinned {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn open(pid: u32) -> io::Result<Option<OwnedFd>> {
    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw) else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => Ok(Some(fd)),
        // EINVAL: the number is that of a thread now.
        Err(Errno::SRCH | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn open(_pid: u32) -> io::Result<Option<OwnedFd>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn send(fd: &OwnedFd, signal: i32) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the descriptor is open; a null siginfo is allowed, and the call touches no memory of ours.
    match unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), signal, none, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn send(_fd: &OwnedFd, _signal: i32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command};

    use super::*;
    use crate::sys::alone;

    /// Not so on old kernels, nor under valgrind.
    fn can_hold() -> bool {
        let can = open(std::process::id()).is_ok();
        if !can {
            alone::say("skipped: this system cannot hold a process");
        }
        can
    }

    fn sleeper() -> Child {
        Command::new("/bin/sleep").arg("600").process_group(0).spawn().unwrap()
    }

    #[test]
    fn a_process_is_held_by_pid_and_birth_together() {
        if !can_hold() {
            return;
        }
        let mut child = sleeper();
        let born = birth(child.id()).unwrap();
        assert!(Pinned::take(child.id(), born + 1).unwrap().is_none(), "another one with this pid");
        let held = Pinned::take(child.id(), born).unwrap().unwrap();
        held.signal(0, false).unwrap();
        held.signal(libc::SIGTERM, true).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
        for whole_group in [false, true] {
            let error = held.signal(libc::SIGKILL, whole_group).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
        }
        assert!(Pinned::take(child.id(), born).unwrap().is_none());
    }

    #[test]
    fn whoever_is_started_between_two_moments_is_born_then() {
        for _ in 0..20 {
            let before = moment().unwrap();
            let mut child = sleeper();
            let after = moment().unwrap();
            let born = birth(child.id()).unwrap();
            assert!((before..=after).contains(&born), "{before} {born} {after}");
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    #[test]
    fn a_zombie_is_gone_and_nobody_is_everybody() {
        if !can_hold() {
            return;
        }
        let mut child = sleeper();
        let born = birth(child.id()).unwrap();
        child.kill().unwrap();
        while birth(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(Pinned::take(child.id(), born).unwrap().is_none());
        child.wait().unwrap();
        for pid in [0, 1, u32::MAX] {
            assert!(Pinned::take(pid, 1).unwrap().is_none(), "{pid}");
        }
    }

    #[test]
    fn a_name_may_hold_anything() {
        let fields = "S 1 2 2 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        for name in [&b"sleep"[..], b"a) Z (b", b" ", b"aaaaaaaaaaaaaa\xc3", b"\xff\n)"] {
            let line = [b"42 (", name, b") ", fields.as_bytes()].concat();
            assert_eq!(born(&line), Some(4711), "{name:?}");
        }
        for broken in [&b""[..], b"42 (a", b"42 (a)", b"42 (a) Z 1", b"42 (a) S 1", b"42 (a) \xff"] {
            assert_eq!(born(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_boot_has_one_name() {
        assert_eq!(boot_id(), boot_id());
        assert!(boot_id().is_some_and(|name| name.len() >= 32));
    }
}

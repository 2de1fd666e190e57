//! Signals to processes, and the reaping of children, by number (`kill(2)`, `waitpid(2)`).
//!
//! Knows nothing of who has been reaped: whoever calls this must know that the pid is still the one meant.
#![expect(unsafe_code, reason = "safe wrappers of kill and waitpid know neither real-time signals nor raw statuses")]

use std::io;
use std::os::unix::process::ExitStatusExt;

use crate::domain::exit::ExitStatus;

/// Sends `signal` to a process, or to the whole process group that it leads. Signal 0 only asks whether it could be
/// sent.
///
/// # Errors
/// What `kill(2)` says; ESRCH for a number that is no process of its own (0, 1 and what does not fit a pid), so that
/// nothing is ever sent to our own group or to everybody.
pub fn send_signal(pid: u32, signal: i32, whole_group: bool) -> io::Result<()> {
    let pid = match libc::pid_t::try_from(pid) {
        Ok(pid) if pid > 1 => pid,
        _ => return Err(io::Error::from_raw_os_error(libc::ESRCH)),
    };
    // SAFETY: kill(2) takes two integers and touches no memory of ours.
    match unsafe { libc::kill(if whole_group { -pid } else { pid }, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Reaps the child `pid` if it has ended; `options` as for `waitpid(2)`. With `WNOHANG` the answer is `None` while it runs,
/// without it this blocks until the child has ended.
///
/// # Errors
/// ECHILD if it is no child of ours, or was reaped already.
pub(crate) fn wait(pid: u32, options: libc::c_int) -> io::Result<Option<ExitStatus>> {
    let pid = match libc::pid_t::try_from(pid) {
        Ok(pid) if pid > 1 => pid,
        _ => return Err(io::Error::from_raw_os_error(libc::ECHILD)),
    };
    let mut status = 0;
    loop {
        // SAFETY: the pointer is to a live integer.
        match unsafe { libc::waitpid(pid, &raw mut status, options) } {
            0 => return Ok(None),
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            _ => return Ok(Some(std::process::ExitStatus::from_raw(status).into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_everybody() {
        for pid in [0, 1, u32::MAX] {
            for whole_group in [false, true] {
                let error = send_signal(pid, 0, whole_group).expect_err("not a process to signal");
                assert_eq!(error.raw_os_error(), Some(libc::ESRCH), "{pid}");
            }
        }
        assert!(send_signal(std::process::id(), 0, false).is_ok());
    }
}

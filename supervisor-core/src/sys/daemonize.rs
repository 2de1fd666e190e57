//! Leaves the terminal (`daemon(7)`): fork once, a session of one's own, `/dev/null` on 0, 1 and 2.
//!
//! Does not change the directory or the umask: the daemon does, and says so in its log.
#![expect(unsafe_code, reason = "fork")]

use std::fs::OpenOptions;
use std::io;

use rustix::fs::Mode;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// Puts the calling process into the background. Returns in the child; the parent exits with status 0 at once.
///
/// To be called before anything starts a thread: threads do not survive a fork.
///
/// # Errors
/// When `/dev/null` cannot be opened or the fork fails (nothing has happened then), or when there are threads already.
pub fn into_background() -> io::Result<()> {
    if threads().is_some_and(|count| count > 1) {
        return Err(io::Error::other("cannot go into the background: there are threads already"));
    }
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    // SAFETY: this process has one thread (checked above where the system can tell), so the child is a full copy, with no
    // lock held by anybody else.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {}
        // SAFETY: ends the parent without running exit handlers, which belong to the child now.
        _ => unsafe { libc::_exit(0) },
    }
    rustix::process::setsid()?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Sets the umask of this process; the former one is returned. Process-wide: for daemons, before there are threads.
pub fn set_umask(mask: u32) -> u32 {
    rustix::process::umask(Mode::from_bits_truncate(mask as rustix::fs::RawMode)).bits()
}

/// How many threads this process has, where the system tells.
fn threads() -> Option<usize> {
    std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}

// Going into the background is tested in `tests/background.rs`, whose process has one thread.
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn threads_are_refused() {
        let (wait, over) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || over.recv());
        assert!(into_background().unwrap_err().to_string().contains("threads already"));
        drop(wait);
        thread.join().unwrap().unwrap_err();
    }
}

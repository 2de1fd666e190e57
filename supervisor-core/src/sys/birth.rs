//! A place where a child writes down its pid before it executes anything.
//!
//! async-process can lose a child: when it has been started but cannot be watched (no descriptor left for its pidfd),
//! the call fails and the program would run on unknown. With the note the parent finds it and ends it.
#![expect(unsafe_code, reason = "memory that parent and child share")]

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use super::process::wait;

/// One page shared with children that are forked while it lives; holds a pid.
#[derive(Debug)]
pub struct BirthNote {
    page: NonNull<AtomicI32>,
}

// SAFETY: the page is only ever used as one `AtomicI32`, which may be shared and sent.
unsafe impl Send for BirthNote {}
// SAFETY: as above.
unsafe impl Sync for BirthNote {}

const SIZE: usize = size_of::<AtomicI32>();

impl BirthNote {
    /// An empty note.
    ///
    /// # Errors
    /// ENOMEM and the like.
    pub fn new() -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping at a place of the kernel's choice touches nothing that exists.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), SIZE, access, kind, -1, 0) };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let page = NonNull::new(page.cast()).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        Ok(Self { page })
    }

    fn cell(&self) -> &AtomicI32 {
        // SAFETY: the page is mapped, zeroed, aligned and large enough for as long as `self` lives.
        unsafe { self.page.as_ref() }
    }

    /// Writes down the pid of the calling process. Safe between fork and exec.
    pub(crate) fn sign(&self) {
        // SAFETY: getpid(2) is async-signal-safe and cannot fail.
        self.cell().store(unsafe { libc::getpid() }, Ordering::SeqCst);
    }

    /// Somebody else waits for the child from now on.
    pub fn clear(&self) {
        self.cell().store(0, Ordering::SeqCst);
    }

    /// The child that signed, if one did and the note was not cleared: kills and reaps it. Only for a child that nobody else waits for.
    pub fn end_child(&self) {
        let pid = self.cell().swap(0, Ordering::SeqCst);
        if pid <= 1 {
            return;
        }
        // SAFETY: plain system calls on integers; the child is ours and not reaped yet, so the pid is still its own.
        unsafe {
            libc::kill(-pid, libc::SIGKILL);
            libc::kill(pid, libc::SIGKILL);
        }
        drop(u32::try_from(pid).map(|pid| wait(pid, 0)));
    }
}

impl Drop for BirthNote {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, of this size, and no reference to it is left.
        unsafe { libc::munmap(self.page.as_ptr().cast(), SIZE) };
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::sync::Arc;

    use super::*;
    use crate::sys::process::send_signal;

    fn child_that_signs(note: &Arc<BirthNote>) -> std::process::Child {
        let theirs = Arc::clone(note);
        let mut command = Command::new("/bin/sleep");
        command.arg("600").process_group(0);
        // SAFETY: signing is an atomic store and a bare system call.
        unsafe {
            command.pre_exec(move || {
                theirs.sign();
                Ok(())
            })
        };
        command.spawn().unwrap()
    }

    #[test]
    fn a_lost_child_is_ended_and_reaped() {
        let note = Arc::new(BirthNote::new().unwrap());
        note.end_child();
        let mut child = child_that_signs(&note);
        note.end_child();
        assert_eq!(send_signal(child.id(), 0, false).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        assert_eq!(child.try_wait().unwrap_err().raw_os_error(), Some(libc::ECHILD));
    }

    #[test]
    fn a_child_that_was_taken_over_lives() {
        let note = Arc::new(BirthNote::new().unwrap());
        let mut child = child_that_signs(&note);
        note.clear();
        note.end_child();
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

//! The end of a child that was started by [`vfork`]: awaited through its pidfd, reaped by whoever awaits it.
//!
//! What async-process does for the children that it starts. A child whose end nobody awaits any more is reaped all the
//! same, by a thread that is there from then on. One that has ended but is held by a tracer (`ptrace(2)`) can be reaped when
//! the tracer has let go of it, of which the pidfd tells nothing: it is asked for from time to time.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::thread;

use async_executor::Executor;
use async_io::{Async, Timer};

use super::signaller::PAUSE;
use crate::domain::exit::ExitStatus;
use crate::sys::pinned;
use crate::sys::process::send_signal;
use crate::sys::vfork::{self, Unreaped};

/// A child that will be reaped, whatever becomes of this.
pub(crate) struct Vforked {
    pid: u32,
    /// None once it is reaped, or in the hands of others.
    pidfd: Option<Async<OwnedFd>>,
}

impl Vforked {
    /// Takes over a child that has just been started.
    ///
    /// # Errors
    /// It cannot be watched; it is ended then.
    pub(crate) fn new(child: Unreaped) -> io::Result<Self> {
        let Unreaped { pid, pidfd } = child;
        // It never blocks: nothing is ever read from it.
        match Async::new_nonblocking(pidfd) {
            Ok(pidfd) => Ok(Self { pid, pidfd: Some(pidfd) }),
            Err(error) => {
                // Nobody has reaped it, so the pid is its own. It has a moment's work at most before the signal.
                let _ = send_signal(pid, libc::SIGKILL, true);
                let _ = send_signal(pid, libc::SIGKILL, false);
                vfork::reap_ending(pid);
                Err(error)
            }
        }
    }

    /// Its pid.
    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Resolves with its end.
    pub(crate) async fn end(mut self) -> ExitStatus {
        while let Some(pidfd) = &self.pidfd {
            // Nobody else waits for it, which spares a list of those who do; and what hardly ever happens is in a box.
            let failed = poll_fn(|context| pidfd.poll_readable(context)).await.is_err();
            if let Some(status) = vfork::reap(self.pid) {
                self.pidfd = None;
                return status;
            }
            let is_over = pinned::is_over(pidfd);
            // It may have ended since it was asked.
            if is_over && let Some(status) = vfork::reap(self.pid) {
                self.pidfd = None;
                return status;
            }
            if failed || is_over {
                Box::pin(Timer::after(PAUSE)).await;
            }
        }
        ExitStatus::Exited(-1)
    }
}

impl Drop for Vforked {
    fn drop(&mut self) {
        static ABANDONED: Executor<'static> = Executor::new();
        static REAPER: OnceLock<()> = OnceLock::new();
        let Some(pidfd) = self.pidfd.take() else { return };
        ABANDONED.spawn(Self { pid: self.pid, pidfd: Some(pidfd) }.end()).detach();
        REAPER.get_or_init(|| {
            let reap = || async_io::block_on(ABANDONED.run(std::future::pending::<()>()));
            // Without a thread they stay zombies until this process ends.
            let _ = thread::Builder::new().name("supervisor-reap".to_owned()).spawn(reap);
        });
    }
}

//! Whether the wall clock has been set (`timerfd_create(2)`: `TFD_TIMER_CANCEL_ON_SET`). A machine that wakes up sets it, too.
//!
//! Linux only; elsewhere nobody is told. What follows from it is not decided here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Becomes readable when the wall clock has been set.
#[derive(Debug)]
pub(crate) struct WallClock(OwnedFd);

impl WallClock {
    /// Watches from now on.
    ///
    /// # Errors
    /// EMFILE and the like; ENOSYS where there is no way to watch it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn new() -> io::Result<Self> {
        use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

        let timer =
            rustix::time::timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        // A timer that never ends: all that can happen to it is that the clock is set.
        let never = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: i64::MAX, tv_nsec: 0 },
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        rustix::time::timerfd_settime(&timer, flags, &never)?;
        Ok(Self(timer))
    }

    /// Watches from now on.
    ///
    /// # Errors
    /// ENOSYS: there is no way to watch it.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn new() -> io::Result<Self> {
        Err(rustix::io::Errno::NOSYS.into())
    }

    /// True if it has been set since the last look.
    pub(crate) fn was_set(&self) -> bool {
        matches!(rustix::io::read(&self.0, &mut [0_u8; 8]), Err(rustix::io::Errno::CANCELED))
    }
}

impl AsFd for WallClock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use async_io::{Async, Timer, block_on};
    use futures_lite::future;
    use rustix::io::Errno;
    use rustix::time::{ClockId, clock_gettime, clock_settime};

    use super::*;
    use crate::sys::alone;

    #[test]
    fn nothing_is_told_as_long_as_nobody_sets_it() {
        assert!(!WallClock::new().unwrap().was_set());
    }

    /// Sets the clock of the machine to what it is: whoever keeps it true by the network begins anew.
    #[test]
    #[ignore = "sets the clock of the machine; needs root"]
    fn each_time_that_it_is_set_is_told_once() {
        let clock = Async::new_nonblocking(WallClock::new().unwrap()).unwrap();
        let readable = |time| {
            let timeout = async {
                Timer::after(time).await;
                false
            };
            block_on(future::or(async { clock.readable().await.is_ok() }, timeout))
        };
        for _ in 0..3 {
            match clock_settime(ClockId::Realtime, clock_gettime(ClockId::Realtime)) {
                Err(Errno::PERM) => return alone::say("skipped: the clock may not be set here"),
                set => set.unwrap(),
            }
            assert!(readable(Duration::from_secs(10)));
            assert!(clock.get_ref().was_set());
            assert!(!clock.get_ref().was_set());
            assert!(!readable(Duration::from_millis(20)));
        }
    }
}

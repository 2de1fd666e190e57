//! The clock, as a trait: the real one here, a simulated one in the tests.
//!
//! The only place that reads the time.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_io::Async;

use crate::domain::moment::Moment;
use crate::sys::wall_clock::WallClock;

/// Tells the time and waits for it.
pub(crate) trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Moment;

    /// Resolves when the monotonic clock has reached `deadline`.
    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Ready if the wall clock may have been set, or the machine may have been asleep, since it was last ready; so it is the
    /// first time. One task waits for it at a time.
    fn poll_set(&self, context: &mut Context<'_>) -> Poll<()>;
}

/// The system's clocks. The monotonic part counts from the creation of this value.
#[derive(Debug)]
pub(crate) struct SystemClock {
    origin: Instant,
    /// There once somebody waits for it to be set; `None` inside if nobody can be told.
    wall: OnceLock<Option<Async<WallClock>>>,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), wall: OnceLock::new() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    fn now(&self) -> Moment {
        Moment {
            monotonic: self.origin.elapsed(),
            wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self.origin.checked_add(deadline) {
            Some(at) => Box::pin(async move {
                async_io::Timer::at(at).await;
            }),
            None => Box::pin(std::future::pending()),
        }
    }

    fn poll_set(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut new = false;
        let wall = self.wall.get_or_init(|| {
            new = true;
            // Without it only what is planned by wall time comes late after a jump.
            WallClock::new().and_then(Async::new_nonblocking).ok()
        });
        if new {
            return Poll::Ready(());
        }
        let Some(wall) = wall else { return Poll::Pending };
        loop {
            match ready!(wall.poll_readable(context)) {
                Ok(()) if wall.get_ref().was_set() => return Poll::Ready(()),
                Ok(()) => {}
                Err(_) => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn the_clock_may_have_been_set_before_anybody_asks() {
        let clock = SystemClock::new();
        let mut context = Context::from_waker(Waker::noop());
        assert!(clock.poll_set(&mut context).is_ready());
        assert!(clock.poll_set(&mut context).is_pending());
        let is_told = clock.wall.get().is_some_and(Option::is_some);
        assert_eq!(is_told, cfg!(any(target_os = "linux", target_os = "android")));
    }
}

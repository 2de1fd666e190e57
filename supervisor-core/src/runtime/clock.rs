//! The clock, as a trait: the real one here, a simulated one in the tests.
//!
//! The only place that reads the time.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::moment::Moment;

/// Tells the time and waits for it.
pub(crate) trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Moment;

    /// Resolves when the monotonic clock has reached `deadline`.
    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The system's clocks. The monotonic part counts from the creation of this value.
#[derive(Debug, Clone)]
pub(crate) struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now() }
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
}

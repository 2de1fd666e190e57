//! Points in time: a monotonic part for decisions, a wall part for reports.
//!
//! Only the runtime reads a clock; everything below is given a [`Moment`].

use std::time::Duration;

/// One point in time, seen on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Since an arbitrary origin; never goes back. Every decision is made on this.
    pub monotonic: Duration,
    /// Since the Unix epoch; may jump. Only reported, never decided on.
    pub wall: Duration,
}

impl Moment {
    /// The moment this much later on both clocks.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self { monotonic: self.monotonic.saturating_add(by), wall: self.wall.saturating_add(by) }
    }

    /// Whole seconds since the Unix epoch.
    pub const fn unix_seconds(self) -> u64 {
        self.wall.as_secs()
    }
}

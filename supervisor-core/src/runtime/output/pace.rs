//! When output is let gather: a flood of small writes is read in fewer, larger pieces. Only that; nothing is read or waited
//! for here.

use std::time::{Duration, Instant};

/// A turn that brings less than this, sooner than [`GATHER`] after the one before, is one of a flood of small writes.
const LITTLE: usize = 4 << 10;

/// After so many such turns in a row, output is let gather for a moment, which costs a program nothing (its pipe has
/// room) and the lane a fraction of the wake-ups.
const LITTLE_TURNS: u32 = 16;

/// It goes on as long as this is not reached: a pipe that fills while output gathers would keep the program waiting.
const GATHERED: usize = 32 << 10;

/// For how long: far less than anybody who follows a log can see.
pub(super) const GATHER: Duration = Duration::from_millis(1);

/// Decides when output is let gather.
pub(super) struct Pace {
    /// False for what somebody waits for: the answer of a listener lets the next event go.
    may_gather: bool,
    last: Instant,
    little_turns: u32,
}

impl Pace {
    pub(super) fn new(may_gather: bool) -> Self {
        Self { may_gather, last: Instant::now(), little_turns: 0 }
    }

    /// After a turn that brought so much: true if output shall gather before the next.
    pub(super) fn after(&mut self, sum: usize) -> bool {
        let now = Instant::now();
        let little = if self.little_turns < LITTLE_TURNS { LITTLE } else { GATHERED };
        let soon = now < self.last + GATHER;
        self.little_turns =
            if self.may_gather && sum < little && soon { self.little_turns.saturating_add(1) } else { 0 };
        self.last = now;
        self.little_turns >= LITTLE_TURNS
    }

    /// Output has gathered.
    pub(super) fn waited(&mut self) {
        self.last = Instant::now();
    }
}

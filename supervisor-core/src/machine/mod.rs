//! Floor 2: pure machines: (state, input, moment) to effects.
//!
//! No clock, no file, no runtime: each can be run through years in a test.

pub(crate) mod ansi;
pub(crate) mod bus;
pub(crate) mod capture;
pub(crate) mod pool;
pub(crate) mod process;
pub(crate) mod protocol;
pub(crate) mod tick;

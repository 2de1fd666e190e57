//! Floor 2: pure machines: (state, input, moment) to effects.
//!
//! No clock, no file, no runtime: each can be run through years in a test.

pub(crate) mod process;

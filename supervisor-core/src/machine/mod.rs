//! Floor 2: pure machines: (state, input, moment) to effects.

pub(crate) mod ansi;
pub(crate) mod capture;

//! Floor 2: pure machines: (state, input, moment) to effects.

pub(crate) mod ansi;
pub(crate) mod bus;
pub(crate) mod capture;
pub(crate) mod pool;
pub(crate) mod protocol;
pub(crate) mod tick;

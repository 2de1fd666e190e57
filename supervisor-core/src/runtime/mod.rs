//! Floor 4: the loop, the children, the bus: the only code that owns state and does things.

pub(crate) mod spawn;

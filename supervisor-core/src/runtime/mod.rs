//! Floor 4: the loop, the children, the bus: the only code that owns state and does things.

pub(crate) mod lane;
pub(crate) mod output;
pub(crate) mod sink;
pub(crate) mod spawn;

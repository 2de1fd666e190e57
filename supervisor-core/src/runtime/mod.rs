//! Floor 4: the loop, the children, the bus: the only code that owns state and does things.

pub(crate) mod command;
pub(crate) mod environment;
pub(crate) mod signaller;
pub(crate) mod spawn;
pub(crate) mod spawner;

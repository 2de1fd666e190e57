//! Floor 1: the texts of events.

pub(crate) mod envelope;
pub(crate) mod occurrence;
pub(crate) mod payload;

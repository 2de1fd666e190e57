//! Floor 1: log files on disk.

pub mod follow;
pub(crate) mod read;

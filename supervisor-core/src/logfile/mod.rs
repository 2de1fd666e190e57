//! Floor 1: log files on disk: written, rotated, cleared, read, followed; and the system log.
//!
//! Plain bytes and paths: nothing here knows processes, requests or the supervisor. Everything but [`follow`] is
//! synchronous and may block; who calls it chooses the thread.

pub mod auto;
pub mod follow;
pub mod loss;
pub mod open;
pub mod read;
pub(crate) mod resting;
pub mod rotating;
pub mod syslog;

//! Floor 1: the kernel. Operating-system helpers for this crate and for daemons built on it.
//!
//! The only module with `unsafe`; each block carries its proof. Nothing here decides what a supervisor does.

pub(crate) mod announcement;
pub mod birth;
pub mod caught;
pub(crate) mod child;
pub mod daemonize;
pub mod errno;
pub mod fds;
pub mod host;
pub mod memory;
pub mod open;
pub mod orphan;
pub mod pinned;
pub(crate) mod poller;
pub mod privilege;
pub mod process;
pub mod rlimit;
pub mod signals;
pub mod socket;
pub mod time;
pub mod trust;
pub mod usage;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) mod vfork;
pub(crate) mod wall_clock;

#[cfg(test)]
pub(crate) mod alone;

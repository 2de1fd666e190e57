//! Faults, injected for real into the built programs: what can go wrong around a supervisor, and what ours does about it.
//!
//! One file for each kind of fault. Tests that need root, a private namespace or a tool say so and are skipped elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::disallowed_methods, reason = "a test")]
#![cfg(target_os = "linux")]

mod cgroups;
mod child;
mod clock;
mod daemon;
mod disk;
mod frozen;
#[path = "../lab/mod.rs"]
mod lab;
mod leftovers;
mod logs;
mod pid1;
mod power;
mod resources;
mod signals;
mod soak;

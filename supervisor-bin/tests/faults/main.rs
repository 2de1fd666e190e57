//! Faults, injected for real into the built programs: what can go wrong around a supervisor, and what ours does about it.
//!
//! One file for each kind of fault. Tests that need root, a private namespace or a tool say so and are skipped elsewhere.
//! `SUPERVISOR_PROGRAMS` names another directory of programs to put to the test, such as `target/release`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::disallowed_methods, reason = "a test")]
#![cfg(target_os = "linux")]

mod child;
mod clock;
mod daemon;
mod disk;
mod frozen;
mod harness;
mod leftovers;
mod logs;
mod pid1;
mod resources;
mod signals;
mod soak;

//! Beside the original: our daemon and our supervisorctl, each with the original's counterpart and with Python's own client.
//!
//! Runs where `SUPERVISOR_ORIGINAL` names the directory that holds the original's programs; passes without it, and says so.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods, reason = "a test")]

mod against;
mod calls;
mod crossed;
#[path = "../lab/mod.rs"]
mod lab;
mod typed;
mod words;

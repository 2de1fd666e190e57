//! Event listeners under our daemon: a storm of events, listeners that misbehave or call back, and superlance's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods, reason = "a test")]

mod child;
mod faults;
#[path = "../lab/mod.rs"]
mod lab;
mod mail;
mod storm;
mod superlance;
mod web;

use lab::Lab;

/// What the daemon is to tell of its listeners: everything.
const KEYS: &str = "logfile_maxbytes=0\nloglevel=debug";

/// A lab with these sections whose daemon runs and tells of everything.
fn start(sections: &str) -> Lab {
    Lab::running_with(KEYS, sections)
}

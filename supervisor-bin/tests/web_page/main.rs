//! The web page of a running daemon, asked over its socket: what it refuses, what it escapes, what it tells while things
//! change.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

#[path = "../lab/mod.rs"]
mod lab;
mod live;
mod page;
mod safety;
mod update;

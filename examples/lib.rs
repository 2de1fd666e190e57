//! The examples beside this file are runnable: `cargo run -p supervisor-examples --example embed`.

/// The code in the guide is compiled, too.
#[cfg(doctest)]
#[doc = include_str!("../docs/guides/events.md")]
mod events_guide {}

//! The examples beside this file are runnable: `cargo run -p supervisor-examples --example embed`.

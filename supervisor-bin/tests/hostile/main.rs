//! Hostile clients, pages of other sites, configurations, links and programs, against the built daemon: each promise with
//! the fault that would break it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::disallowed_methods, reason = "a test")]

mod authentication;
mod configuration;
mod http;
#[path = "../lab/mod.rs"]
mod lab;
mod limits;
mod privileges;
mod reload;
mod web;

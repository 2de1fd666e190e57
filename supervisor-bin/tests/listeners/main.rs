//! Event listeners under our daemon: a storm of events, listeners that misbehave or call back, and superlance's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods, reason = "a test")]

mod child;
mod faults;
mod lab;
mod mail;
mod storm;
mod superlance;
mod web;

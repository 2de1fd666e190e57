//! The programs: `supervisord`, `supervisorctl`, `pidproxy` and `echo_supervisord_conf`.
//!
//! Thin consumers of the public API of `supervisor-core` and `supervisor-rpc`. Each program in `src/bin/` calls one
//! `main` of this crate.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start processes and look at the clock"))]

pub mod ctl;
pub mod daemon;
pub mod getopt;
pub mod pidproxy;
pub mod sample;

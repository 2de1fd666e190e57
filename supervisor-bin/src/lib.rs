//! The programs of the supervisor: thin consumers of `supervisor-core` and `supervisor-rpc`.
//!
//! `daemon` is supervisord, `web` its page, `ctl` is supervisorctl, `pidproxy`, `sample` and `password` are the small ones;
//! `getopt` reads the command lines of all of them from one table each, and `manual` makes their pages and completions.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start processes and look at the clock"))]

pub mod ctl;
pub mod daemon;
pub mod getopt;
pub mod manual;
pub mod password;
pub mod pidproxy;
pub mod sample;
mod web;

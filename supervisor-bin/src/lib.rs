//! The programs of the supervisor: thin consumers of `supervisor-core` and `supervisor-rpc`.
//!
//! A daemon of one's own with more RPC namespaces is as long as this; `[rpcinterface:x]` chooses them by name:
//!
//! ```no_run
//! use supervisor_bin::daemon::{self, Factories};
//!
//! fn main() -> std::process::ExitCode {
//!     let mut factories = Factories::default();
//!     factories.register("mine", |_handle, _settings| Err(supervisor_rpc::namespace::FactoryError::Reserved));
//!     daemon::run(std::env::args_os(), &factories)
//! }
//! ```
//!
//! `ctl` takes commands in the same way. Both are in `examples/`, complete, and `docs/guides/plugins.md` explains them.
//!
//! `daemon` is supervisord, `web` its page, `ctl` is supervisorctl, `pidproxy`, `sample` and `password` are the small ones;
//! `getopt` reads the command lines of all of them from one table each, `executable` knows where they were called, and
//! `manual` makes their pages and completions.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start processes and look at the clock"))]

pub mod ctl;
pub mod daemon;
mod executable;
pub mod getopt;
pub mod manual;
pub mod password;
pub mod pidproxy;
pub mod sample;
mod web;

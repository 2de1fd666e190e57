//! The programs: `supervisord`, `supervisorctl`, `pidproxy` and `echo_supervisord_conf`.
//!
//! Thin consumers of the public API of `supervisor-core` and `supervisor-rpc`. Each program in `src/bin/` calls one
//! `main` of this crate.

pub mod pidproxy;
pub mod sample;

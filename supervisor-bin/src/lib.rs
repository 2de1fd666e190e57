//! The programs of the supervisor: thin consumers of `supervisor-core` and `supervisor-rpc`.

pub mod ctl;
pub mod getopt;

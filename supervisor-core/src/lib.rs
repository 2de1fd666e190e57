//! Process supervision as a library.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start processes and look at the clock"))]

pub mod activity;
pub mod config;
mod config_source;
pub mod domain;
mod error;
mod event;
mod group;
mod handle;
pub mod listener;
#[expect(clippy::disallowed_methods, reason = "paces attempts at a disk by the clock, decides nothing about processes")]
pub mod logfile;
mod machine;
pub mod process;
mod program;
mod request;
pub mod rpc;
mod runtime;
pub mod sys;

pub use config_source::ConfigSource;
pub use error::{Error, RequestError};
pub use group::ProcessGroup;
pub use handle::Handle;
pub use program::Program;
pub use runtime::{Builder, Handover, RunOutcome, Supervisor};

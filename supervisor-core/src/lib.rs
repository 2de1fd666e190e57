//! Process supervision as a library.

pub mod activity;
pub mod config;
pub mod domain;
mod error;
mod event;
mod handle;
pub mod listener;
pub mod logfile;
mod machine;
pub mod process;
mod program;
mod request;
pub mod rpc;
mod runtime;
pub mod sys;

pub use error::{Error, RequestError};
pub use handle::Handle;
pub use program::Program;

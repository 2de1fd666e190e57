//! Process supervision as a library: start programs, keep them running, keep their output, hear what happens to them.
//!
//! What Supervisor 4.3 does for a machine, this crate does inside an application: the same states, settings, events and
//! logs, but no daemon, no HTTP, no configuration file, no logger installed, no signal handler taken. Two supervisors fit
//! in one program.
//!
//! ```
//! use supervisor_core::{Program, Supervisor, domain::name::ProcessName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sleeper = Program::new("sleeper", "sleep 1000").startsecs(0);
//! let supervisor = Supervisor::builder().program(sleeper).build()?;
//! let handle = supervisor.handle();
//! async_io::block_on(futures_lite::future::try_zip(
//!     async { supervisor.run().await.map_err(Box::<dyn std::error::Error>::from) },
//!     async {
//!         handle.restart(&ProcessName::new("sleeper", "sleeper")).await?; // resolves once it is RUNNING
//!         handle.shutdown().await.map_err(Into::into)
//!     },
//! ))?;
//! # Ok(())
//! # }
//! ```
//!
//! # What else
//!
//! [`Task`] supervises an async function of your program beside real processes. [`Handle::add`], [`Handle::change`] and
//! [`Handle::remove`] alter what runs, [`Builder::configuration_file`] takes groups from a file of Supervisor's,
//! [`Handle::events`] and [`listener`] tell what happens. `supervisor-rpc` makes it all answer `supervisorctl`.
//! The folder `docs/guides` has a page for each of embedding, tasks, events and plugins.
//!
//! # Dropping and ending
//!
//! [`Handle::shutdown`] stops everything in order; [`Supervisor::run`] resolves when the last process has ended. Dropping its
//! future kills what runs (SIGKILL), so that no child outlives its supervisor. Verbs are requests: dropping the future of one
//! abandons the wait, never the work; those that are several requests say so.
//!
//! # Features
//!
//! | Feature | | Crates |
//! |---|---|---|
//! | `ini` (default) | a configuration from a document of the `ini` crate, and the effective one as such a document | 10 |
//!
//! Files of Supervisor's are read without it. `default-features = false` leaves 41 crates with this one, macros counted.
//! Either way a first build takes some 30 seconds of processor time, 50 with `--release` (two cores of 2026: 24 and 40
//! seconds by the clock).
//!
//! # How it works
//!
//! A [`Supervisor`] is built, gives out [`Handle`]s, and is [run](Supervisor::run) by any executor: it brings one of its
//! own for the tasks of its children. A handle's verbs are requests to the loop that owns all state; dropping the future
//! of a verb abandons the wait, never the work. The loop waits for nothing but messages and the next deadline: starting
//! happens on a thread of its own, output goes from pipe to log on one thread for each file system. Besides these, the
//! crates below start a reactor thread (`async-io`), and a few for blocking work while there is some.
//!
//! # Rooms
//!
//! [`domain`] has the words of the subject, [`config`] reads Supervisor's files, [`process`] has the snapshots,
//! [`listener`] the events, [`rpc`] the extension point for remote calls, [`activity`] the log of what happens,
//! [`logfile`] and [`sys`] what a daemon built on this crate needs besides.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start processes and look at the clock"))]

pub mod activity;
#[cfg(feature = "benching")]
pub mod benching;
pub mod config;
mod config_source;
mod definition;
pub mod domain;
mod error;
mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
mod group;
mod handle;
pub mod listener;
#[expect(clippy::disallowed_methods, reason = "paces attempts at a disk by the clock, decides nothing about processes")]
pub mod logfile;
mod machine;
pub mod offload;
pub mod process;
mod program;
mod request;
pub mod rpc;
mod runtime;
pub mod sys;
pub mod task;

pub use config_source::ConfigSource;
pub use definition::{Definition, Pipes};
pub use error::{Error, RequestError};
pub use group::ProcessGroup;
pub use handle::Handle;
pub use program::Program;
pub use runtime::{Builder, Handover, RunOutcome, Supervisor};
pub use task::{Task, TaskContext};

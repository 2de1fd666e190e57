//! XML-RPC over HTTP for `supervisor-core`: the server, the client and the standard namespaces, and the other end of its
//! pipes for programs that run under a supervisor.
//!
//! A supervisor inside your program that `supervisorctl -s unix:///tmp/my.sock` controls:
//!
//! ```no_run
//! use std::time::Duration;
//! use supervisor_core::{Program, Supervisor};
//! use supervisor_rpc::Rpc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! async_std::task::block_on(async {
//!     let supervisor = Supervisor::builder().program(Program::new("web", "./serve")).build()?;
//!     let serving = Rpc::new(&supervisor.handle()).unix_socket("/tmp/my.sock").serve()?;
//!     supervisor.run().await?; // until `supervisorctl shutdown`
//!     serving.close(Duration::from_secs(1)).await;
//!     Ok(())
//! })
//! # }
//! ```
//!
//! [`Rpc`] puts together what the rooms offer in parts: [`namespace`] has the methods and the factories that
//! `[rpcinterface:x]` names, [`plugin`] the namespaces that are programs of their own, [`server`] the sockets and the
//! application, [`xmlrpc`] the codec. [`client`] asks a supervisor, this one or 4.3. [`program`] is for programs that are
//! supervised: event listeners, capture mode.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests start processes and look at the clock"))]

mod bridge;
pub mod client;
mod front;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod namespace;
pub mod plugin;
pub mod program;
#[expect(clippy::disallowed_methods, reason = "limits of connections are told by the clock")]
pub mod server;
#[cfg(test)]
mod testing;
pub mod xmlrpc;

pub use front::{Rpc, ServeError};

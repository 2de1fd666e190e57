//! XML-RPC over HTTP for `supervisor-core`: the server, the client and the standard namespaces, and the other end of its
//! pipes for programs that run under a supervisor.
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

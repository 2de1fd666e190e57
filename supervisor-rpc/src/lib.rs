//! XML-RPC over HTTP for `supervisor-core`: the server, the client and the standard namespaces, and the other end of its
//! pipes for programs that run under a supervisor.

mod bridge;
pub mod client;
pub mod namespace;
pub mod program;
pub mod server;
#[cfg(test)]
mod testing;
pub mod xmlrpc;

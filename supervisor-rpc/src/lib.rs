//! XML-RPC over HTTP for `supervisor-core`, and the other end of its pipes for programs that run under a supervisor.

pub mod namespace;
pub mod program;
#[cfg(test)]
mod testing;
pub mod xmlrpc;

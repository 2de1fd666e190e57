//! XML-RPC over HTTP for `supervisor-core`.

pub mod namespace;
#[cfg(test)]
mod testing;
pub mod xmlrpc;

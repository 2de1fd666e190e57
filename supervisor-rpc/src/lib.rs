//! XML-RPC over HTTP for `supervisor-core`.

pub mod namespace;
pub mod xmlrpc;

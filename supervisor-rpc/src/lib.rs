//! XML-RPC over HTTP for `supervisor-core`: the server, the client and the bridge that carries both.

mod bridge;
pub mod client;
pub mod server;
#[expect(missing_docs, reason = "a placeholder")]
pub mod xmlrpc;

//! The door through which `fuzz/` reaches what no caller needs to reach. Only there with `--cfg fuzzing`.

/// Reads the lines of a request's head as the server does behind hyper; see `server::fuzz_head`.
pub use crate::server::fuzz_head as http_head;

/// What the codec promises; see `xmlrpc::fuzz`.
pub use crate::xmlrpc::{fuzz_call as xmlrpc_call, fuzz_readers as xmlrpc_readers, fuzz_response as xmlrpc_response};

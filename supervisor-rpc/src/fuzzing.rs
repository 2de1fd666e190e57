//! The door through which `fuzz/` reaches what no caller needs to reach. Only there with `--cfg fuzzing`.

/// Reads the lines of a request's head as the server does behind hyper; see `server::fuzz_head`.
pub use crate::server::fuzz_head as http_head;

/// Reads an answer with both readers; see `xmlrpc::fuzz_readers`.
pub use crate::xmlrpc::fuzz_readers as xmlrpc_readers;

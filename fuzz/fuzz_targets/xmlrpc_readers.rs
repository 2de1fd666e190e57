//! The two readers of answers agree on everything that is well-formed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supervisor_rpc::fuzzing::xmlrpc_readers;

fuzz_target!(|body: &[u8]| xmlrpc_readers(body));

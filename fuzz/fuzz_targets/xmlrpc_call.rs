//! No body makes the decoder of calls panic or run away; what it reads can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| supervisor_rpc::fuzzing::xmlrpc_call(body));

//! What we read of a request's head ourselves, behind hyper: path, credentials, host, origin.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|head: &[u8]| supervisor_rpc::fuzzing::http_head(head));

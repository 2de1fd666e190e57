//! No answer makes the client's decoder panic or run away; what it reads can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supervisor_rpc::xmlrpc::{decode_response, encode_fault, encode_response};

fuzz_target!(|body: &[u8]| {
    let write = |answer: &Result<_, _>| match answer {
        Ok(value) => encode_response(value),
        Err(fault) => encode_fault(fault),
    };
    if let Ok(answer) = decode_response(body) {
        let written = write(&answer);
        let again = decode_response(&written).expect("our own answer can be read");
        assert_eq!(write(&again), written);
    }
});

//! No body makes the decoder of calls panic or run away; what it reads can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supervisor_rpc::xmlrpc::{decode_call, encode_call};

fuzz_target!(|body: &[u8]| {
    if let Ok(call) = decode_call(body) {
        // Once written, numbers are clamped and nothing has become an empty text; from then on nothing changes.
        let written = encode_call(&call.method, &call.params);
        let again = decode_call(&written).expect("our own call can be read");
        assert_eq!(again.method, call.method);
        assert_eq!(encode_call(&again.method, &again.params), written);
    }
});

//! Whatever an event listener writes, and however it is cut into reads, comes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|output: &[u8]| supervisor_core::fuzzing::listener_protocol(output));

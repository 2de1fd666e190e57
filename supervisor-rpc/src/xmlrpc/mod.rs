//! XML-RPC: bytes to calls and answers, and back.
//!
//! [`decode_call`] and [`decode_response`] read whatever a peer sends, within limits; [`encode_response`],
//! [`encode_fault`] and [`encode_call`] write what every XML-RPC client understands; a [`Dispatcher`] puts both round a
//! [`Registry`](supervisor_core::rpc::Registry). Nothing here knows HTTP.

mod decode;
mod dispatch;
mod element;
mod encode;
mod fast;
#[cfg(fuzzing)]
mod fuzz;
mod scalar;
mod visit;

pub use decode::{
    Call, DecodeError, MAX_CALL_ELEMENTS, MAX_DEPTH, MAX_RESPONSE_ELEMENTS, decode_call, decode_response,
};
pub(crate) use dispatch::panic_text;
pub use dispatch::{Dispatcher, LARGE_BODY, Reply};
pub(crate) use encode::write_fault;
pub use encode::{encode_call, encode_fault, encode_response};
#[cfg(fuzzing)]
pub use fuzz::{fuzz_call, fuzz_readers, fuzz_response};

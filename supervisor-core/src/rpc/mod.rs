//! The RPC extension point, free of any transport.
//!
//! [`RpcInterface`] describes its methods as data and answers calls; a [`Registry`] finds it by the first half of
//! `namespace.method`. The `supervisor` namespace itself comes through this door. Nothing here knows XML, JSON or HTTP.

mod answer;
mod fault;
mod interface;
mod params;
mod registry;

pub use answer::{Answer, AnswerSink, Value};
pub use fault::{Fault, FaultCode};
pub use interface::{Caller, Kind, Method, Parameter, Peer, RpcInterface};
pub use params::{FromValue, Params};
pub use registry::Registry;

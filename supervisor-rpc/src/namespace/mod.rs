//! The standard namespaces, `supervisor` and `system`, and the factories that `[rpcinterface:x]` names.
//!
//! They come through the same door as everybody's: [`RpcInterface`](supervisor_core::rpc::RpcInterface) in, and nothing
//! but the public [`Handle`](supervisor_core::Handle) out.

mod config;
mod description;
mod factory;
mod fault;
mod given;
mod info;
mod lifecycle;
mod logs;
mod methods;
mod process;
mod supervisor;
mod system;

pub use description::description;
pub use factory::{Factories, Factory, FactoryError, STANDARD_FACTORY, Section, registry, registry_of};
pub use fault::fault;
pub use lifecycle::{API_VERSION, SUPERVISOR_VERSION};
pub use methods::methods as supervisor_methods;
pub use process::MAX_REMOTE_EVENT;
pub use supervisor::SupervisorNamespace;
pub use system::{MAX_ANSWER, MAX_CALLS, SystemNamespace, methods as system_methods};

use supervisor_core::RequestError;
use supervisor_core::rpc::{Answer, Fault, Value};

/// What a method comes to.
type Answered = Result<Box<dyn Answer>, Fault>;

/// True, or the fault for what was refused of a given name.
fn yes(given: &given::Given, result: Result<(), RequestError>) -> Answered {
    result.map(|()| Value::from(true).into()).map_err(|error| given.fault(&error))
}

/// An answer as a value, by way of the wire.
#[cfg(test)]
fn rendered(answer: &dyn Answer) -> Value {
    let xml = crate::xmlrpc::encode_response(answer);
    crate::xmlrpc::decode_response(&xml).expect("we read what we write").expect("an answer is not a fault")
}

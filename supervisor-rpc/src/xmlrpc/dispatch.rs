//! Bytes of a call in, bytes of its answer out: what a server puts behind `/RPC2`.
//!
//! Decodes, calls, encodes, and writes the lines that Supervisor 4.3 writes about it. Knows no HTTP and sets no limit
//! on size: the server has done both. A panic in a method costs that call only.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_lite::FutureExt;
use supervisor_core::Handle;
use supervisor_core::activity::ActivityLog;
use supervisor_core::domain::level::Level;
use supervisor_core::rpc::{Caller, Fault, Params, Registry};

use super::decode::{Call, DecodeError, decode_call};
use super::encode::{encode_fault, encode_response};

/// Bodies longer than this, in bytes, are decoded on a thread that may take its time.
pub const LARGE_BODY: usize = 64 << 10;

/// How much of a body or name a line of the log shows, in characters.
const SHOWN: usize = 256;

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The XML of an answer or of a fault: status 200, `text/xml`.
    Xml(Vec<u8>),
    /// Not a call; the text says why: status 400.
    BadRequest(String),
    /// Something that should not happen happened, and stands in the log: status 500.
    Broken,
}

/// Answers XML-RPC calls.
#[derive(Clone)]
pub struct Dispatcher {
    registry: Registry,
    log: Arc<dyn ActivityLog>,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// Answers from these namespaces, and writes to the activity log of this supervisor.
    pub fn new(registry: Registry, handle: &Handle) -> Self {
        Self::with_log(registry, Arc::clone(handle.activity_log()))
    }

    /// Answers from these namespaces, and writes to this log.
    pub fn with_log(registry: Registry, log: Arc<dyn ActivityLog>) -> Self {
        Self { registry, log }
    }

    /// Answers one call. Resolves when it has its answer, which a waiting call may take minutes for.
    ///
    /// Dropping the future abandons the call where it stands: a multicall would not go on. So a server runs this in a
    /// task of its own, and only the sending of the answer dies with the connection.
    pub async fn dispatch(&self, body: &[u8], caller: &Caller) -> Reply {
        match AssertUnwindSafe(self.answer(body, caller)).catch_unwind().await {
            Ok(reply) => reply,
            Err(panic) => {
                let text = panic_text(panic.as_ref());
                self.log.write(
                    Level::Critical,
                    &format!(
                        "Handling XML-RPC request with data '{}' raised an unexpected exception: {text}",
                        excerpt(body)
                    ),
                );
                Reply::Broken
            }
        }
    }

    async fn answer(&self, body: &[u8], caller: &Caller) -> Reply {
        let call = match decode(body).await {
            Ok(call) => call,
            Err(error) => return self.refuse(body, &error),
        };
        self.trace(|| format!("XML-RPC method called: {}()", shown(&call.method)));
        let result = self.registry.call(&call.method, Params(call.params), caller).await;
        let xml = match &result {
            Ok(answer) => encode_response(answer.as_ref()),
            Err(fault) => encode_fault(fault),
        };
        self.trace(|| finished(&call.method, result.err().as_ref()));
        Reply::Xml(xml)
    }

    fn refuse(&self, body: &[u8], error: &DecodeError) -> Reply {
        let why = match error {
            DecodeError::NoMethodName => "no method name",
            _ => "unmarshallable",
        };
        self.log.write(Level::Error, &format!("XML-RPC request data '{}' is invalid: {why}", excerpt(body)));
        Reply::BadRequest(error.to_string())
    }

    fn trace(&self, line: impl FnOnce() -> String) {
        if self.log.enabled(Level::Trace) {
            self.log.write(Level::Trace, &line());
        }
    }
}

async fn decode(body: &[u8]) -> Result<Call, DecodeError> {
    if body.len() <= LARGE_BODY {
        return decode_call(body);
    }
    let body = body.to_vec();
    supervisor_core::offload::unblock(move || decode_call(&body)).await
}

fn finished(method: &str, fault: Option<&Fault>) -> String {
    match fault {
        None => format!("XML-RPC method {}() returned successfully", shown(method)),
        Some(fault) => {
            format!("XML-RPC method {}() returned fault: [{}] {}", shown(method), fault.code, shown(&fault.text))
        }
    }
}

/// A client's text for a line of the log: one line, of bounded length.
fn shown(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().take(SHOWN) {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// The beginning of a body for a line of the log.
fn excerpt(body: &[u8]) -> String {
    // Four bytes hold any character; the next one tells whether something follows.
    shown(&String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN + 4)]))
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic")
}

#[cfg(test)]
mod tests;

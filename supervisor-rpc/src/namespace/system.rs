//! The `system` namespace: which methods there are, and several calls in one.
//!
//! It stands beside the namespaces that it describes, so it holds a registry of those others and its own table.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures_lite::FutureExt;
use futures_lite::future::yield_now;
use supervisor_core::activity::ActivityLog;
use supervisor_core::domain::level::Level;
use supervisor_core::rpc::{
    Answer, AnswerSink, Caller, Fault, FaultCode, Kind, Method, Parameter, Params, Registry, RpcInterface, Value,
};

use super::Answered;
use crate::xmlrpc::{panic_text, write_fault};

/// How many calls one `system.multicall` may make.
pub const MAX_CALLS: usize = 8192;

/// How large the answers of one `system.multicall` may become together, in bytes of text: when they are larger, the
/// calls that are left are refused.
pub const MAX_ANSWER: usize = 4 << 20;

const MULTICALL: &str = "system.multicall";

static OF_METHOD: [Parameter; 1] = [Parameter::required("name", Kind::String, "the full name: 'namespace.method'")];
static CALLS: [Parameter; 1] =
    [Parameter::required("calls", Kind::Array, "structs with methodName and, where needed, params")];

static METHODS: [Method; 4] = [
    Method::new("listMethods", &[], Kind::Array, "names  the full names, sorted", "Tell which methods there are."),
    Method::new(
        "methodHelp",
        &OF_METHOD,
        Kind::String,
        "text  a description, the parameters and the result",
        "Tell what a method is for.\nFaults: SIGNATURE_UNSUPPORTED.",
    ),
    Method::new(
        "methodSignature",
        &OF_METHOD,
        Kind::Array,
        "types  the type of the result, then those of the parameters",
        "Tell the types of a method.\nFaults: SIGNATURE_UNSUPPORTED.",
    ),
    Method::new(
        "multicall",
        &CALLS,
        Kind::Array,
        "results  for each call its value, or a struct with faultCode and faultString",
        "Make several calls, one after the other.\nA call that fails does not keep the next from being made.",
    ),
];

/// The methods of the `system` namespace, by name.
pub fn methods() -> &'static [Method] {
    &METHODS
}

/// `system.*`, about the other namespaces and itself.
#[derive(Clone)]
pub struct SystemNamespace {
    others: Registry,
    log: Arc<dyn ActivityLog>,
}

impl std::fmt::Debug for SystemNamespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemNamespace").field("others", &self.others).finish_non_exhaustive()
    }
}

impl SystemNamespace {
    /// About these namespaces; what goes wrong within a multicall is written to `log`.
    pub fn new(others: Registry, log: Arc<dyn ActivityLog>) -> Self {
        Self { others, log }
    }

    fn all(&self) -> Vec<(String, Method)> {
        let mut all = self.others.methods();
        all.extend(METHODS.iter().map(|method| (format!("system.{}", method.name), method.clone())));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    fn method(&self, full_name: &str) -> Result<&Method, Fault> {
        let own = |name| METHODS.iter().find(|method| method.name == name);
        match full_name.strip_prefix("system.") {
            Some(name) => own(name),
            None => self.others.find(full_name).map(|(_, method)| method),
        }
        .ok_or_else(|| Fault::new(FaultCode::SignatureUnsupported))
    }

    fn describe(&self, method: &str, params: &Params) -> Answered {
        let answer = match method {
            "listMethods" => Value::Array(self.all().into_iter().map(|(name, _)| name.into()).collect()),
            "methodHelp" => self.method(&params.get::<String>(0)?)?.documentation().into(),
            "methodSignature" => {
                let types = self.method(&params.get::<String>(0)?)?.signature();
                Value::Array(types.into_iter().map(Value::from).collect())
            }
            _ => return Err(Fault::unknown_method()),
        };
        Ok(answer.into())
    }

    async fn multicall(&self, params: Params, caller: &Caller) -> Answered {
        let Some(Value::Array(calls)) = params.0.into_iter().next() else { return Err(Fault::incorrect_parameters()) };
        if calls.len() > MAX_CALLS {
            let detail = format_args!("more than {MAX_CALLS} calls");
            return Err(Fault::with(FaultCode::IncorrectParameters, detail));
        }
        if !calls.iter().all(|call| matches!(call, Value::Struct(_))) {
            return Err(Fault::incorrect_parameters());
        }
        let mut results = Results(Vec::with_capacity(calls.len()));
        let mut size = Size(0);
        for call in calls {
            let result = match size.0 > MAX_ANSWER {
                true => Err(Fault::with(FaultCode::Failed, format_args!("the answers exceed {MAX_ANSWER} bytes"))),
                false => self.one_of_many(call, caller).await,
            };
            write_result(&result, &mut size);
            results.0.push(result);
            // Others are to be served between two calls, also if none of them waits for anything.
            yield_now().await;
        }
        Ok(results.into())
    }

    async fn one_of_many(&self, call: Value, caller: &Caller) -> Answered {
        let Value::Struct(members) = call else { return Err(Fault::incorrect_parameters()) };
        let (mut name, mut params) = (None, None);
        for (member, value) in members {
            match member.as_str() {
                "methodName" => name = Some(value),
                "params" => params = Some(value),
                _ => {}
            }
        }
        let name = match name {
            Some(Value::String(name)) => name,
            None | Some(Value::Nil) => {
                return Err(Fault::with(FaultCode::IncorrectParameters, "No methodName"));
            }
            Some(_) => return Err(Fault::incorrect_parameters()),
        };
        if name == MULTICALL {
            return Err(Fault::with(FaultCode::IncorrectParameters, "Recursive system.multicall forbidden"));
        }
        let params = match params {
            None => Params::default(),
            Some(Value::Array(values)) => Params(values),
            Some(_) => return Err(Fault::incorrect_parameters()),
        };
        match AssertUnwindSafe(self.call_any(&name, params, caller)).catch_unwind().await {
            Ok(answered) => answered,
            Err(panic) => {
                let text = panic_text(panic.as_ref());
                let line = format!("XML-RPC method {name}() in a multicall raised an unexpected exception: {text}");
                self.log.write(Level::Critical, &line);
                Err(Fault::with(FaultCode::Failed, format_args!("unexpected error in {name}")))
            }
        }
    }

    /// A call by its full name, to any namespace, except for a multicall.
    async fn call_any(&self, full_name: &str, params: Params, caller: &Caller) -> Answered {
        let Some(name) = full_name.strip_prefix("system.") else {
            return self.others.call(full_name, params, caller).await;
        };
        let method = METHODS.iter().find(|method| method.name == name).ok_or_else(Fault::unknown_method)?;
        if !method.accepts(params.len()) {
            return Err(Fault::incorrect_parameters());
        }
        self.describe(name, &params)
    }
}

#[async_trait]
impl RpcInterface for SystemNamespace {
    fn methods(&self) -> &[Method] {
        &METHODS
    }

    async fn call(&self, method: &str, params: Params, caller: &Caller) -> Result<Box<dyn Answer>, Fault> {
        match method {
            "multicall" => self.multicall(params, caller).await,
            _ => self.describe(method, &params),
        }
    }
}

/// The answer of a multicall: bare values, not wrapped in arrays, and structs for faults.
struct Results(Vec<Answered>);

impl Answer for Results {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        sink.begin_array();
        for result in &self.0 {
            write_result(result, sink);
        }
        sink.end_array();
    }
}

fn write_result(result: &Answered, sink: &mut dyn AnswerSink) {
    match result {
        Ok(answer) => answer.write_to(sink),
        Err(fault) => write_fault(fault, sink),
    }
}

/// Measures answers without writing them: about the bytes that they take as XML.
struct Size(usize);

impl Size {
    const TAGS: usize = 32;
}

impl AnswerSink for Size {
    fn int(&mut self, _value: i64) {
        self.0 += Self::TAGS;
    }

    fn boolean(&mut self, _value: bool) {
        self.0 += Self::TAGS;
    }

    fn double(&mut self, _value: f64) {
        self.0 += Self::TAGS;
    }

    fn string(&mut self, value: &str) {
        self.0 += Self::TAGS + value.len();
    }

    fn nil(&mut self) {
        self.0 += Self::TAGS;
    }

    fn begin_array(&mut self) {
        self.0 += Self::TAGS;
    }

    fn end_array(&mut self) {}

    fn begin_struct(&mut self) {
        self.0 += Self::TAGS;
    }

    fn member(&mut self, name: &str) {
        self.0 += Self::TAGS + name.len();
    }

    fn end_struct(&mut self) {}
}

#[cfg(test)]
mod tests;

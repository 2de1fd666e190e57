//! A namespace and a log for the tests of this crate.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use supervisor_core::activity::ActivityLog;
use supervisor_core::domain::level::Level;
use supervisor_core::rpc::{
    Answer, Caller, Fault, FaultCode, Kind, Method, Parameter, Params, Registry, RpcInterface, Value,
};

/// Keeps its lines.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no test panics while it writes"))
    }
}

impl ActivityLog for Lines {
    fn enabled(&self, _level: Level) -> bool {
        true
    }

    fn write(&self, level: Level, text: &str) {
        self.0.lock().expect("no test panics while it writes").push(format!("{} {text}", level.word()));
    }
}

static ONE: [Parameter; 1] = [Parameter::required("value", Kind::String, "anything")];

static METHODS: [Method; 4] = [
    Method::new("echo", &ONE, Kind::String, "value  the same", "Answer the parameter."),
    Method::new("refuse", &ONE, Kind::String, "nothing", "Refuse."),
    Method::new("panic", &[], Kind::String, "nothing", "Panic."),
    Method::new("big", &[], Kind::String, "text  a million bytes", "Answer much."),
];

/// Answers, refuses, panics.
struct Fake;

#[async_trait]
impl RpcInterface for Fake {
    fn methods(&self) -> &[Method] {
        &METHODS
    }

    async fn call(&self, method: &str, params: Params, caller: &Caller) -> Result<Box<dyn Answer>, Fault> {
        match method {
            "echo" => Ok(params.get::<Value>(0)?.into()),
            "refuse" => Err(Fault::with(FaultCode::BadName, params.get::<String>(0)?)),
            "big" => Ok(Value::from("x".repeat(1_000_000)).into()),
            _ => panic!("oh no, {}", caller.listener),
        }
    }
}

/// A registry with the namespace `fake`.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.add("fake", Arc::new(Fake));
    registry
}

//! The messages between the supervisor and an executable plugin: JSON-RPC 2.0, one message a line (docs/guides/plugins.md).
//!
//! Values to bytes and back; nothing here reads, writes or waits.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use supervisor_core::rpc::{Caller, Fault, FaultCode, Kind, Method, Parameter, Peer, Value};

/// How many methods a plugin may describe.
const METHODS: usize = 1000;

/// What the supervisor asks of a plugin.
pub(super) enum Ask<'a> {
    /// Which methods there are.
    Describe { namespace: &'a str, options: &'a BTreeMap<String, String> },
    /// A call of one of them.
    Call { method: &'a str, parameters: &'a [Value], caller: &'a Caller },
}

/// What a plugin answers to a question.
pub(super) type Answered = Result<Json, Refusal>;

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
}

/// Why a line or a description makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Nonsense {
    #[error("a line that is no JSON-RPC answer: {0}")]
    Line(String),
    #[error("a description that cannot be read: {0}")]
    Description(String),
}

/// A question as a line.
pub(super) fn question(id: u64, ask: &Ask<'_>) -> Vec<u8> {
    let (method, params) = match ask {
        Ask::Describe { namespace, options } => ("describe", json!({ "namespace": namespace, "options": options })),
        Ask::Call { method, parameters, caller } => {
            let parameters: Vec<Json> = parameters.iter().map(to_json).collect();
            ("call", json!({ "method": method, "params": parameters, "caller": caller_as_json(caller) }))
        }
    };
    let mut line = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn caller_as_json(caller: &Caller) -> Json {
    let (peer, pid, uid) = match &caller.peer {
        Peer::Unix { pid, uid } => ("unix".to_owned(), *pid, *uid),
        Peer::Tcp(address) => (address.to_string(), None, None),
        _ => ("local".to_owned(), None, None),
    };
    json!({ "user": caller.user, "listener": caller.listener, "peer": peer, "pid": pid, "uid": uid })
}

#[derive(Deserialize)]
struct Line {
    id: Option<u64>,
    #[serde(default)]
    result: Json,
    error: Option<Refusal>,
}

/// The answer in a line with the number of its question; `None` for what is neither (a notification).
///
/// # Errors
/// [`Nonsense::Line`].
pub(super) fn answer(line: &[u8]) -> Result<Option<(u64, Answered)>, Nonsense> {
    let line: Line = serde_json::from_slice(line).map_err(|error| Nonsense::Line(error.to_string()))?;
    let Some(id) = line.id else { return Ok(None) };
    Ok(Some((id, line.error.map_or(Ok(line.result), Err))))
}

#[derive(Deserialize)]
struct Description {
    methods: Vec<Described>,
}

#[derive(Deserialize)]
struct Described {
    name: String,
    #[serde(default)]
    params: Vec<DescribedParameter>,
    #[serde(default = "text")]
    returns: String,
    #[serde(default)]
    result: String,
    #[serde(default)]
    help: String,
}

#[derive(Deserialize)]
struct DescribedParameter {
    name: String,
    #[serde(default = "text", rename = "type")]
    kind: String,
    #[serde(default = "yes")]
    required: bool,
    #[serde(default)]
    help: String,
}

fn text() -> String {
    Kind::String.name().to_owned()
}

const fn yes() -> bool {
    true
}

/// The methods in the answer to `describe`.
///
/// # Errors
/// [`Nonsense::Description`].
pub(super) fn methods(description: Json) -> Result<Vec<Method>, Nonsense> {
    let nonsense = |text: String| Nonsense::Description(text);
    let description: Description = serde_json::from_value(description).map_err(|error| nonsense(error.to_string()))?;
    if description.methods.len() > METHODS {
        return Err(nonsense(format!("more than {METHODS} methods")));
    }
    let kind = |name: &str| kind(name).ok_or_else(|| nonsense(format!("'{name}' is no type")));
    let method = |described: Described| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if described.name.is_empty() || !described.name.chars().all(is_name) {
            return Err(nonsense(format!("'{}' is no name of a method", described.name)));
        }
        let parameters = described.params.into_iter().map(|parameter| {
            let kind = kind(&parameter.kind)?;
            let (name, help) = (Cow::Owned(parameter.name), Cow::Owned(parameter.help));
            Ok(Parameter { name, kind, required: parameter.required, help })
        });
        Ok(Method {
            name: described.name.into(),
            parameters: parameters.collect::<Result<Vec<_>, _>>()?.into(),
            returns: kind(&described.returns)?,
            result: described.result.into(),
            help: described.help.into(),
        })
    };
    description.methods.into_iter().map(method).collect()
}

fn kind(name: &str) -> Option<Kind> {
    let all = [Kind::Int, Kind::Boolean, Kind::String, Kind::Array, Kind::Struct, Kind::Double];
    all.into_iter().find(|kind| kind.name() == name)
}

/// The fault for a refusal: codes of our faults as they are, those that JSON-RPC reserves by their meaning.
pub(super) fn fault(refusal: Refusal) -> Fault {
    match refusal.code {
        -32601 => Fault::unknown_method(),
        -32602 => Fault::incorrect_parameters(),
        code => match i32::try_from(code) {
            Ok(code) if code > 0 => Fault { code, text: refusal.message },
            _ => Fault::with(FaultCode::Failed, refusal.message),
        },
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Int(value) => (*value).into(),
        Value::Bool(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::String(value) => value.as_str().into(),
        Value::Array(values) => values.iter().map(to_json).collect(),
        Value::Struct(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), to_json(value))).collect())
        }
    }
}

/// A value of the wire. Numbers that are no 64-bit integers become floating-point ones.
pub(super) fn from_json(value: Json) -> Value {
    match value {
        Json::Null => Value::Nil,
        Json::Bool(value) => value.into(),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Double(number.as_f64().unwrap_or_default()), Value::Int)
        }
        Json::String(text) => Value::String(text),
        Json::Array(values) => Value::Array(values.into_iter().map(from_json).collect()),
        Json::Object(members) => {
            Value::Struct(members.into_iter().map(|(name, value)| (name, from_json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64) -> Fault {
        fault(Refusal { code, message: "why".to_owned() })
    }

    #[test]
    fn questions_are_single_lines() {
        let values = [Value::from("two\nlines"), Value::from(3), Value::Nil];
        let caller = Caller { user: Some("eva".to_owned()), ..Caller::default() };
        let ask = Ask::Call { method: "greet", parameters: &values, caller: &caller };
        let line = question(7, &ask);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let read: Json = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(
            (&read["id"], &read["method"], &read["params"]["method"]),
            (&json!(7), &json!("call"), &json!("greet"))
        );
        assert_eq!(read["params"]["params"], json!(["two\nlines", 3, null]));
        assert_eq!(read["params"]["caller"]["user"], json!("eva"));
    }

    #[test]
    fn answers_have_a_number_and_a_result_or_an_error() {
        assert_eq!(answer(br#"{"jsonrpc":"2.0","id":1,"result":[1,2.5]}"#), Ok(Some((1, Ok(json!([1, 2.5]))))));
        assert_eq!(answer(br#"{"id":1,"result":null}"#), Ok(Some((1, Ok(Json::Null)))));
        let error = Refusal { code: 30, message: "no".to_owned() };
        assert_eq!(answer(br#"{"id":2,"error":{"code":30,"message":"no"}}"#), Ok(Some((2, Err(error)))));
        assert_eq!(answer(br#"{"method":"log"}"#), Ok(None));
        for nonsense in [&b"hello"[..], b"", b"[]", br#"{"id":"x"}"#] {
            assert!(matches!(answer(nonsense), Err(Nonsense::Line(_))));
        }
        // Deeper than any parser should follow.
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(answer(&[&br#"{"id":1,"result":"#[..], &deep, b"}"].concat()).is_err());
    }

    #[test]
    fn errors_are_faults() {
        assert_eq!((refused(30).code, refused(30).text.as_str()), (30, "why"));
        assert_eq!(refused(1234).code, 1234);
        assert_eq!(refused(-32601), Fault::unknown_method());
        assert_eq!(refused(-32602), Fault::incorrect_parameters());
        assert_eq!(refused(-1).to_string(), "[30] FAILED: why");
        assert_eq!(refused(1 << 40).code, 30);
    }

    #[test]
    fn descriptions_are_methods() {
        let described = methods(json!({ "methods": [
            { "name": "greet", "params": [{ "name": "who" }, { "name": "times", "type": "int", "required": false }],
              "returns": "array", "help": "Greet." },
            { "name": "bare" },
        ]}));
        let described = described.expect("a description");
        assert_eq!(described[0].signature(), ["array", "string", "int"]);
        assert!(described[0].accepts(1) && described[0].accepts(2) && !described[0].accepts(3));
        assert_eq!(described[1].signature(), ["string"]);
        for wrong in [
            json!({}),
            json!({ "methods": [{ "name": "a.b" }] }),
            json!({ "methods": [{ "name": "x", "returns": "money" }] }),
        ] {
            assert!(methods(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_come_back_as_they_went() {
        let value = Value::Struct(vec![
            ("a".to_owned(), Value::Array(vec![Value::Nil, Value::Bool(true), Value::Int(i64::MIN)])),
            ("b".to_owned(), Value::Double(0.5)),
        ]);
        assert_eq!(from_json(to_json(&value)), value);
        assert_eq!(from_json(json!(u64::MAX)), Value::Double(1.844_674_407_370_955_2e19));
    }
}

//! What the codec promises, checked for `fuzz/`: the strict reader's documents are read alike by the fast one, and what is
//! read can be written and read again.

use supervisor_core::rpc::{Fault, Value};

use super::decode::{MAX_RESPONSE_ELEMENTS, decode_call, decode_response, read, text};
use super::element::{Found, Limits};
use super::encode::{encode_call, encode_fault, encode_response};
use super::fast;

/// Reads an answer with both readers.
///
/// # Panics
/// If the strict one takes it and the fast one makes something else of it.
pub fn fuzz_readers(body: &[u8]) {
    let limits = Limits { elements: MAX_RESPONSE_ELEMENTS };
    let Ok(text) = text(body) else { return };
    if text.contains("1.1") {
        // XML 1.1 has characters and line ends of its own, which the fast reader refuses or leaves as they are.
        return;
    }
    if let (Ok(strict), fast) = (read(text, limits), fast::read(text, limits)) {
        let fast = fast.expect("the fast reader takes what the strict one takes");
        let all = |found: &Found| format!("{:?} {:?} {:?}", found.method, found.params, found.fault);
        assert_eq!(all(&strict), all(&fast));
    }
}

/// Reads a call, writes it and reads it again.
///
/// # Panics
/// If it has become another one.
pub fn fuzz_call(body: &[u8]) {
    if let Ok(call) = decode_call(body) {
        let again = decode_call(&encode_call(&call.method, &call.params)).expect("our own call can be read");
        assert_eq!(again.method, text_carried(&call.method));
        assert_same(&Value::Array(again.params), Value::Array(call.params));
    }
}

/// Reads an answer, writes it and reads it again.
///
/// # Panics
/// If it has become another one.
pub fn fuzz_response(body: &[u8]) {
    match decode_response(body) {
        Err(_) => {}
        Ok(Ok(value)) => {
            let again = decode_response(&encode_response(&value)).expect("our own answer can be read");
            assert_same(&again.expect("an answer is no fault"), value);
        }
        Ok(Err(fault)) => {
            let again = decode_response(&encode_fault(&fault)).expect("our own fault can be read");
            let text = text_carried(&fault.text);
            assert_eq!(again.expect_err("a fault is no answer"), Fault { text, ..fault });
        }
    }
}

fn assert_same(again: &Value, first: Value) {
    // As text, since a number that is none is unequal to itself.
    assert_eq!(format!("{again:?}"), format!("{:?}", carried(first)));
}

/// A text as the wire carries it: XML 1.1, which may be read, has characters that XML 1.0, which is written, has not.
fn text_carried(text: &str) -> String {
    text.chars().map(|c| if fast::is_carried(c) { c } else { '\u{fffd}' }).collect()
}

/// A value as the wire carries it: integers of 32 bits, and nothing is an empty text.
fn carried(value: Value) -> Value {
    match value {
        Value::Nil => Value::String(String::new()),
        Value::Int(number) => Value::Int(number.clamp(i32::MIN.into(), i32::MAX.into())),
        Value::String(text) => Value::String(text_carried(&text)),
        Value::Array(values) => Value::Array(values.into_iter().map(carried).collect()),
        Value::Struct(members) => {
            Value::Struct(members.into_iter().map(|(name, value)| (text_carried(&name), carried(value))).collect())
        }
        other => other,
    }
}

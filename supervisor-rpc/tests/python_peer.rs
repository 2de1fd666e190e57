//! Python's own XML-RPC client reads what we write, and we read what it writes.
#![allow(clippy::disallowed_methods, reason = "a test starts processes and looks at the clock")]
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Stdio};

use supervisor_core::rpc::{Fault, Value};
use supervisor_rpc::xmlrpc::{Call, decode_call, decode_response, encode_call, encode_fault, encode_response};

/// Runs a script of Python with `input` on its stdin; `None` without a Python.
fn python(script: &str, input: &[u8]) -> Option<Vec<u8>> {
    let started = Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = started else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
        {
            eprintln!("skipped: there is no python3");
        }
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(output.stdout)
}

/// Reads a document, writes it again in Python's way.
const ECHO: &str = "
import sys, xmlrpc.client as x
try:
    values, method = x.loads(sys.stdin.buffer.read())
except x.Fault as fault:
    values, method = fault, None
out = x.dumps(values, method, methodresponse=method is None, encoding='utf-8')
sys.stdout.buffer.write(out.encode())
";

fn values() -> Vec<Value> {
    let members = vec![
        ("name".to_owned(), "é日😀".into()),
        ("<&>".to_owned(), Value::Array(vec![1.into(), true.into(), Value::Double(2.5), "".into()])),
        ("nested".to_owned(), Value::Struct(vec![("x".to_owned(), Value::Array(vec![]))])),
    ];
    vec![
        "  <a href=\"x\">&amp; ]]> 'q' </a>\n\ttab\n".into(),
        "line\r\nline\rline".into(),
        "".into(),
        i32::MAX.into(),
        i32::MIN.into(),
        false.into(),
        Value::Array(vec!["a".into(), Value::Struct(members.clone())]),
        Value::Struct(members),
        Value::Struct(vec![]),
    ]
}

#[test]
fn answers_come_back_as_they_were() {
    for value in values() {
        let Some(echo) = python(ECHO, &encode_response(&value)) else { return };
        // Python does not escape carriage returns, so they come back as newlines.
        let expected = match &value {
            Value::String(text) => text.replace("\r\n", "\n").replace('\r', "\n").into(),
            _ => value.clone(),
        };
        assert_eq!(decode_response(&echo), Ok(Ok(expected)));
    }
}

#[test]
fn carriage_returns_and_odd_characters_arrive() {
    let script = "
import sys, xmlrpc.client as x
(value,), method = x.loads(sys.stdin.buffer.read())
sys.stdout.buffer.write(ascii(value).encode())
";
    let Some(seen) = python(script, &encode_response(&Value::from("a\r\nb\rc\0\x1b\u{fffe}é"))) else { return };
    assert_eq!(String::from_utf8(seen).unwrap(), "'a\\r\\nb\\rc\\ufffd\\ufffd\\ufffd\\xe9'");
}

#[test]
fn faults_come_back_as_they_were() {
    let fault = Fault { code: 10, text: "BAD_NAME: <é>".to_owned() };
    let Some(echo) = python(ECHO, &encode_fault(&fault)) else { return };
    assert_eq!(decode_response(&echo), Ok(Err(fault)));
}

#[test]
fn calls_come_back_as_they_were() {
    let params: Vec<_> =
        values().into_iter().filter(|value| value.as_str().is_none_or(|text| !text.contains('\r'))).collect();
    let Some(echo) = python(ECHO, &encode_call("supervisor.startProcess", &params)) else { return };
    assert_eq!(decode_call(&echo), Ok(Call { method: "supervisor.startProcess".to_owned(), params }));
}

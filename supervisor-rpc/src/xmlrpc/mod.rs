//! PLACEHOLDER for the codec: just enough for the tests of the client.

use supervisor_core::rpc::{Fault, Value};

#[derive(Debug, thiserror::Error)]
#[error("not XML-RPC")]
pub struct DecodeError;

pub fn encode_call(method: &str, params: &[Value]) -> Vec<u8> {
    let params: String = params
        .iter()
        .filter_map(Value::as_str)
        .map(|text| format!("<param><value><string>{text}</string></value></param>"))
        .collect();
    format!("<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>")
        .into_bytes()
}

pub fn decode_response(body: &[u8]) -> Result<Result<Value, Fault>, DecodeError> {
    let text = String::from_utf8_lossy(body).into_owned();
    let between = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(inner, _)| inner.to_owned())
    };
    if !text.contains("<methodResponse>") {
        return Err(DecodeError);
    }
    if text.contains("<fault>") {
        let code = between("int").and_then(|code| code.parse().ok()).ok_or(DecodeError)?;
        return Ok(Err(Fault { code, text: between("string").ok_or(DecodeError)? }));
    }
    between("string").map(|text| Ok(Value::String(text))).ok_or(DecodeError)
}

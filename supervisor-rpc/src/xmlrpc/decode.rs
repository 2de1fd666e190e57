//! Reads calls and answers from XML, as loosely as Supervisor 4.3 does, within limits of depth and number.
//!
//! Refuses what is not UTF-8 or not well-formed, and every document type declaration, so that no entity is ever
//! expanded. The size of the text is for the caller to limit. What each element means is decided in `element.rs`; the
//! text is read by `visit.rs` or, if it is a large answer, by `fast.rs`.

use serde::de::DeserializeSeed;
use serde_xml_rs::{Deserializer, Error as XmlError};
use supervisor_core::rpc::{Fault, Value};
use xml::{Encoding, ParserConfig};

use super::element::{Found, Limits};
use super::fast;
use super::visit::Document;

/// How deep elements may be nested.
pub const MAX_DEPTH: usize = 64;

/// How many elements a call may have: enough for a multicall of thousands.
pub const MAX_CALL_ELEMENTS: usize = 1 << 18;

/// How many elements an answer may have: enough for `getAllProcessInfo` of some eighteen thousand processes.
pub const MAX_RESPONSE_ELEMENTS: usize = 1 << 20;

/// Answers longer than this, in bytes, are read by the faster and less strict reader.
const LARGE_RESPONSE: usize = 16 << 10;

/// Names longer than this are no element of XML-RPC.
const MAX_NAME_LENGTH: usize = 256;

/// Attributes mean nothing here; more than this on one element is an attack.
const MAX_ATTRIBUTES: usize = 64;

/// A call as it was sent: nothing about it is checked yet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Call {
    /// The full name, not trimmed: `namespace.method`.
    pub method: String,
    /// The parameters; none if `params` was missing.
    pub params: Vec<Value>,
}

/// Why a text is not a call or an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There is nothing to read.
    #[error("the body is empty")]
    Empty,
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// A document type declaration.
    #[error("a document type declaration is not allowed")]
    Doctype,
    /// Not well-formed, or elements that do not fit together; the text says where.
    #[error("not well-formed: {0}")]
    Malformed(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} elements")]
    TooDeep,
    /// More elements than [`MAX_CALL_ELEMENTS`] or [`MAX_RESPONSE_ELEMENTS`].
    #[error("more than {0} elements")]
    TooManyElements(usize),
    /// The text of a typed element cannot be read as that type.
    #[error("the text of <{0}> cannot be converted")]
    BadValue(&'static str),
    /// A call without the name of a method.
    #[error("no method name")]
    NoMethodName,
    /// An answer with neither a value nor a fault.
    #[error("neither a value nor a fault")]
    NoAnswer,
}

/// Reads a call.
///
/// # Errors
/// [`DecodeError`]; the server answers each with 400.
pub fn decode_call(body: &[u8]) -> Result<Call, DecodeError> {
    let found = read(text(body)?, Limits { elements: MAX_CALL_ELEMENTS })?;
    match found.method {
        Some(method) if !method.is_empty() => Ok(Call { method, params: found.params.unwrap_or_default() }),
        _ => Err(DecodeError::NoMethodName),
    }
}

/// Reads an answer: the value, or the fault that the other side sent.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_response(body: &[u8]) -> Result<Result<Value, Fault>, DecodeError> {
    let text = text(body)?;
    let limits = Limits { elements: MAX_RESPONSE_ELEMENTS };
    match text.len() > LARGE_RESPONSE {
        true => answer(fast::read(text, limits)?),
        false => answer(read(text, limits)?),
    }
}

fn answer(found: Found) -> Result<Result<Value, Fault>, DecodeError> {
    if let Some(fault) = found.fault {
        return Ok(Err(read_fault(&fault).ok_or(DecodeError::NoAnswer)?));
    }
    match found.params.and_then(|params| params.into_iter().next()) {
        Some(value) => Ok(Ok(value)),
        None => Err(DecodeError::NoAnswer),
    }
}

fn read_fault(value: &Value) -> Option<Fault> {
    let Value::Int(code) = value.get("faultCode")? else { return None };
    let text = value.get("faultString")?.as_str()?.to_owned();
    Some(Fault { code: i32::try_from(*code).ok()?, text })
}

/// The text of a body, from the declaration or root element on.
pub(super) fn text(body: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|_| DecodeError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Err(DecodeError::Empty);
    }
    if declares_document_type(text) {
        return Err(DecodeError::Doctype);
    }
    Ok(text)
}

pub(super) fn read(text: &str, limits: Limits) -> Result<Found, DecodeError> {
    let mut xml = Deserializer::new(parser().create_reader(text.as_bytes()));
    let document = Document::new(limits);
    document.root().deserialize(&mut xml).map_err(|error| document.problem().unwrap_or_else(|| malformed(&error)))?;
    // The reader is asked for another element: only the end of the text may come.
    match document.root().deserialize(&mut xml) {
        Err(XmlError::Unexpected { but_got, .. }) if but_got == "end of input" => Ok(document.found()),
        Err(error) => Err(malformed(&error)),
        Ok(_) => Err(DecodeError::Malformed("more than one root element".to_owned())),
    }
}

fn parser() -> ParserConfig {
    ParserConfig::new()
        .trim_whitespace(false)
        .whitespace_to_characters(true)
        .cdata_to_characters(true)
        .ignore_comments(true)
        .coalesce_characters(true)
        .allow_multiple_root_elements(false)
        // The text is known to be UTF-8, whatever its declaration says.
        .override_encoding(Some(Encoding::Utf8))
        .ignore_invalid_encoding_declarations(true)
        .max_name_length(MAX_NAME_LENGTH)
        .max_attributes(MAX_ATTRIBUTES)
}

fn malformed(error: &XmlError) -> DecodeError {
    DecodeError::Malformed(error.to_string().chars().take(200).collect())
}

/// True if a declaration stands before the root element; behind it the parser refuses one.
fn declares_document_type(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let (opening, closing) = match rest {
            _ if rest.starts_with("<?") => ("<?", "?>"),
            _ if rest.starts_with("<!--") => ("<!--", "-->"),
            _ => return rest.starts_with("<!"),
        };
        let Some((_, behind)) = rest[opening.len()..].split_once(closing) else { return false };
        rest = behind;
    }
}

#[cfg(test)]
mod tests;

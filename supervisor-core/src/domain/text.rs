//! Bytes of programs as text, in the form that event payloads and log lines give them.
//!
//! Supervisor 4.3 shows bytes that are no UTF-8 as a Python literal; listeners and log readers know that form.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text that these bytes are in UTF-8, else `Undecodable: b'…'` for the whole of them.
pub(crate) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(format!("Undecodable: {}", bytes_literal(bytes))),
    }
}

/// Bytes as a Python literal: `b'READY\n'`. The quotes are double if single ones are inside and double ones are not.
pub(crate) fn bytes_literal(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    let mut literal = String::with_capacity(bytes.len() + 3);
    literal.push('b');
    literal.push(char::from(quote));
    for &byte in bytes {
        match byte {
            b'\\' => literal.push_str("\\\\"),
            b'\t' => literal.push_str("\\t"),
            b'\n' => literal.push_str("\\n"),
            b'\r' => literal.push_str("\\r"),
            _ if byte == quote => {
                literal.push('\\');
                literal.push(char::from(quote));
            }
            b' '..=b'~' => literal.push(char::from(byte)),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(literal, "\\x{byte:02x}");
            }
        }
    }
    literal.push(char::from(quote));
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_as_supervisor_writes_them() {
        let table: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"plain \x1b[1m\n", "plain \x1b[1m\n"),
            ("žluť".as_bytes(), "žluť"),
            (b"a\xff'\"\\ \t\r\n\x01\x7f", r#"Undecodable: b'a\xff\'"\\ \t\r\n\x01\x7f'"#),
            (b"b\xff'z", r#"Undecodable: b"b\xff'z""#),
            (b"\xffq\"", r#"Undecodable: b'\xffq"'"#),
            (&"ž".as_bytes()[..1], r"Undecodable: b'\xc5'"),
        ];
        for (bytes, text) in table {
            assert_eq!(text_of(bytes), *text);
        }
        assert_eq!(bytes_literal(b"READY\n"), r"b'READY\n'");
    }
}

//! The copy of output in the activity log at level debug.
//!
//! Only the text is made here. Output that is no text, and all that a listener says, is shown with escapes.

use std::fmt::Write as _;

use crate::process::Stream;

/// `'x' stdout output:` and the chunk on the next lines.
pub(super) fn copy(process: &str, stream: Stream, chunk: &[u8], escaped: bool) -> String {
    let mut text = format!("'{process}' {} output:\n", stream.name());
    match std::str::from_utf8(chunk) {
        _ if escaped => escape(chunk, &mut text),
        Ok(chunk) => text.push_str(chunk.strip_suffix('\n').unwrap_or(chunk)),
        Err(_) => {
            text.push_str("Undecodable: ");
            escape(chunk, &mut text);
        }
    }
    text
}

/// Bytes as Python writes them: `b'READY\n'`.
fn escape(bytes: &[u8], out: &mut String) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b' '..=b'~' => {
                if char::from(byte) == quote {
                    out.push('\\');
                }
                out.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let table: [(&[u8], bool, &str); 9] = [
            (b"to-out\n", false, "to-out"),
            (b"a\n\n", false, "a\n"),
            ("é\n".as_bytes(), false, "é"),
            (b"\xff\xfe\0x", false, r"Undecodable: b'\xff\xfe\x00x'"),
            (b"READY\n", true, r"b'READY\n'"),
            (b"it's", true, r#"b"it's""#),
            (b"it's \"so\"", true, r#"b'it\'s "so"'"#),
            (b"\t\r\\\x1b\x7f", true, r"b'\t\r\\\x1b\x7f'"),
            (b"", true, "b''"),
        ];
        for (chunk, escaped, expected) in table {
            assert_eq!(copy("x", Stream::Stdout, chunk, escaped), format!("'x' stdout output:\n{expected}"));
        }
    }
}

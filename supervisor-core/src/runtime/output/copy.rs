//! The copy of output in the activity log at level debug.
//!
//! Only the text is made here. Output that is no text, and all that a listener says, is shown with escapes. A line that
//! could be taken for one of the log's own is moved in by a blank: a program must not write into our log in our name.
//! Other control characters than newlines are for the log to escape, wherever they come from.

use std::fmt::Write as _;

use crate::process::Stream;

/// `'x' stdout output:` and the chunk on the next lines.
pub(super) fn copy(process: &str, stream: Stream, chunk: &[u8], escaped: bool) -> String {
    let mut text = format!("'{process}' {} output:\n", stream.name());
    match std::str::from_utf8(chunk) {
        _ if escaped => escape(chunk, &mut text),
        Ok(chunk) => push_lines(chunk, &mut text),
        Err(_) => {
            text.push_str("Undecodable: ");
            escape(chunk, &mut text);
        }
    }
    text
}

fn push_lines(chunk: &str, out: &mut String) {
    for (number, line) in chunk.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if looks_like_ours(line) {
            out.push(' ');
        }
        out.push_str(line);
    }
}

/// True for a line that begins as those of the activity log do: `2026-11-25 22:00:00,000 CRIT`.
fn looks_like_ours(line: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00 00:00:00,000 ";
    let same = |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape };
    line.len() >= SHAPE.len() && line.bytes().zip(SHAPE).all(same)
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
        let table: [(&[u8], bool, &str); 11] = [
            (b"to-out\n", false, "to-out\n"),
            (b"a\n\n", false, "a\n\n"),
            ("é\n".as_bytes(), false, "é\n"),
            (b"\xff\xfe\0x", false, r"Undecodable: b'\xff\xfe\x00x'"),
            (b"READY\n", true, r"b'READY\n'"),
            (b"it's", true, r#"b"it's""#),
            (b"it's \"so\"", true, r#"b'it\'s "so"'"#),
            (b"\t\r\\\x1b\x7f", true, r"b'\t\r\\\x1b\x7f'"),
            (b"", true, "b''"),
            (
                b"2026-11-25 22:00:00,000 CRIT fake\nx\n2026-11-25 22:00:00,000 \n",
                false,
                " 2026-11-25 22:00:00,000 CRIT fake\nx\n 2026-11-25 22:00:00,000 \n",
            ),
            (b"2026-11-25 22:00:00 CRIT mine\n", false, "2026-11-25 22:00:00 CRIT mine\n"),
        ];
        for (chunk, escaped, expected) in table {
            assert_eq!(copy("x", Stream::Stdout, chunk, escaped), format!("'x' stdout output:\n{expected}"));
        }
    }
}

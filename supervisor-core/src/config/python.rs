//! The few rules of Python's texts that the file format and its messages rest on.
//!
//! What counts as white space, how a message quotes a value (`repr`), how `int()` reads a number. Knows nothing of
//! sections or keys.

/// White space as Python's `str.isspace` sees it.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The text without white space at both ends.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The text without white space at its end.
pub(crate) fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// The text in quotes, with escapes, as messages show it.
pub(crate) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if u32::from(c) < 0x100 && !is_printable(c) => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(quote);
    out
}

/// True if std would print the character as it is; a letter before it keeps combining marks printable.
fn is_printable(c: char) -> bool {
    let text: String = ['x', c].into_iter().collect();
    text.escape_debug().count() == 2
}

/// A number as `int(text, radix)` reads it: a sign, digits with single underscores between them, white space around.
/// Python's have no bounds; what does not fit becomes the largest or smallest that does.
pub(crate) fn integer(text: &str, radix: u32) -> Option<i64> {
    let text = strip(text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, after_prefix) = match digits.strip_prefix("0o").or_else(|| digits.strip_prefix("0O")) {
        Some(rest) if radix == 8 => (rest, true),
        _ => (digits, false),
    };
    let digits = if after_prefix { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let well_formed = !digits.is_empty() && digits.split('_').all(|run| !run.is_empty());
    if !well_formed || !digits.chars().all(|c| c == '_' || c.is_digit(radix)) {
        return None;
    }
    let digits = digits.replace('_', "");
    let signed = if negative { format!("-{digits}") } else { digits };
    i64::from_str_radix(&signed, radix).ok().or(Some(if negative { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_int_reads_them() {
        let table = [
            ("10", Some(10)),
            (" 10\t", Some(10)),
            ("+7", Some(7)),
            ("-7", Some(-7)),
            ("007", Some(7)),
            ("1_000", Some(1000)),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("", None),
            ("-", None),
            ("- 1", None),
            ("1.5", None),
            ("0x10", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", Some(i64::MAX)),
            ("-99999999999999999999", Some(i64::MIN)),
        ];
        for (text, number) in table {
            assert_eq!(integer(text, 10), number, "{text:?}");
        }
        for (text, number) in [("022", Some(18)), ("0o22", Some(18)), ("0O_7", Some(7)), ("8", None), ("0o", None)] {
            assert_eq!(integer(text, 8), number, "{text:?}");
        }
    }

    #[test]
    fn quoting_is_that_of_messages() {
        let table = [
            ("a b", "'a b'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("a\n\t\\", "'a\\n\\t\\\\'"),
            ("\u{0}\u{7f}\u{a0}", "'\\x00\\x7f\\xa0'"),
            ("žluť e\u{301}", "'žluť e\u{301}'"),
            ("\u{200b}\u{feff}", "'\\u200b\\ufeff'"),
        ];
        for (text, quoted) in table {
            assert_eq!(repr(text), quoted);
        }
    }
}

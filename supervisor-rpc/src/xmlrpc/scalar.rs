//! The texts of typed elements as values, as Supervisor 4.3 converts them.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Bits beyond the last whole byte are ignored, as Python does.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A decimal integer with white space round it; one beyond 64 bits is clamped.
pub(super) fn int(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if negative { i64::MIN } else { i64::MAX }))
}

/// A decimal number with white space round it.
pub(super) fn double(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// UTF-8 text in base64; characters outside its alphabet are skipped, what follows the padding too.
pub(super) fn base64(text: &str) -> Option<String> {
    let mut letters = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => letters.push(byte),
            b'=' if letters.len() % 4 >= 2 => letters.push(byte),
            _ => continue,
        }
        if byte == b'=' && letters.len() % 4 == 0 {
            break;
        }
    }
    String::from_utf8(BASE64.decode(letters).ok()?).ok()
}

/// True for `YYYYMMDDTHH:MM:SS`. No value holds a date, since no method takes one.
pub(super) fn is_date(text: &str) -> bool {
    let pattern = b"dddddddd?dd:dd:dd";
    text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'?' => byte == b'T',
            other => byte == *other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        let table = [
            ("5", Some(5)),
            (" +5\n", Some(5)),
            ("-07", Some(-7)),
            ("99999999999999999999", Some(i64::MAX)),
            ("-99999999999999999999", Some(i64::MIN)),
            ("", None),
            ("-", None),
            ("1.5", None),
            ("0x10", None),
            ("five", None),
        ];
        for (text, value) in table {
            assert_eq!(int(text), value, "{text:?}");
        }
    }

    #[test]
    fn base64_as_python_reads_it() {
        let table = [
            ("b2Zm", Some("off")),
            ("\nb2\nZm\n", Some("off")),
            ("b2Zm*-b2Zm", Some("offoff")),
            ("YQ==YQ==", Some("a")),
            ("=YQ==", Some("a")),
            ("", Some("")),
            ("b2Z", None),
            ("b2Zmb", None),
            ("YQ=", None),
            ("/w==", None),
        ];
        for (text, value) in table {
            assert_eq!(base64(text).as_deref(), value, "{text:?}");
        }
    }

    #[test]
    fn dates() {
        assert!(is_date("20200101T10:00:00"));
        assert!(!is_date("2020"));
        assert!(!is_date("20200101 10:00:00"));
    }
}

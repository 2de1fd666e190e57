//! One conversion of a template: `%(name)05.1f` and the like, on a text or a whole number.
//!
//! Follows `printf(3)` as Python's `%` operator does. Widths are bounded, so that a template cannot ask for gigabytes.

use super::python::repr;

/// The widest field and the greatest precision that are served.
const MAXIMUM_WIDTH: usize = 4096;

/// What a name in a template stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Any text.
    Text(&'a str),
    /// A whole number.
    Number(i64),
}

/// What stands between `%(name)` and the end of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Conversion {
    alternate: bool,
    zero: bool,
    left: bool,
    space: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

impl Conversion {
    /// Reads flags, width, precision, length and the letter from `chars[*at..]`; leaves `at` behind the letter.
    ///
    /// # Errors
    /// The reason, in Python's words.
    pub(crate) fn read(chars: &[char], at: &mut usize) -> Result<Self, String> {
        let mut conversion = Self::default();
        while let Some(flag) = chars.get(*at).filter(|c| "#0- +".contains(**c)) {
            match flag {
                '#' => conversion.alternate = true,
                '0' => conversion.zero = true,
                '-' => conversion.left = true,
                ' ' => conversion.space = true,
                _ => conversion.plus = true,
            }
            *at += 1;
        }
        conversion.width = number(chars, at)?;
        if chars.get(*at) == Some(&'.') {
            *at += 1;
            conversion.precision = Some(number(chars, at)?);
        }
        if chars.get(*at).is_some_and(|c| "hlL".contains(*c)) {
            *at += 1;
        }
        conversion.letter = *chars.get(*at).ok_or("incomplete format")?;
        *at += 1;
        Ok(conversion)
    }

    /// The value in this form. `index` is the place of the letter, for the message.
    ///
    /// # Errors
    /// The reason, in Python's words.
    pub(crate) fn apply(&self, value: Value<'_>, index: usize) -> Result<String, String> {
        let letter = self.letter;
        match (letter, value) {
            ('s', Value::Text(text)) => Ok(self.text(text)),
            ('s' | 'r' | 'a', Value::Number(number)) => Ok(self.text(&number.to_string())),
            ('r' | 'a', Value::Text(text)) => Ok(self.text(&repr(text))),
            ('c', Value::Text(text)) if text.chars().count() == 1 => Ok(self.padded(text)),
            ('c', Value::Text(_)) => Err("%c requires int or char".to_owned()),
            ('c', Value::Number(number)) => match u32::try_from(number).ok().and_then(char::from_u32) {
                Some(c) => Ok(self.padded(&c.to_string())),
                None => Err("%c arg not in range(0x110000)".to_owned()),
            },
            ('d' | 'i' | 'u' | 'o' | 'x' | 'X', Value::Number(number)) => Ok(self.whole(number)),
            ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Number(number)) => Ok(self.fraction(number)),
            ('d' | 'i' | 'u', Value::Text(_)) => Err(format!("%{letter} format: a real number is required, not str")),
            ('o' | 'x' | 'X', Value::Text(_)) => Err(format!("%{letter} format: an integer is required, not str")),
            ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Text(_)) => Err("must be real number, not str".to_owned()),
            ('*', _) => Err("* wants int".to_owned()),
            _ => Err(unsupported(letter, index)),
        }
    }

    fn text(&self, text: &str) -> String {
        let cut: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        self.padded(&cut)
    }

    /// A character has a width and no precision.
    fn padded(&self, text: &str) -> String {
        let width = self.width;
        if self.left { format!("{text:<width$}") } else { format!("{text:>width$}") }
    }

    fn whole(&self, number: i64) -> String {
        let size = number.unsigned_abs();
        let (prefix, digits) = match self.letter {
            'o' => ("0o", format!("{size:o}")),
            'x' => ("0x", format!("{size:x}")),
            'X' => ("0X", format!("{size:X}")),
            _ => ("", size.to_string()),
        };
        let prefix = if self.alternate { prefix } else { "" };
        let precision = self.precision.unwrap_or(0);
        self.pad(number < 0, prefix, &format!("{digits:0>precision$}"))
    }

    fn fraction(&self, number: i64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "printf of a whole number as a fraction is an approximation")]
        let size = number.unsigned_abs() as f64;
        let precision = self.precision.unwrap_or(6);
        let digits = match self.letter {
            'f' | 'F' => self.dotted(format!("{size:.precision$}")),
            'e' | 'E' => exponent(&self.dotted(format!("{size:.precision$e}"))),
            _ => self.general(size, precision.max(1)),
        };
        let digits = if self.letter.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
        self.pad(number < 0, "", &digits)
    }

    /// `%g`: the shorter of the two forms, without zeros at the end of the fraction.
    fn general(&self, size: f64, precision: usize) -> String {
        let scientific = format!("{size:.*e}", precision - 1);
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let power: usize = power.parse().unwrap_or(0);
        let tidy = |digits: &str| match digits.contains('.') && !self.alternate {
            true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => self.dotted(digits.to_owned()),
        };
        if power < precision {
            return tidy(&format!("{size:.*}", precision - 1 - power));
        }
        exponent(&format!("{}e{power}", tidy(mantissa)))
    }

    /// With `#` there is always a decimal point.
    fn dotted(&self, digits: String) -> String {
        if !self.alternate || digits.contains('.') {
            return digits;
        }
        match digits.split_once('e') {
            Some((mantissa, power)) => format!("{mantissa}.e{power}"),
            None => format!("{digits}."),
        }
    }

    fn pad(&self, negative: bool, prefix: &str, digits: &str) -> String {
        let sign = match negative {
            true => "-",
            false if self.plus => "+",
            false if self.space => " ",
            false => "",
        };
        let width = self.width;
        if self.left {
            format!("{:<width$}", format!("{sign}{prefix}{digits}"))
        } else if self.zero {
            let inner = width.saturating_sub(sign.len() + prefix.len());
            format!("{sign}{prefix}{digits:0>inner$}")
        } else {
            format!("{:>width$}", format!("{sign}{prefix}{digits}"))
        }
    }
}

/// The reason for a letter that is no conversion.
pub(crate) fn unsupported(letter: char, index: usize) -> String {
    let shown = if (' '..='~').contains(&letter) { letter } else { '?' };
    format!("unsupported format character '{shown}' (0x{:x}) at index {index}", u32::from(letter))
}

/// An exponent has a sign and at least two digits.
fn exponent(digits: &str) -> String {
    let (mantissa, power) = digits.split_once('e').unwrap_or((digits, "0"));
    format!("{mantissa}e+{power:0>2}")
}

fn number(chars: &[char], at: &mut usize) -> Result<usize, String> {
    let mut number = 0_usize;
    while let Some(digit) = chars.get(*at).and_then(|c| c.to_digit(10)) {
        number = number.saturating_mul(10).saturating_add(digit as usize);
        *at += 1;
    }
    if number > MAXIMUM_WIDTH { Err("width too big".to_owned()) } else { Ok(number) }
}

//! The grammar of `environment=`: `KEY=value` pairs as the legacy shell lexer of Python cuts them.
//!
//! Decides which characters form a token and how tokens make pairs. Works on the expanded text.

use std::collections::BTreeMap;

use super::convert::ValueError;

/// The variables of a text such as `A="1,2",B=/usr/bin`; later duplicates win.
///
/// # Errors
/// [`ValueError::Quotation`] or [`ValueError::Pairs`].
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, String>, ValueError> {
    let tokens = tokens(text)?;
    let mut variables = BTreeMap::new();
    for group in tokens.chunks(4) {
        match group {
            [key, equals, value, ..] if equals == "=" => {
                variables.insert(key.clone(), value.trim_matches(['\'', '"']).to_owned());
            }
            _ => return Err(ValueError::Pairs(text.to_owned())),
        }
    }
    Ok(variables)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_/.+-():".contains(c)
}

fn tokens(text: &str) -> Result<Vec<String>, ValueError> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if is_blank(c) => {}
            '#' => skip_comment(&mut chars),
            '\'' | '"' => {
                let mut token = String::from(c);
                loop {
                    let inner = chars.next().ok_or(ValueError::Quotation)?;
                    token.push(inner);
                    if inner == c {
                        break;
                    }
                }
                tokens.push(token);
            }
            c if is_word(c) => {
                let mut token = String::from(c);
                loop {
                    match chars.peek().copied() {
                        Some(next) if is_word(next) || next == '\'' || next == '"' => token.push(next),
                        // A comment right behind a word does not end it: the word goes on in the next line.
                        Some('#') => {
                            chars.next();
                            skip_comment(&mut chars);
                            continue;
                        }
                        _ => break,
                    }
                    chars.next();
                }
                tokens.push(token);
            }
            other => tokens.push(String::from(other)),
        }
    }
    Ok(tokens)
}

/// What separates tokens.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn skip_comment(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    for c in chars.by_ref() {
        if c == '\n' {
            break;
        }
    }
}

/// A text that [`parse`] reads back as these variables, each value hidden: what a dump of the configuration may show.
#[cfg(feature = "ini")]
pub(crate) fn masked(variables: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = variables.keys().map(|key| format!("{key}=\"***\"")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests;

//! Reads large answers, several times as fast as serde-xml-rs does, through quick-xml.
//!
//! quick-xml lets much pass that is not well-formed, so this is for the client, which knows whom it asked; calls never
//! come here. What it makes of a well-formed document is what `visit.rs` makes of it: `tests.rs` holds the two together.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

use super::decode::DecodeError;
use super::element::{Content, Found, Limits, Tag};

/// An element whose end has not come yet.
struct Open {
    tag: Tag,
    inside_params: bool,
    content: Content,
}

/// Reads a text without a document type declaration.
pub(super) fn read(text: &str, limits: Limits) -> Result<Found, DecodeError> {
    if let Some(odd) = odd_character(text) {
        return Err(malformed(format_args!("character {odd:?}")));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut document = Document { limits, elements: 0, open: Vec::new(), rooted: false, found: Found::default() };
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(start) => document.start(start.local_name().as_ref())?,
            Event::End(_) => document.end()?,
            Event::Text(text) => document.text(&text.xml10_content())?,
            Event::CData(text) => document.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => document.reference(&reference)?,
            Event::DocType(_) => return Err(DecodeError::Doctype),
            Event::Empty(_) | Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => return document.finish(),
        }
    }
}

struct Document {
    limits: Limits,
    elements: usize,
    open: Vec<Open>,
    rooted: bool,
    found: Found,
}

impl Document {
    fn start(&mut self, name: &str) -> Result<(), DecodeError> {
        let (tag, inside_params) = match self.open.last() {
            Some(parent) => (Tag::from_name(name), parent.inside_params || parent.tag == Tag::Params),
            None if self.rooted => return Err(malformed("more than one root element")),
            None => (Tag::Other, false),
        };
        if self.rooted {
            self.elements += 1;
            self.limits.check(self.open.len() + 1, self.elements)?;
        }
        self.rooted = true;
        self.open.push(Open { tag, inside_params, content: Content::default() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        let Some(Open { tag, inside_params, content }) = self.open.pop() else {
            return Err(malformed("an end without a beginning"));
        };
        let node = content.close(tag, inside_params, &mut self.found)?;
        if let Some(parent) = self.open.last_mut() {
            parent.content.add_child(parent.tag, tag, node);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), DecodeError> {
        match self.open.last_mut() {
            Some(element) => element.content.add_text(text),
            None if text.trim().is_empty() => {}
            None => return Err(malformed("text outside the root element")),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), DecodeError> {
        if let Some(c) = reference.resolve_char_ref().map_err(malformed)? {
            if !is_carried(c) {
                return Err(malformed("a reference to a character that XML cannot carry"));
            }
            return self.text(c.encode_utf8(&mut [0; 4]));
        }
        match resolve_xml_entity(reference) {
            Some(text) => self.text(text),
            None => Err(malformed("an unknown entity")),
        }
    }

    fn finish(self) -> Result<Found, DecodeError> {
        match self.rooted && self.open.is_empty() {
            true => Ok(self.found),
            false => Err(malformed("the text ends early")),
        }
    }
}

/// The first character that XML 1.0 cannot carry.
fn odd_character(text: &str) -> Option<char> {
    // Most texts have neither control characters nor the byte that U+FFFE and U+FFFF begin with, which is seen many bytes
    // at a time.
    let suspicious = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0xEF;
    if !text.bytes().fold(false, |found, byte| found | suspicious(byte)) {
        return None;
    }
    text.chars().find(|c| !is_carried(*c))
}

/// True for the characters of XML 1.0.
pub(super) const fn is_carried(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn malformed(why: impl std::fmt::Display) -> DecodeError {
    DecodeError::Malformed(why.to_string().chars().take(200).collect())
}

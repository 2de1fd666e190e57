//! Shows a document to `element.rs` through serde-xml-rs; the only code that knows how that crate shows XML.
//!
//! It shows an element as a map of its children, in order, in which text has the key `#text`; derived implementations
//! would lose white space and order, so the visitors are written by hand. Recursion ends at
//! [`MAX_DEPTH`](super::MAX_DEPTH), also in elements that mean nothing.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::decode::DecodeError;
use super::element::{Content, Found, Limits, Node, Tag};

/// What all elements of one document share.
#[derive(Debug)]
pub(super) struct Document {
    limits: Limits,
    elements: Cell<usize>,
    problem: RefCell<Option<DecodeError>>,
    found: RefCell<Found>,
}

impl Document {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, elements: Cell::default(), problem: RefCell::default(), found: RefCell::default() }
    }

    /// The root element, whatever its name.
    pub(super) fn root(&self) -> Element<'_> {
        Element { tag: Tag::Other, depth: 1, inside_params: false, document: self }
    }

    /// Why reading ended early, if it was not for the XML itself.
    pub(super) fn problem(&self) -> Option<DecodeError> {
        self.problem.borrow_mut().take()
    }

    pub(super) fn found(self) -> Found {
        self.found.into_inner()
    }

    /// Keeps a problem, which an error of serde-xml-rs cannot carry.
    fn fail<E: serde::de::Error>(&self, problem: DecodeError) -> E {
        *self.problem.borrow_mut() = Some(problem);
        E::custom("refused")
    }
}

/// The next key of a map, as a tag.
struct TagSeed;

impl<'de> DeserializeSeed<'de> for TagSeed {
    type Value = Tag;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tag, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for TagSeed {
    type Value = Tag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an element")
    }

    fn visit_str<E>(self, name: &str) -> Result<Tag, E> {
        Ok(Tag::from_name(name))
    }
}

/// One element, about to be read.
pub(super) struct Element<'a> {
    tag: Tag,
    depth: usize,
    inside_params: bool,
    document: &'a Document,
}

impl<'a> Element<'a> {
    fn child<E: serde::de::Error>(&self, tag: Tag) -> Result<Element<'a>, E> {
        let document = self.document;
        document.elements.set(document.elements.get() + 1);
        document.limits.check(self.depth + 1, document.elements.get()).map_err(|problem| document.fail(problem))?;
        let inside_params = self.inside_params || self.tag == Tag::Params;
        Ok(Element { tag, depth: self.depth + 1, inside_params, document })
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut content = Content::default();
        while let Some(tag) = map.next_key_seed(TagSeed)? {
            if tag == Tag::Text {
                content.add_text(&map.next_value::<String>()?);
            } else {
                let child = map.next_value_seed(self.child(tag)?)?;
                content.add_child(self.tag, tag, child);
            }
        }
        let mut found = self.document.found.borrow_mut();
        content.close(self.tag, self.inside_params, &mut found).map_err(|problem| self.document.fail(problem))
    }
}

//! What each element of a document means; the only code that knows serde-xml-rs's way of showing XML.
//!
//! serde-xml-rs shows an element as a map of its children, in order, in which text has the key `#text`. Each element
//! is visited by [`Element`], which yields one value: a scalar its text converted, `value` its first child or its text,
//! the containers their children. An element of another name is its text (Supervisor 4.3). Recursion ends at
//! [`MAX_DEPTH`](super::MAX_DEPTH), also in elements that mean nothing.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use supervisor_core::rpc::Value;

use super::decode::{DecodeError, MAX_DEPTH};
use super::scalar;

/// What a document said, wherever in it the elements stood.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) method: Option<String>,
    pub(super) params: Option<Vec<Value>>,
    pub(super) fault: Option<Value>,
}

/// What all elements of one document share.
#[derive(Debug)]
pub(super) struct Document {
    max_elements: usize,
    elements: Cell<usize>,
    problem: RefCell<Option<DecodeError>>,
    found: RefCell<Found>,
}

impl Document {
    pub(super) fn new(max_elements: usize) -> Self {
        Self { max_elements, elements: Cell::default(), problem: RefCell::default(), found: RefCell::default() }
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

    fn fail<E: serde::de::Error>(&self, problem: DecodeError) -> E {
        *self.problem.borrow_mut() = Some(problem);
        E::custom("refused")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Text,
    MethodName,
    Params,
    Param,
    Fault,
    Value,
    Int,
    Boolean,
    Double,
    Base64,
    DateTime,
    Nil,
    Array,
    Data,
    Struct,
    Member,
    Name,
    Other,
}

impl Tag {
    fn from_name(name: &str) -> Self {
        // A namespace prefix says nothing about the element's meaning.
        match name.rsplit(':').next().unwrap_or(name) {
            "#text" => Self::Text,
            "methodName" => Self::MethodName,
            "params" => Self::Params,
            "param" => Self::Param,
            "fault" => Self::Fault,
            "value" => Self::Value,
            "int" | "i4" => Self::Int,
            "boolean" => Self::Boolean,
            "double" => Self::Double,
            "base64" => Self::Base64,
            "dateTime.iso8601" => Self::DateTime,
            "nil" => Self::Nil,
            "array" => Self::Array,
            "data" => Self::Data,
            "struct" => Self::Struct,
            "member" => Self::Member,
            "name" => Self::Name,
            _ => Self::Other,
        }
    }

    /// True if every child counts; of other elements only the first does.
    const fn is_list(self) -> bool {
        matches!(self, Self::Params | Self::Data | Self::Struct)
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

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut content = Content::default();
        while let Some(tag) = map.next_key_seed(TagSeed)? {
            if tag == Tag::Text {
                let text: String = map.next_value()?;
                content.add_text(text);
                continue;
            }
            let child = map.next_value_seed(self.child(tag)?)?;
            match (tag, child) {
                (Tag::Name, Value::String(name)) if self.tag == Tag::Member => content.name = Some(name),
                (_, child) if self.tag.is_list() || content.children.is_empty() => content.children.push(child),
                _ => {}
            }
            content.has_children = true;
        }
        self.close(content).map_err(|problem| self.document.fail(problem))
    }
}

/// What an element held.
#[derive(Default)]
struct Content {
    /// The text before the first child.
    text: String,
    has_children: bool,
    children: Vec<Value>,
    /// The name of a member.
    name: Option<String>,
}

impl Content {
    fn add_text(&mut self, text: String) {
        if self.text.is_empty() && !self.has_children {
            self.text = text;
        } else if !self.has_children {
            self.text += &text;
        }
    }

    fn first(self) -> Option<Value> {
        self.children.into_iter().next()
    }
}

impl<'a> Element<'a> {
    fn child<E: serde::de::Error>(&self, tag: Tag) -> Result<Element<'a>, E> {
        let elements = self.document.elements.get() + 1;
        self.document.elements.set(elements);
        if self.depth >= MAX_DEPTH {
            return Err(self.document.fail(DecodeError::TooDeep));
        }
        if elements > self.document.max_elements {
            return Err(self.document.fail(DecodeError::TooManyElements(self.document.max_elements)));
        }
        let inside_params = self.inside_params || self.tag == Tag::Params;
        Ok(Element { tag, depth: self.depth + 1, inside_params, document: self.document })
    }

    /// The value of the element; what concerns the whole document is noted there.
    fn close(&self, content: Content) -> Result<Value, DecodeError> {
        Ok(match self.tag {
            Tag::Int => Value::Int(scalar::int(&content.text).ok_or(DecodeError::BadValue("int"))?),
            Tag::Double => Value::Double(scalar::double(&content.text).ok_or(DecodeError::BadValue("double"))?),
            Tag::Base64 => Value::String(scalar::base64(&content.text).ok_or(DecodeError::BadValue("base64"))?),
            Tag::DateTime if scalar::is_date(&content.text) => Value::Nil,
            Tag::DateTime => return Err(DecodeError::BadValue("dateTime.iso8601")),
            Tag::Boolean => Value::Bool(content.text == "1"),
            Tag::Nil => Value::Nil,
            Tag::Value if content.has_children => content.first().unwrap_or_default(),
            Tag::Array => content.first().unwrap_or_else(|| Value::Array(Vec::new())),
            Tag::Data => Value::Array(content.children),
            Tag::Struct => members(content.children)?,
            Tag::Member => member(content)?,
            Tag::Param => content.first().ok_or_else(|| missing("a value in <param>"))?,
            Tag::Params | Tag::Fault | Tag::MethodName => {
                self.note(content)?;
                Value::Nil
            }
            Tag::Value | Tag::Text | Tag::Name | Tag::Other => Value::String(content.text),
        })
    }

    fn note(&self, content: Content) -> Result<(), DecodeError> {
        let mut found = self.document.found.borrow_mut();
        match self.tag {
            _ if self.inside_params => {}
            Tag::MethodName => found.method = Some(content.text),
            Tag::Params => found.params = Some(content.children),
            Tag::Fault => found.fault = Some(content.first().ok_or_else(|| missing("a value in <fault>"))?),
            _ => {}
        }
        Ok(())
    }
}

fn missing(what: &str) -> DecodeError {
    DecodeError::Malformed(format!("{what} is missing"))
}

/// A member is a struct of one, until its struct takes it up.
fn member(content: Content) -> Result<Value, DecodeError> {
    let name = content.name.clone().ok_or_else(|| missing("the name of a member"))?;
    let value = content.first().ok_or_else(|| missing("the value of a member"))?;
    Ok(Value::Struct(vec![(name, value)]))
}

fn members(children: Vec<Value>) -> Result<Value, DecodeError> {
    let mut members = Vec::with_capacity(children.len());
    for child in children {
        match child {
            Value::Struct(one) => members.extend(one),
            _ => return Err(DecodeError::Malformed("a struct has something else than members".to_owned())),
        }
    }
    Ok(Value::Struct(members))
}

//! What each element of a document means, however it is read.
//!
//! Each element comes to one value: a scalar its text converted, `value` its first child or its text, the containers
//! their children. An element of another name is its text (Supervisor 4.3).

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

/// How much a document may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) elements: usize,
}

impl Limits {
    /// Refuses an element at this depth, the root being 1, if it is the one too many.
    pub(super) fn check(self, depth: usize, elements: usize) -> Result<(), DecodeError> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::TooDeep);
        }
        if elements > self.elements {
            return Err(DecodeError::TooManyElements(self.elements));
        }
        Ok(())
    }
}

/// The elements that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
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
    pub(super) fn from_name(name: &str) -> Self {
        match name {
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
            // A namespace prefix says nothing about the element's meaning.
            _ => name.rsplit_once(':').map_or(Self::Other, |(_, name)| Self::from_name(name)),
        }
    }

    /// True if every child counts; of other elements only the first does.
    const fn is_list(self) -> bool {
        matches!(self, Self::Params | Self::Data | Self::Struct)
    }
}

/// What an element comes to.
#[derive(Debug)]
pub(super) enum Node {
    Value(Value),
    /// Of a struct.
    Member(String, Value),
}

impl Node {
    /// A member alone is a struct of one.
    fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Member(name, value) => Value::Struct(vec![(name, value)]),
        }
    }
}

/// What an element holds.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The text before the first child.
    text: String,
    has_children: bool,
    /// The first child, of an element that is no list.
    first: Option<Value>,
    /// The children of a list.
    children: Vec<Value>,
    /// Those of a struct.
    members: Vec<(String, Value)>,
    /// The name of a member.
    name: Option<String>,
}

impl Content {
    pub(super) fn add_text(&mut self, text: &str) {
        if !self.has_children {
            self.text.reserve_exact(text.len());
            self.text += text;
        }
    }

    /// Adds a child of element `own`; of most elements only the first counts.
    pub(super) fn add_child(&mut self, own: Tag, tag: Tag, child: Node) {
        self.has_children = true;
        match (own, tag, child) {
            (Tag::Member, Tag::Name, Node::Value(Value::String(name))) => self.name = Some(name),
            (Tag::Struct, _, Node::Member(name, value)) => self.members.push((name, value)),
            (Tag::Struct, _, Node::Value(Value::Struct(members))) => self.members.extend(members),
            (_, _, child) if own.is_list() => self.children.push(child.into_value()),
            (_, _, child) => drop(self.first.get_or_insert_with(|| child.into_value())),
        }
    }

    /// What the element comes to; what concerns the whole document is noted in `found`.
    pub(super) fn close(self, own: Tag, inside_params: bool, found: &mut Found) -> Result<Node, DecodeError> {
        Ok(Node::Value(match own {
            Tag::Int => Value::Int(scalar::int(&self.text).ok_or(DecodeError::BadValue("int"))?),
            Tag::Double => Value::Double(scalar::double(&self.text).ok_or(DecodeError::BadValue("double"))?),
            Tag::Base64 => Value::String(scalar::base64(&self.text).ok_or(DecodeError::BadValue("base64"))?),
            Tag::DateTime if scalar::is_date(&self.text) => Value::Nil,
            Tag::DateTime => return Err(DecodeError::BadValue("dateTime.iso8601")),
            Tag::Boolean => Value::Bool(self.text == "1"),
            Tag::Nil => Value::Nil,
            Tag::Value if self.has_children => self.first.unwrap_or_default(),
            Tag::Array => self.first.unwrap_or_else(|| Value::Array(Vec::new())),
            Tag::Data => Value::Array(self.children),
            Tag::Struct if self.children.is_empty() => Value::Struct(self.members),
            Tag::Struct => return Err(malformed("a struct has something else than members")),
            Tag::Member => {
                let name = self.name.ok_or_else(|| missing("the name of a member"))?;
                return Ok(Node::Member(name, self.first.ok_or_else(|| missing("the value of a member"))?));
            }
            Tag::Param => self.first.ok_or_else(|| missing("a value in <param>"))?,
            Tag::Params | Tag::Fault | Tag::MethodName => {
                if !inside_params {
                    self.note(own, found)?;
                }
                Value::Nil
            }
            Tag::Value | Tag::Text | Tag::Name | Tag::Other => Value::String(self.text),
        }))
    }

    fn note(self, own: Tag, found: &mut Found) -> Result<(), DecodeError> {
        match own {
            Tag::MethodName => found.method = Some(self.text),
            Tag::Params => found.params = Some(self.children),
            _ => found.fault = Some(self.first.ok_or_else(|| missing("a value in <fault>"))?),
        }
        Ok(())
    }
}

fn missing(what: &str) -> DecodeError {
    malformed(&format!("{what} is missing"))
}

fn malformed(why: &str) -> DecodeError {
    DecodeError::Malformed(why.to_owned())
}

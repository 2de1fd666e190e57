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

/// What an element holds.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The text before the first child.
    text: String,
    has_children: bool,
    children: Vec<Value>,
    /// The name of a member.
    name: Option<String>,
}

impl Content {
    pub(super) fn add_text(&mut self, text: &str) {
        if !self.has_children {
            self.text += text;
        }
    }

    /// Adds a child of element `own`; of most elements only the first counts.
    pub(super) fn add_child(&mut self, own: Tag, tag: Tag, child: Value) {
        match (tag, child) {
            (Tag::Name, Value::String(name)) if own == Tag::Member => self.name = Some(name),
            (_, child) if own.is_list() || self.children.is_empty() => self.children.push(child),
            _ => {}
        }
        self.has_children = true;
    }

    fn first(self) -> Option<Value> {
        self.children.into_iter().next()
    }

    /// The value of the element; what concerns the whole document is noted in `found`.
    pub(super) fn close(self, own: Tag, inside_params: bool, found: &mut Found) -> Result<Value, DecodeError> {
        Ok(match own {
            Tag::Int => Value::Int(scalar::int(&self.text).ok_or(DecodeError::BadValue("int"))?),
            Tag::Double => Value::Double(scalar::double(&self.text).ok_or(DecodeError::BadValue("double"))?),
            Tag::Base64 => Value::String(scalar::base64(&self.text).ok_or(DecodeError::BadValue("base64"))?),
            Tag::DateTime if scalar::is_date(&self.text) => Value::Nil,
            Tag::DateTime => return Err(DecodeError::BadValue("dateTime.iso8601")),
            Tag::Boolean => Value::Bool(self.text == "1"),
            Tag::Nil => Value::Nil,
            Tag::Value if self.has_children => self.first().unwrap_or_default(),
            Tag::Array => self.first().unwrap_or_else(|| Value::Array(Vec::new())),
            Tag::Data => Value::Array(self.children),
            Tag::Struct => members(self.children)?,
            Tag::Member => member(self)?,
            Tag::Param => self.first().ok_or_else(|| missing("a value in <param>"))?,
            Tag::Params | Tag::Fault | Tag::MethodName => {
                if !inside_params {
                    self.note(own, found)?;
                }
                Value::Nil
            }
            Tag::Value | Tag::Text | Tag::Name | Tag::Other => Value::String(self.text),
        })
    }

    fn note(self, own: Tag, found: &mut Found) -> Result<(), DecodeError> {
        match own {
            Tag::MethodName => found.method = Some(self.text),
            Tag::Params => found.params = Some(self.children),
            _ => found.fault = Some(self.first().ok_or_else(|| missing("a value in <fault>"))?),
        }
        Ok(())
    }
}

fn missing(what: &str) -> DecodeError {
    DecodeError::Malformed(format!("{what} is missing"))
}

/// A member is a struct of one, until its struct takes it up.
fn member(mut content: Content) -> Result<Value, DecodeError> {
    let name = content.name.take().ok_or_else(|| missing("the name of a member"))?;
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

//! What a call answers: written piece by piece into a sink, so that large answers need no tree in between.

/// Takes an answer piece by piece; one implementor writes XML, another JSON.
///
/// Inside a struct every value is preceded by [`member`](Self::member).
pub trait AnswerSink {
    /// An integer; a wire that has only 32 bits clamps it.
    fn int(&mut self, value: i64);
    /// A boolean.
    fn boolean(&mut self, value: bool);
    /// A floating-point number.
    fn double(&mut self, value: f64);
    /// A text.
    fn string(&mut self, value: &str);
    /// Nothing; a wire that cannot say it sends the empty text.
    fn nil(&mut self);
    /// Opens an array.
    fn begin_array(&mut self);
    /// Closes the innermost array.
    fn end_array(&mut self);
    /// Opens a struct.
    fn begin_struct(&mut self);
    /// Names the member whose value comes next.
    fn member(&mut self, name: &str);
    /// Closes the innermost struct.
    fn end_struct(&mut self);
}

/// Something that can be the answer to a call.
pub trait Answer: Send + Sync {
    /// Writes exactly one value into `sink`.
    fn write_to(&self, sink: &mut dyn AnswerSink);
}

impl<T: Answer + 'static> From<T> for Box<dyn Answer> {
    fn from(answer: T) -> Self {
        Box::new(answer)
    }
}

/// A value of the wire: a parameter, or a small answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Nil,
    /// An integer.
    Int(i64),
    /// A boolean.
    Bool(bool),
    /// A floating-point number.
    Double(f64),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Self>),
    /// Named values in their order.
    Struct(Vec<(String, Self)>),
}

impl Value {
    /// The member of a struct with this name; the last one where a name is repeated.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(members) => members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl Answer for Value {
    fn write_to(&self, sink: &mut dyn AnswerSink) {
        match self {
            Self::Nil => sink.nil(),
            Self::Int(value) => sink.int(*value),
            Self::Bool(value) => sink.boolean(*value),
            Self::Double(value) => sink.double(*value),
            Self::String(value) => sink.string(value),
            Self::Array(values) => {
                sink.begin_array();
                for value in values {
                    value.write_to(sink);
                }
                sink.end_array();
            }
            Self::Struct(members) => {
                sink.begin_struct();
                for (name, value) in members {
                    sink.member(name);
                    value.write_to(sink);
                }
                sink.end_struct();
            }
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

value_from!(i64 => Int, i32 => Int, u32 => Int, bool => Bool, f64 => Double, String => String, &str => String, Vec<Value> => Array);

//! The parameters of a call and their conversion (Supervisor 4.3: loose conversions of numbers and truth).

use super::{Fault, Value};

/// The positional parameters of one call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params(pub Vec<Value>);

impl Params {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parameter at `index`.
    ///
    /// # Errors
    /// INCORRECT_PARAMETERS if it is missing or cannot be converted.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, Fault> {
        self.0.get(index).and_then(T::from_value).ok_or_else(Fault::incorrect_parameters)
    }

    /// The parameter at `index`, or `default` if it was left out.
    ///
    /// # Errors
    /// INCORRECT_PARAMETERS if it cannot be converted.
    pub fn get_or<T: FromValue>(&self, index: usize, default: T) -> Result<T, Fault> {
        match self.0.get(index) {
            None => Ok(default),
            Some(value) => T::from_value(value).ok_or_else(Fault::incorrect_parameters),
        }
    }
}

/// A type that a parameter can be read as.
pub trait FromValue: Sized {
    /// The value as this type, if it can be.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl FromValue for i64 {
    /// Integers, truncated floating-point numbers, numerals, and booleans as 0 and 1.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(value) => Some(*value),
            Value::Bool(value) => Some(Self::from(*value)),
            #[expect(clippy::cast_possible_truncation, reason = "a conversion from float saturates")]
            Value::Double(value) if value.is_finite() => Some(*value as Self),
            Value::String(text) => text.trim().parse().ok(),
            Value::Double(_) | Value::Nil | Value::Array(_) | Value::Struct(_) => None,
        }
    }
}

impl FromValue for bool {
    /// Truth as Python tests it: 0, false, nothing and empty texts and lists are false, all else is true.
    fn from_value(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Nil => false,
            Value::Int(value) => *value != 0,
            Value::Bool(value) => *value,
            Value::Double(value) => *value != 0.0,
            Value::String(text) => !text.is_empty(),
            Value::Array(values) => !values.is_empty(),
            Value::Struct(members) => !members.is_empty(),
        })
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    /// A list in which every entry can be read so.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Array(values) => values.iter().map(T::from_value).collect(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_truth_convert_loosely() {
        let params = Params(vec![
            Value::from("3"),
            Value::Double(3.7),
            Value::Bool(true),
            Value::from("x"),
            Value::from("false"),
        ]);
        assert_eq!(params.get::<i64>(0), Ok(3));
        assert_eq!(params.get::<i64>(1), Ok(3));
        assert_eq!(params.get::<i64>(2), Ok(1));
        assert_eq!(params.get::<i64>(3), Err(Fault::incorrect_parameters()));
        assert_eq!(params.get::<bool>(4), Ok(true));
        assert_eq!(params.get::<String>(1), Err(Fault::incorrect_parameters()));
        assert_eq!(params.get_or(9, true), Ok(true));
    }

    #[test]
    fn a_list_is_read_as_a_whole() {
        let list = Value::Array(vec![Value::Int(1), Value::from("2")]);
        assert_eq!(Vec::<i64>::from_value(&list), Some(vec![1, 2]));
        assert_eq!(Vec::<String>::from_value(&list), None);
        assert_eq!(Vec::<i64>::from_value(&Value::Int(1)), None);
    }
}

//! Attribute values as owned data, for the few spans whose details somebody asks for.
//!
//! OTLP `AnyValue` (opentelemetry-proto `common.proto`): an empty value is not an empty string.

use std::fmt;

use serde::Serialize;

/// An OTLP `AnyValue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "type", content = "value")]
pub enum Value {
    /// No member of the oneof is set.
    #[default]
    Empty,
    /// `string_value`. Bytes that are not UTF-8 and lone surrogates were replaced by U+FFFD.
    String(String),
    /// `bool_value`.
    Bool(bool),
    /// `int_value`.
    Int(i64),
    /// `double_value`, NaN and infinities included.
    Double(f64),
    /// `bytes_value`.
    Bytes(Vec<u8>),
    /// `array_value`.
    Array(Vec<Value>),
    /// `kvlist_value`, in the order it was written, duplicate keys included.
    Map(Vec<Attribute>),
}

/// An OTLP `KeyValue`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribute {
    /// The attribute's name.
    pub key: String,
    /// Its value.
    pub value: Value,
}

impl fmt::Display for Value {
    /// The value on one line: strings bare, arrays and maps as JSON would have them, bytes as their number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("(empty)"),
            Self::String(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::Bytes(bytes) => write!(f, "({} bytes)", bytes.len()),
            Self::Array(items) => {
                f.write_str("[")?;
                for (number, item) in items.iter().enumerate() {
                    f.write_str(if number > 0 { ", " } else { "" })?;
                    quoted(item, f)?;
                }
                f.write_str("]")
            }
            Self::Map(members) => {
                f.write_str("{")?;
                for (number, member) in members.iter().enumerate() {
                    write!(f, "{}{:?}: ", if number > 0 { ", " } else { "" }, member.key)?;
                    quoted(&member.value, f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quoted(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::String(text) => write!(f, "{text:?}"),
        other => write!(f, "{other}"),
    }
}

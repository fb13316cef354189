//! Attribute values as owned data, for the few spans whose details somebody asks for.
//!
//! OTLP `AnyValue` (opentelemetry-proto `common.proto`): an empty value is not an empty string.

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

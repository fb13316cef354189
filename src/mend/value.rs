//! Values with their secrets hidden, put back into the form that writers take.
//!
//! Comes in: decoded values. Goes out: the same with secrets hidden, as text or as the bytes of an OTLP/JSON array or map.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use crate::model::{Attribute, Value};
use crate::redact;

/// What stands for a value that had to be changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owned {
    /// A text.
    Text(String),
    /// An array or map: OTLP/JSON, and whether it is a map.
    Nested(Vec<u8>, bool),
}

/// The value with its secrets hidden, if it has any.
pub(super) fn veiled(key: &str, value: &Value) -> Option<Owned> {
    let mut copy = value.clone();
    veil(key, &mut copy);
    match copy {
        copy if copy == *value => None,
        Value::String(text) => Some(Owned::Text(text)),
        Value::Array(values) => {
            let values: Vec<Json> = values.iter().map(any_value).collect();
            Some(Owned::Nested(json!({ "values": values }).to_string().into_bytes(), false))
        }
        Value::Map(members) => {
            Some(Owned::Nested(json!({ "values": entries(&members) }).to_string().into_bytes(), true))
        }
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => None,
    }
}

/// The key of an array is the key of its values; a map's entries have their own.
fn veil(key: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = redact::attribute_text(key, text).into_owned(),
        Value::Bytes(_) if redact::is_secret_key(key) => *value = Value::String(redact::hidden("")),
        Value::Bytes(bytes) => {
            if let Cow::Owned(hidden) = redact::text(&String::from_utf8_lossy(bytes)) {
                *value = Value::String(hidden);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| veil(key, value)),
        Value::Map(members) => members.iter_mut().for_each(|member| veil(&member.key, &mut member.value)),
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) => {}
    }
}

fn entries(members: &[Attribute]) -> Vec<Json> {
    members.iter().map(|member| json!({ "key": member.key, "value": any_value(&member.value) })).collect()
}

fn any_value(value: &Value) -> Json {
    match value {
        Value::Empty => json!({}),
        Value::String(text) => json!({ "stringValue": text }),
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Int(number) => json!({ "intValue": number.to_string() }),
        Value::Double(number) if number.is_finite() => json!({ "doubleValue": number }),
        Value::Double(number) if number.is_nan() => json!({ "doubleValue": "NaN" }),
        Value::Double(number) => json!({ "doubleValue": if *number > 0.0 { "Infinity" } else { "-Infinity" } }),
        Value::Bytes(bytes) => {
            use base64::Engine as _;
            json!({ "bytesValue": base64::engine::general_purpose::STANDARD.encode(bytes) })
        }
        Value::Array(values) => {
            json!({ "arrayValue": { "values": values.iter().map(any_value).collect::<Vec<_>>() } })
        }
        Value::Map(members) => json!({ "kvlistValue": { "values": entries(members) } }),
    }
}

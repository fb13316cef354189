//! Values with their secrets hidden, put back into the form that writers take.
//!
//! Comes in: decoded values. Goes out: the same with secrets hidden, as text or as the bytes of an OTLP/JSON array or map.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use crate::model::{Attribute, Value};
use crate::otlp::{Nested, RawValue, Text, Wire};
use crate::redact::{Hides, Redactor, counts_tokens, is_blank, is_mark};

/// What stands for a value that had to be changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owned {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// An array or map: OTLP/JSON, and whether it is a map.
    Nested(Vec<u8>, bool),
}

impl Owned {
    /// Puts it in the place of a value.
    pub(super) fn put<'v>(&'v self, place: &mut RawValue<'v>) {
        *place = match self {
            Self::Text(text) => RawValue::Text(Text::known(text)),
            Self::Int(number) => RawValue::Int(*number),
            Self::Double(number) => RawValue::Double(*number),
            Self::Nested(raw, map) => RawValue::Nested(Nested { raw, wire: Wire::Json, map: *map }),
        };
    }
}

/// The value with its secrets hidden, if it has any.
pub(super) fn veiled(key: &str, value: &Value, redactor: &Redactor) -> Option<Owned> {
    let mut copy = value.clone();
    veil(&mut Vec::new(), key, &mut copy, redactor, redactor.hides(&[], key));
    (copy != *value).then(|| owned(copy)).flatten()
}

/// The value in the form that writers take; nothing for those that are never put anywhere.
pub(super) fn owned(value: Value) -> Option<Owned> {
    match value {
        Value::String(text) => Some(Owned::Text(text)),
        Value::Int(number) => Some(Owned::Int(number)),
        Value::Double(number) => Some(Owned::Double(number)),
        Value::Array(values) => {
            let values: Vec<Json> = values.iter().map(any_value).collect();
            Some(Owned::Nested(json!({ "values": values }).to_string().into_bytes(), false))
        }
        Value::Map(members) => {
            Some(Owned::Nested(json!({ "values": entries(&members) }).to_string().into_bytes(), true))
        }
        Value::Empty | Value::Bool(_) | Value::Bytes(_) => None,
    }
}

/// Hides what is to be under a key that hides so much, below others. The key of an array is the key of its values; the entries of a map
/// have their own, and what is in a map that is hidden is hidden as the map is.
fn veil(above: &mut Vec<String>, key: &str, value: &mut Value, redactor: &Redactor, hides: Hides) {
    match value {
        Value::String(text) if hides == Hides::Nothing => *text = redactor.value_text(above, key, text).into_owned(),
        Value::String(text) => {
            let blank = if hides == Hides::Secret { is_blank(text) } else { text.is_empty() || is_mark(text) };
            if !blank {
                *text = redactor.hidden(text);
            }
        }
        Value::Bytes(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let hidden = match hides {
                Hides::Nothing => redactor.value_text(above, key, &text),
                _ => Cow::Owned(redactor.hidden(&text)),
            };
            if let Cow::Owned(hidden) = hidden {
                *value = Value::String(hidden);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| veil(above, key, value, redactor, hides)),
        Value::Map(members) => {
            above.push(key.to_owned());
            for Attribute { key, value } in members {
                let own = redactor.hides(above, key).max(hides);
                veil(above, key, value, redactor, own);
            }
            above.pop();
        }
        Value::Int(number) => number_veiled(above, key, &number.to_string(), value, redactor, hides),
        Value::Double(number) => number_veiled(above, key, &number.to_string(), value, redactor, hides),
        Value::Bool(yes) if hides == Hides::Everything => *value = Value::String(redactor.hidden(&yes.to_string())),
        Value::Empty | Value::Bool(_) => {}
    }
}

fn number_veiled(above: &[String], key: &str, text: &str, value: &mut Value, redactor: &Redactor, hides: Hides) {
    let counted = || counts_tokens(key) || above.iter().any(|key| counts_tokens(key));
    let hidden = match hides {
        Hides::Nothing => redactor.fits_value(text),
        Hides::Secret => !counted(),
        Hides::Everything => true,
    };
    if !hidden {
        return;
    }
    let number = redactor.keeps_numbers().then(|| redactor.hidden_number(text));
    *value = match (&*value, number) {
        (Value::Int(_), Some(number)) => number.parse().map_or(Value::Empty, Value::Int),
        (Value::Double(_), Some(number)) => number.parse().map_or(Value::Empty, Value::Double),
        _ => Value::String(redactor.hidden(text)),
    };
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

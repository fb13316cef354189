//! Attribute values as plain JSON values, secrets hidden.
//!
//! Comes in: decoded attributes. Goes out: what JSON can hold. Bytes become base64, numbers that JSON lacks become text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::Pair;
use crate::model::{Attribute, Value};
use crate::redact::{attribute_text, hidden, is_secret_key, text};

/// Attributes in the order they were written.
pub(super) fn pairs(attributes: &[Attribute]) -> Vec<Pair> {
    attributes
        .iter()
        .map(|attribute| Pair { key: shown(&attribute.key), value: plain(&attribute.key, &attribute.value) })
        .collect()
}

fn shown(key: &str) -> String {
    text(key).into_owned()
}

fn plain(key: &str, value: &Value) -> Json {
    match value {
        Value::Empty => Json::Null,
        Value::String(text) => attribute_text(key, text).into_owned().into(),
        Value::Bool(yes) => (*yes).into(),
        Value::Int(_) | Value::Double(_) if is_secret_key(key) => hidden(&value.to_string()).into(),
        Value::Int(number) => (*number).into(),
        Value::Double(number) => {
            serde_json::Number::from_f64(*number).map_or_else(|| number.to_string().into(), Json::from)
        }
        Value::Bytes(bytes) if is_secret_key(key) => hidden(&STANDARD.encode(bytes)).into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::Array(values) => values.iter().map(|value| plain(key, value)).collect(),
        Value::Map(entries) => {
            entries.iter().map(|entry| (shown(&entry.key), plain(&entry.key, &entry.value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_json_and_secrets_are_hidden() {
        let entry = |key: &str, value| Attribute { key: key.into(), value };
        let map = Value::Map(vec![entry("password", Value::String("hunter2".into())), entry("n", Value::Int(-1))]);
        let values = pairs(&[
            entry("map", map),
            entry("nan", Value::Double(f64::NAN)),
            entry("bytes", Value::Bytes(vec![1, 2, 3])),
            entry(
                "http.request.header.authorization",
                Value::Array(vec![Value::String("Bearer 0123456789abcdef".into())]),
            ),
            entry("nothing", Value::Empty),
            entry(&format!("by.sk-ant-{}", "0123".repeat(8)), Value::Map(Vec::new())),
        ]);
        assert!(values.iter().all(|pair| !pair.key.contains("0123")));
        let shown: Vec<_> = values.iter().map(|pair| pair.value.to_string()).collect();
        assert_eq!(
            shown,
            [
                r#"{"n":-1,"password":"[redacted, 7 characters]"}"#,
                r#""NaN""#,
                r#""AQID""#,
                r#"["Bear...[redacted, 23 characters]"]"#,
                "null",
                "{}"
            ]
        );
    }
}

//! Hides secrets in the details of a span before anything of them is shown.
//!
//! Comes in: decoded details. Goes out: the same, with what looks like a secret cut to its first characters and its length.

use std::borrow::Cow;

use crate::capture::Detail;
use crate::model::{Attribute, Value};
use crate::redact;

/// Hides what must not be shown in a span's message, attributes and events.
pub(super) fn veil(detail: &mut Detail) {
    veil_text(&mut detail.message);
    veil_all(&mut detail.attributes);
    for event in &mut detail.events {
        veil_text(&mut event.name);
        veil_all(&mut event.attributes);
    }
}

fn veil_all(attributes: &mut [Attribute]) {
    for attribute in attributes {
        veil_value(&attribute.key, &mut attribute.value);
        veil_text(&mut attribute.key);
    }
}

fn veil_text(text: &mut String) {
    if let Cow::Owned(veiled) = redact::text(text) {
        *text = veiled;
    }
}

/// The key of an array is the key of its values; a map's entries have their own.
fn veil_value(key: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = redact::attribute_text(key, text).into_owned(),
        Value::Bytes(_) | Value::Int(_) | Value::Double(_) if redact::is_secret_key(key) => {
            *value = Value::String(redact::hidden(&value.to_string()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| veil_value(key, value)),
        Value::Map(entries) => veil_all(entries),
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::EventDetail;

    #[test]
    fn secrets_are_hidden_at_any_depth() {
        let entry = |key: &str, value| Attribute { key: key.into(), value };
        let header = entry("authorization", Value::Array(vec![Value::String("Bearer 0123456789".into())]));
        let token = format!("sk-ant-{}", "0123".repeat(8));
        let keyed = entry(&format!("tokens.{token}"), Value::Bool(true));
        let event = EventDetail { name: format!("with {token}"), ..EventDetail::default() };
        let attributes = vec![entry("headers", Value::Map(vec![header])), keyed];
        let mut detail = Detail { attributes, events: vec![event], ..Detail::default() };
        veil(&mut detail);
        let shown = format!("{:?} {:?}", detail.attributes, detail.events);
        assert!(shown.contains("Bear...[redacted, 17 characters]") && !shown.contains("0123"), "{shown}");
    }
}

//! Fingerprints of arguments and results: equal where they mean the same, however they are spelled.
//!
//! Comes in: recorded text. Goes out: a number that depends on what the text says, not on this run of the program.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value as Json;

use super::python;
use crate::otlp::RawAttribute;

/// Beyond this many bytes a text is taken as it stands: to read it would take more room than it is worth.
const MOST: usize = 1 << 18;

/// The fingerprint of arguments or a result: JSON with its members sorted and its numbers normalised, a Python repr as the JSON
/// it would be, anything else as it stands.
pub fn of(text: &str) -> u64 {
    let text = text.trim();
    match read(text) {
        Some(json) => hash(&canonical(&json)),
        None => hash(text),
    }
}

/// The fingerprint of a recorded exception: type, message and stack as they stand; `None` where it has none of them.
pub fn raised(attributes: &[RawAttribute<'_>]) -> Option<u64> {
    const PARTS: [&str; 3] = ["exception.type", "exception.message", "exception.stacktrace"];
    let part = |key: &str| attributes.iter().rev().find(|a| a.key.is(key)).and_then(|a| a.value.text());
    let parts = PARTS.map(part).map(|part| part.map(|text| text.decode()));
    parts.iter().flatten().any(|text| !text.is_empty()).then(|| hash(&parts))
}

fn read(text: &str) -> Option<Json> {
    if text.len() > MOST || !text.starts_with(['{', '[', '(', '"', '\'']) {
        return None;
    }
    python::value(text)
}

fn canonical(json: &Json) -> String {
    match json {
        Json::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(key, value)| format!("{key:?}:{}", canonical(value))).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Json::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_arguments_have_one_fingerprint() {
        let same = [r#"{"a":1,"b":[true,null]}"#, r#"{ "b": [true, null], "a": 1.0 }"#];
        assert_eq!(of(same[0]), of(same[1]));
        assert_eq!(of("{'q': 'x', 'n': None}"), of(r#"{"n":null,"q":"x"}"#));
        assert_eq!(of(r#"{'q': "it's"}"#), of(r#"{"q":"it's"}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
        assert_eq!(of(" plain "), of("plain"));
    }
}

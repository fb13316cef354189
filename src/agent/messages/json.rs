//! Attribute values as JSON values, however they were recorded.
//!
//! Comes in: a value in place, or a text. Goes out: a JSON value and what was wrong with it. Values of more than [`MOST`] bytes are
//! not read as JSON, which bounds what they can grow to.

use serde_json::{Map, Value as Json};

use super::defect::Flaw;
use super::{brief, loose};
use crate::agent::is_exclusion_note;
use crate::agent::parameters::TRUNCATION_NOTE;
use crate::model::Value;
use crate::otlp::RawValue;

/// A text of more bytes than this is not read as JSON.
pub(super) const MOST: usize = 8 << 20;
/// How deep structured values may be nested.
const MAX_DEPTH: usize = 64;

/// What was read of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    /// The value; a text where it is no JSON.
    pub(super) json: Json,
    /// What is wrong with it, if JSON was to be there.
    pub(super) flaw: Option<Flaw>,
}

/// How much of long texts is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Texts {
    /// All of it.
    #[default]
    Whole,
    /// That there is one: see [`brief`].
    Brief,
}

/// Reads an attribute's value that is JSON as text or as a structure.
pub(super) fn of_value(value: &RawValue<'_>, texts: Texts) -> Read {
    match value {
        RawValue::Text(text) => of_text(&text.decode(), texts),
        other => Read { json: plain(&other.decode(), 0), flaw: None },
    }
}

/// Reads a text that should be JSON. What stops too early is read as far as it goes.
pub(super) fn of_text(text: &str, texts: Texts) -> Read {
    if text.len() > MOST {
        let head: String = text.chars().take(MOST / 4).collect();
        return Read { json: Json::String(head), flaw: Some(Flaw::TooLarge { bytes: text.len() }) };
    }
    let (body, original) = without_note(text);
    let parsed = match texts {
        Texts::Whole => serde_json::from_str(body),
        Texts::Brief => brief::read(body),
    };
    match parsed {
        Ok(json) => Read { json, flaw: original.map(|original| Flaw::Cut { original }) },
        Err(error) => {
            let nearly = is_structured(body).then(|| loose::read(body)).flatten();
            let flaw = match (original, &nearly) {
                (Some(original), _) => Flaw::Cut { original },
                (None, Some(loose)) if loose.cut && error.is_eof() => Flaw::Truncated { at: body.len() },
                _ => Flaw::NotJson { at: offset(body, error.line(), error.column()) },
            };
            Read { json: nearly.map_or_else(|| Json::String(body.to_owned()), |loose| loose.value), flaw: Some(flaw) }
        }
    }
}

/// What is wrong with a text that has to be JSON. A note that stands for a value that was left out is none, and an empty text is no
/// value.
pub fn flaw_of_json(text: &str) -> Option<Flaw> {
    let text = text.trim();
    let nothing = text.is_empty() || is_exclusion_note(text);
    if nothing || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return None;
    }
    of_text(text, Texts::Brief).flaw
}

/// Reads a text that may be JSON: one that is not is no fault.
pub(super) fn of_any_text(text: &str, texts: Texts) -> Read {
    if !is_structured(text) {
        let text = if texts == Texts::Brief { brief::text(text) } else { text };
        return Read { json: Json::String(text.to_owned()), flaw: None };
    }
    let Read { json, flaw } = of_text(text, texts);
    Read { json, flaw: flaw.filter(|flaw| !matches!(flaw, Flaw::NotJson { .. })) }
}

/// A value that may be JSON as text, or a structure.
pub(super) fn of_any(value: &RawValue<'_>, texts: Texts) -> Read {
    match value {
        RawValue::Text(text) => of_any_text(&text.decode(), texts),
        other => of_value(other, texts),
    }
}

/// Whether a text looks like an object, an array, or an object of Python's.
fn is_structured(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['{', '[']) || {
        let name = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0);
        name > 0 && text.get(name..).is_some_and(|rest| rest.starts_with('('))
    }
}

/// A value of Letta's without the note that it was cut, and how many characters it had.
fn without_note(text: &str) -> (&str, Option<u64>) {
    let cut = text.strip_suffix(" chars)").and_then(|text| {
        let at = text.rfind(TRUNCATION_NOTE)?;
        let original = text.get(at + TRUNCATION_NOTE.len()..)?.parse().ok()?;
        Some((text.get(..at)?, Some(original)))
    });
    cut.unwrap_or((text, None))
}

/// The byte where a line and a column (both from 1) are.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

/// A decoded value as JSON; bytes as their number.
fn plain(value: &Value, depth: usize) -> Json {
    if depth > MAX_DEPTH {
        return Json::Null;
    }
    match value {
        Value::Empty => Json::Null,
        Value::String(text) => Json::String(text.clone()),
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Double(value) => Json::from(*value),
        Value::Bytes(bytes) => Json::String(format!("({} bytes)", bytes.len())),
        Value::Array(items) => items.iter().map(|item| plain(item, depth + 1)).collect(),
        Value::Map(members) => {
            let member = |member: &crate::model::Attribute| (member.key.clone(), plain(&member.value, depth + 1));
            Json::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
    }
}

/// The text of a string, or any other value as JSON; nothing for null.
pub(super) fn as_text(json: &Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The first of these members that is there and not null.
pub(super) fn member<'j>(json: &'j Json, names: &[&str]) -> Option<&'j Json> {
    let members = json.as_object()?;
    names.iter().find_map(|name| members.get(*name).filter(|value| !value.is_null()))
}

/// The first of these members that is a text, and not an empty one.
pub(super) fn text<'j>(json: &'j Json, names: &[&str]) -> Option<&'j str> {
    let members = json.as_object()?;
    names.iter().find_map(|name| members.get(*name)?.as_str().filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        let flaw = |text: &str| of_text(text, Texts::Whole).flaw;
        assert_eq!(flaw("[1]"), None);
        assert_eq!(flaw("[{\"a\": \"b"), Some(Flaw::Truncated { at: 9 }));
        assert_eq!(flaw("hello"), Some(Flaw::NotJson { at: 0 }));
        assert_eq!(flaw("{\"a\":\n nope}"), Some(Flaw::NotJson { at: 8 }));
        assert_eq!(flaw("[{'a': 'b... (truncated, original size: 70 chars)"), Some(Flaw::Cut { original: 70 }));
        assert_eq!(flaw(&"x".repeat(MOST + 1)), Some(Flaw::TooLarge { bytes: MOST + 1 }));
        assert_eq!(of_any_text("[so] be it", Texts::Whole), Read { json: "[so] be it".into(), flaw: None });
    }

    #[test]
    fn what_can_be_read_is_read() {
        let read = of_text(
            "{'messages': [{'role': 'user', 'content': 'hi... (truncated, original size: 99 chars)",
            Texts::Whole,
        );
        assert_eq!(read.json, serde_json::json!({"messages": [{"role": "user", "content": "hi"}]}));
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        assert!(of_text(&deep, Texts::Whole).json.is_string());
    }
}

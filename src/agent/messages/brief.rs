//! JSON read for its shape: long texts are not kept.
//!
//! Comes in: a text. Goes out: its value, in which a word stands for every long text, or the error that a whole reading gives. Who
//! asks which tools were called has no use for what was said.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

/// A text of more bytes is a long one: longer than names, ids and reasons are.
pub(super) const LONG: usize = 256;
/// What stands for a long text.
pub(super) const WORD: &str = "...";

/// Reads a value.
pub(super) fn read(text: &str) -> serde_json::Result<Json> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Brief.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// A text, or what stands for it: a long one that may be a value itself is kept.
pub(super) fn text(text: &str) -> &str {
    let value = text.trim_start().starts_with(['{', '[', '(', '"', '\'']);
    if text.len() > LONG && !value { WORD } else { text }
}

#[derive(Clone, Copy)]
struct Brief;

impl<'de> DeserializeSeed<'de> for Brief {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Brief {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(text(value).to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            map.insert(key, members.next_value_seed(self)?);
        }
        Ok(Json::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_long_texts_are_left_out() {
        let long = "word ".repeat(100);
        let list = format!("[{}1]", "1,".repeat(200));
        let json =
            serde_json::json!({ "role": "user", "content": long, "arguments": list, "n": [1, -2, 0.5, null, true] });
        let brief = read(&json.to_string()).unwrap();
        let wanted =
            serde_json::json!({ "role": "user", "content": "...", "arguments": list, "n": [1, -2, 0.5, null, true] });
        assert_eq!(brief, wanted);
    }

    proptest! {
        #[test]
        fn everything_else_is_read_as_ever(text in "[\\[\\]{}\"\\\\,: a-bné0-9truefalsn.-]{0,40}") {
            let whole = serde_json::from_str::<Json>(&text);
            let brief = read(&text);
            prop_assert_eq!(brief.as_ref().ok(), whole.as_ref().ok());
            let place = |error: &serde_json::Error| (error.line(), error.column(), error.is_eof());
            prop_assert_eq!(brief.as_ref().err().map(place), whole.as_ref().err().map(place));
        }
    }
}

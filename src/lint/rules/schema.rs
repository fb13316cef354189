//! JSON Schema as far as definitions of tools use it.
//!
//! Comes in: a schema and a value. Goes out: the first place where they do not fit. Judged are types, enum and const, bounds of numbers,
//! texts and arrays, patterns, required, properties, additionalProperties = false, items, allOf, references within the schema, and anyOf
//! and oneOf where no form fits. What else a schema says is not, so that nothing is blamed wrongly. Values are never told.

use std::cell::Cell;

use regex::RegexBuilder;
use serde_json::{Map, Value as Json};

/// Deeper values are not judged.
const DEPTH: usize = 32;
/// How often one looks at a part of a schema for one value.
const LOOKS: u32 = 10_000;
/// Bytes of a pattern that was made ready.
const PATTERN: usize = 1 << 20;

/// Where a value does not fit its schema; `None` where it does, or where nobody can tell.
pub(super) fn misfit(schema: &Json, value: &Json) -> Option<String> {
    // No arguments at all were recorded.
    if value.is_null() {
        return None;
    }
    Judge { root: schema, looks: Cell::new(LOOKS) }.judge(schema, value, "", 0)
}

struct Judge<'s> {
    /// What references are about.
    root: &'s Json,
    looks: Cell<u32>,
}

impl<'s> Judge<'s> {
    fn judge(&self, schema: &'s Json, value: &Json, path: &str, depth: usize) -> Option<String> {
        let schema = schema.as_object()?;
        let looks = self.looks.get().checked_sub(1).filter(|_| depth <= DEPTH)?;
        self.looks.set(looks);
        if let Some(place) = schema.get("$ref").and_then(Json::as_str) {
            // What stands beside a reference counts in some versions and not in others.
            let there = self.root.pointer(place.strip_prefix('#')?)?;
            return self.judge(there, value, path, depth + 1);
        }
        // What is said on a condition, or as what must not be.
        if ["if", "not"].iter().any(|key| schema.contains_key(*key)) {
            return None;
        }
        let place = if path.is_empty() { "the whole".to_owned() } else { format!("{path:?}") };
        let list = |key: &str| schema.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let each = |form: &'s Json| self.judge(form, value, path, depth + 1);
        if let Some(why) = list("allOf").iter().find_map(each) {
            return Some(why);
        }
        for key in ["anyOf", "oneOf"] {
            let forms = list(key);
            if !forms.is_empty() && forms.iter().all(|form| each(form).is_some()) {
                return Some(format!("{place} fits none of its {} forms", forms.len()));
            }
        }
        if let Some(wanted) = schema.get("type").filter(|wanted| !is_of(wanted, schema, value)) {
            return Some(format!("{place} is {}, not {}", kind(value), listed(wanted)));
        }
        let nullable = value.is_null() && schema.get("nullable") == Some(&Json::Bool(true));
        let allowed = schema.get("enum").and_then(Json::as_array).is_none_or(|allowed| allowed.contains(value));
        let allowed = nullable || allowed && schema.get("const").is_none_or(|only| only == value);
        if !allowed {
            return Some(format!("{place} is none of the values that are allowed"));
        }
        if let Some(why) = bound(schema, value) {
            return Some(format!("{place} {why}"));
        }
        match value {
            Json::Object(members) => self.object(schema, members, path, depth),
            Json::Array(items) => {
                let each = schema.get("items").filter(|each| each.is_object())?;
                let mut items = items.iter().enumerate();
                items.find_map(|(at, item)| self.judge(each, item, &format!("{path}[{at}]"), depth + 1))
            }
            _ => None,
        }
    }

    fn object(
        &self,
        schema: &'s Map<String, Json>,
        members: &Map<String, Json>,
        path: &str,
        depth: usize,
    ) -> Option<String> {
        let inside = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let required = schema.get("required").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        if let Some(missing) = required.iter().filter_map(Json::as_str).find(|key| !members.contains_key(*key)) {
            return Some(format!("missing required {:?}", inside(missing)));
        }
        let known = schema.get("properties").and_then(Json::as_object);
        let closed =
            schema.get("additionalProperties") == Some(&Json::Bool(false)) && !schema.contains_key("patternProperties");
        if closed && let Some(extra) = members.keys().find(|key| !known.is_some_and(|known| known.contains_key(*key))) {
            return Some(format!("{:?} is not among its properties", inside(extra)));
        }
        members.iter().find_map(|(key, value)| self.judge(known?.get(key)?, value, &inside(key), depth + 1))
    }
}

/// What bound a value is beyond.
fn bound(schema: &Map<String, Json>, value: &Json) -> Option<String> {
    let number = |key: &str| schema.get(key).and_then(Json::as_f64);
    let beyond = |key: &str, wrong: fn(f64, f64) -> bool, measured: f64, words: &str| {
        let limit = number(key).filter(|limit| wrong(measured, *limit))?;
        Some(format!("{words} {limit}"))
    };
    match value {
        Json::Number(value) => {
            let value = value.as_f64()?;
            beyond("minimum", |value, limit| value < limit, value, "is less than")
                .or_else(|| beyond("maximum", |value, limit| value > limit, value, "is more than"))
                .or_else(|| beyond("exclusiveMinimum", |value, limit| value <= limit, value, "is not more than"))
                .or_else(|| beyond("exclusiveMaximum", |value, limit| value >= limit, value, "is not less than"))
        }
        Json::String(text) => {
            let length = text.chars().count() as f64;
            beyond("minLength", |value, limit| value < limit, length, "has fewer characters than")
                .or_else(|| beyond("maxLength", |value, limit| value > limit, length, "has more characters than"))
                .or_else(|| {
                    let pattern = schema.get("pattern").and_then(Json::as_str)?;
                    // Patterns of JavaScript that this knows nothing of are not judged.
                    let pattern = RegexBuilder::new(pattern).size_limit(PATTERN).build().ok()?;
                    (!pattern.is_match(text)).then(|| "does not match its pattern".to_owned())
                })
        }
        Json::Array(items) => {
            let length = items.len() as f64;
            beyond("minItems", |value, limit| value < limit, length, "has fewer items than")
                .or_else(|| beyond("maxItems", |value, limit| value > limit, length, "has more items than"))
        }
        _ => None,
    }
}

fn is_of(wanted: &Json, schema: &Map<String, Json>, value: &Json) -> bool {
    let one = |wanted: &str| match wanted.to_ascii_lowercase().as_str() {
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        // A type of some other dialect.
        _ => true,
    };
    let nullable = value.is_null() && schema.get("nullable") == Some(&Json::Bool(true));
    nullable
        || match wanted {
            Json::String(wanted) => one(wanted),
            Json::Array(any) => any.iter().filter_map(Json::as_str).any(one),
            _ => true,
        }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

fn listed(wanted: &Json) -> String {
    match wanted {
        Json::String(wanted) => wanted.to_ascii_lowercase(),
        Json::Array(any) => any.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" or "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": { "type": "string" },
                "days": { "type": ["integer", "null"] },
                "unit": { "enum": ["c", "f"] },
                "tags": { "type": "array", "items": { "type": "string" } },
                "deep": { "type": "OBJECT", "properties": { "x": { "type": "NUMBER" } }, "required": ["x"] },
                "free": { "anyOf": [{ "type": "string" }, { "type": "integer" }] },
            },
            "required": ["city"],
            "additionalProperties": false,
        });
        let said = |value: Json| misfit(&schema, &value).unwrap_or_default();
        assert_eq!(said(json!({ "city": "Bern", "days": 3.0, "unit": "c", "tags": ["a"], "free": 7 })), "");
        assert_eq!(said(json!({ "city": "Bern", "days": null, "deep": { "x": 1.5 } })), "");
        assert_eq!(said(json!({ "town": "Bern" })), "missing required \"city\"");
        assert_eq!(said(json!({ "city": 7 })), "\"city\" is a number, not string");
        assert_eq!(said(json!({ "city": "", "days": 1.5 })), "\"days\" is a number, not integer or null");
        assert_eq!(said(json!({ "city": "", "unit": "k" })), "\"unit\" is none of the values that are allowed");
        assert_eq!(said(json!({ "city": "", "tags": ["a", 1] })), "\"tags[1]\" is a number, not string");
        assert_eq!(said(json!({ "city": "", "deep": {} })), "missing required \"deep.x\"");
        assert_eq!(said(json!({ "city": "", "wind": 1 })), "\"wind\" is not among its properties");
        assert_eq!(said(json!({ "city": "", "free": [] })), "\"free\" fits none of its 2 forms");
        assert_eq!(misfit(&json!(true), &json!({})), None);
        assert_eq!(misfit(&json!({ "type": "string", "nullable": true }), &Json::Null), None);
    }

    #[test]
    fn bounds_references_and_forms_are_judged() {
        let schema = json!({
            "$defs": { "Place": { "type": "object", "required": ["city"] }, "Loop": { "$ref": "#/$defs/Loop" } },
            "properties": {
                "place": { "$ref": "#/$defs/Place" },
                "day": { "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 31 }, { "type": "null" }] },
                "share": { "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
                "code": { "type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[A-Z]+$" },
                "odd": { "pattern": "(?=lookahead)" },
                "list": { "minItems": 1, "maxItems": 2 },
                "both": { "allOf": [{ "type": "string" }, { "maxLength": 1 }] },
                "only": { "const": "x" },
                "never": { "not": { "type": "string" } },
                "loop": { "$ref": "#/$defs/Loop" },
                "elsewhere": { "$ref": "https://example.com/schema" },
            },
        });
        let said = |value: Json| misfit(&schema, &value).unwrap_or_default();
        for fine in [
            json!({ "place": { "city": "Bern" }, "day": null, "share": 0.5, "code": "CH", "list": [1], "both": "x" }),
            json!({ "day": 31, "only": "x", "never": "x", "loop": 1, "elsewhere": 1, "odd": "x" }),
        ] {
            assert_eq!(said(fine.clone()), "", "{fine}");
        }
        assert_eq!(said(json!({ "place": {} })), "missing required \"place.city\"");
        assert_eq!(said(json!({ "day": 32 })), "\"day\" fits none of its 2 forms");
        assert_eq!(said(json!({ "share": 1 })), "\"share\" is not less than 1");
        assert_eq!(said(json!({ "share": 0 })), "\"share\" is not more than 0");
        assert_eq!(said(json!({ "code": "C" })), "\"code\" has fewer characters than 2");
        assert_eq!(said(json!({ "code": "Ch" })), "\"code\" does not match its pattern");
        assert_eq!(said(json!({ "list": [] })), "\"list\" has fewer items than 1");
        assert_eq!(said(json!({ "list": [1, 2, 3] })), "\"list\" has more items than 2");
        assert_eq!(said(json!({ "both": "xy" })), "\"both\" has more characters than 1");
        assert_eq!(said(json!({ "only": "y" })), "\"only\" is none of the values that are allowed");
    }

    #[test]
    fn a_schema_that_explodes_is_given_up() {
        let schema = json!({ "$defs": { "T": { "allOf": [{ "$ref": "#/$defs/T" }, { "$ref": "#/$defs/T" }] } }, "$ref": "#/$defs/T" });
        assert_eq!(misfit(&schema, &json!({})), None);
    }
}

//! A small part of JSON Schema: what definitions of tools are made of.
//!
//! Comes in: a schema and a value. Goes out: the first place where they do not fit. Type, enum, required, properties,
//! additionalProperties = false and items are judged; a schema that combines others is not, so that nothing is blamed wrongly.
//! Values are never told.

use serde_json::{Map, Value as Json};

/// Deeper values are not judged.
const DEPTH: usize = 32;

/// Where a value does not fit its schema; `None` where it does, or where nobody can tell.
pub(super) fn misfit(schema: &Json, value: &Json) -> Option<String> {
    // No arguments at all were recorded.
    if value.is_null() {
        return None;
    }
    judge(schema, value, "", 0)
}

fn judge(schema: &Json, value: &Json, path: &str, depth: usize) -> Option<String> {
    let schema = schema.as_object()?;
    let combined = ["$ref", "anyOf", "oneOf", "allOf", "not", "if"].iter().any(|key| schema.contains_key(*key));
    if depth > DEPTH || combined {
        return None;
    }
    let place = if path.is_empty() { "the whole".to_owned() } else { format!("{path:?}") };
    if let Some(wanted) = schema.get("type").filter(|wanted| !is_of(wanted, schema, value)) {
        return Some(format!("{place} is {}, not {}", kind(value), listed(wanted)));
    }
    let nullable = value.is_null() && schema.get("nullable") == Some(&Json::Bool(true));
    if schema.get("enum").and_then(Json::as_array).is_some_and(|allowed| !allowed.contains(value) && !nullable) {
        return Some(format!("{place} is none of the values that are allowed"));
    }
    match value {
        Json::Object(members) => object(schema, members, path, depth),
        Json::Array(items) => {
            let each = schema.get("items").filter(|each| each.is_object())?;
            items.iter().enumerate().find_map(|(at, item)| judge(each, item, &format!("{path}[{at}]"), depth + 1))
        }
        _ => None,
    }
}

fn object(schema: &Map<String, Json>, members: &Map<String, Json>, path: &str, depth: usize) -> Option<String> {
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
    members.iter().find_map(|(key, value)| judge(known?.get(key)?, value, &inside(key), depth + 1))
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
        assert_eq!(said(json!({ "city": "Bern", "days": 3.0, "unit": "c", "tags": ["a"], "free": [] })), "");
        assert_eq!(said(json!({ "city": "Bern", "days": null, "deep": { "x": 1.5 } })), "");
        assert_eq!(said(json!({ "town": "Bern" })), "missing required \"city\"");
        assert_eq!(said(json!({ "city": 7 })), "\"city\" is a number, not string");
        assert_eq!(said(json!({ "city": "", "days": 1.5 })), "\"days\" is a number, not integer or null");
        assert_eq!(said(json!({ "city": "", "unit": "k" })), "\"unit\" is none of the values that are allowed");
        assert_eq!(said(json!({ "city": "", "tags": ["a", 1] })), "\"tags[1]\" is a number, not string");
        assert_eq!(said(json!({ "city": "", "deep": {} })), "missing required \"deep.x\"");
        assert_eq!(said(json!({ "city": "", "wind": 1 })), "\"wind\" is not among its properties");
        assert_eq!(misfit(&json!(true), &json!({})), None);
        assert_eq!(misfit(&json!({ "type": "string", "nullable": true }), &Json::Null), None);
    }
}

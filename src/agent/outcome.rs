//! What the result of a tool says of how it went.
//!
//! Comes in: a result as recorded. Goes out: its JSON, and whether a member of it says something.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::python;

/// Longer results are not read.
pub const MOST: usize = 1 << 20;

/// The object that a result is, in JSON, in JSON that was written into a text once more, or as Python prints it; nothing where it is none
/// of these, or longer than [`MOST`].
pub fn result_object(result: &str) -> Option<Json> {
    let result = result.trim();
    if result.len() > MOST || !result.starts_with(['{', '"']) {
        return None;
    }
    match python::value(result)? {
        Json::String(inner) if inner.trim_start().starts_with('{') => result_object(&inner),
        json => json.is_object().then_some(json),
    }
}

/// What a member of an object says, as text, where it is `value` in any case.
pub fn says<'j>(object: &'j Json, key: &str, value: &str) -> Option<Cow<'j, str>> {
    Some(member_text(object.get(key)?)).filter(|said| said.eq_ignore_ascii_case(value))
}

/// A member as text: strings bare.
pub fn member_text(json: &Json) -> Cow<'_, str> {
    json.as_str().map_or_else(|| json.to_string().into(), Into::into)
}

/// Whether a result says plainly that it is an error: `isError` of the Model Context Protocol, or the status `error` that Letta's tools
/// return and many others do.
pub(super) fn is_failure(result: &str) -> bool {
    // Most results are neither, and that is told without reading them.
    memchr::memmem::find(result.as_bytes(), b"rror").is_some()
        && result_object(result)
            .is_some_and(|object| says(&object, "isError", "true").or(says(&object, "status", "error")).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_failures_are_seen_in_every_form() {
        for result in [
            r#"{"status": "Error", "message": "x"}"#,
            r#" {"isError": true}"#,
            "{'status': 'error'}",
            r#""{\"status\": \"error\"}""#,
        ] {
            assert!(is_failure(result), "{result}");
        }
        for result in [
            r#"{"status": "ok", "errors": 0}"#,
            r#"[{"status": "error"}]"#,
            r#"{"isError": false}"#,
            "error",
            r#""error""#,
            r#"{"status": "error""#,
        ] {
            assert!(!is_failure(result), "{result}");
        }
        let long = format!(r#"{{"status": "error", "text": "{}"}}"#, "x".repeat(MOST));
        assert_eq!(result_object(&long), None);
    }
}

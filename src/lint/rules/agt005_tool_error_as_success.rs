//! AGT005: tools that failed under spans that are fine.
//!
//! Comes in: what a tool brought, as recorded. Goes out: one fact a result that says it is an error where the status does not.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::agent::python_json;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::otlp::{RawEvent, RawValue};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT005",
    name: "tool-error-as-success",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Span,
    summary: "A tool says that it failed, but its span does not",
    why: "Error rates are too low: whoever searches for failed spans finds none of these.",
    when: "a result with one of pointers at its top, in JSON or as Python prints it, or a traceback; tool_execution_completed with success=false; the end of a Letta tool with status=error.",
    bad: "result {\"status\": \"error\"} under status OK",
    good: "the same result under status ERROR",
    limits: &LIMITS,
    unit: None,
    source: "letta 0.16.8 execute_tool_async; tracelint R2a; Model Context Protocol isError",
    url: "https://modelcontextprotocol.io/specification/2025-06-18/server/tools#error-handling",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words(
    "pointers",
    &["status=error", "isError=true", "error"],
    "top-level members of a result that tell of an error: by their value, or because there is one",
)];

/// Longer results are not read.
const MOST: usize = 1 << 20;

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if look.span.status == 2 {
        return;
    }
    if look.span.events.iter().any(|event| has_failed(look, event)) {
        let note = "tool_execution_completed says success=false".into();
        return sink.found(Fact { class: "event", note, confidence: Some(Confidence::Proven), ..Fact::default() });
    }
    let Some(tool) = look.act.and_then(|act| act.tool.as_ref()) else { return };
    if tool.failed == Some(true) {
        let note = "its end says status=error".into();
        return sink.found(Fact { class: "end", note, confidence: Some(Confidence::Proven), ..Fact::default() });
    }
    let Some(result) = tool.result.as_deref() else { return };
    if result.len() > MOST {
        return sink.not_checked("the results of tools are too long to be read", 1);
    }
    if let Some(note) = says_error(result.trim(), look.words(0)) {
        sink.found(Fact { class: "result", note: note.into(), ..Fact::default() });
    }
}

/// Letta's event at the end of a tool.
fn has_failed(look: &SpanLook<'_>, event: &RawEvent<'_>) -> bool {
    event.name.is("tool_execution_completed")
        && look.span.pooled(&event.attributes).iter().any(|attribute| {
            attribute.key.is("success")
                && match &attribute.value {
                    RawValue::Bool(success) => !success,
                    other => other.text().is_some_and(|text| text.decode().eq_ignore_ascii_case("false")),
                }
        })
}

/// What in a result says that it is an error.
fn says_error(result: &str, pointers: &[String]) -> Option<String> {
    const TRACEBACK: &str = "Traceback (most recent call last):";
    if result.trim_start_matches('"').starts_with(TRACEBACK) {
        return Some("its result is a traceback".to_owned());
    }
    let told = |pointer: &&String| pointer.split('=').next().is_some_and(|key| result.contains(key));
    if !result.starts_with('{') || !pointers.iter().any(|pointer| told(&pointer)) {
        return None;
    }
    let json: Json = match serde_json::from_str(result) {
        Ok(json) => json,
        Err(_) => serde_json::from_str(&python_json(result)?).ok()?,
    };
    pointers.iter().find(|pointer| points(&json, pointer)).map(|pointer| format!("its result says {pointer}"))
}

fn points(json: &Json, pointer: &str) -> bool {
    match pointer.split_once('=') {
        Some((key, value)) => json.get(key).is_some_and(|found| text(found).eq_ignore_ascii_case(value)),
        None => json.get(pointer).is_some_and(|found| match found {
            Json::Null | Json::Bool(false) => false,
            Json::String(text) => !text.trim().is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(members) => !members.is_empty(),
            Json::Number(number) => number.as_f64() != Some(0.0),
            Json::Bool(true) => true,
        }),
    }
}

fn text(json: &Json) -> Cow<'_, str> {
    json.as_str().map_or_else(|| json.to_string().into(), Into::into)
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("{} is fine by its status, but {}", told.span_name, told.note),
        "set the span's status to ERROR when a tool fails, even where the agent can go on",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_at_the_top_is_an_error() {
        let pointers: Vec<String> = ["status=error", "isError=true", "error"].map(str::to_owned).into();
        for wrong in [
            r#"{"status": "error", "message": "x"}"#,
            r#"{"content": [], "isError": true}"#,
            r#"{"error": "no such order"}"#,
            "{'error': {'code': 7}}",
            "Traceback (most recent call last):\n  File",
        ] {
            assert!(says_error(wrong, &pointers).is_some(), "{wrong}");
        }
        for fine in [
            r#"{"status": "ok", "error": null}"#,
            r#"{"error": ""}"#,
            r#"{"rows": [{"error": "x"}]}"#,
            "the word error",
            r#"{"status": "error""#,
            "[\"error\"]",
        ] {
            assert_eq!(says_error(fine, &pointers), None, "{fine}");
        }
    }
}

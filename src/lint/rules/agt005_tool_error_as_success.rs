//! AGT005: tools that failed under spans that are fine.
//!
//! Comes in: what a tool brought, as recorded. Goes out: one fact a result that says it is an error where the status does not.

use serde_json::Value as Json;

use crate::agent::{LONGEST_RESULT, Role, member_text, result_object, says};
use crate::ledger::{Call, Kind};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::{SpanLook, TraceLook};
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
    check: Check { span: Some(check_span), trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words(
    "pointers",
    &["status=error", "isError=true", "error"],
    "top-level members of a result that tell of an error: by their value, or because there is one",
)];

/// How much of an error is told.
const TOLD: usize = 60;

fn check_span(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if look.span.status == 2 {
        return;
    }
    if look.span.events.iter().any(|event| has_failed(look, event)) {
        // The step of an agent says of its tool what the span of the tool mostly says itself.
        return match look.glance.role {
            Some(Role::Step) => sink.failed_step(),
            _ => event(sink),
        };
    }
    let Some(tool) = look.act.and_then(|act| act.tool.as_ref()) else { return };
    let result = tool.result.as_deref().unwrap_or_default();
    match says_error(result.trim(), look.words(0)) {
        Some(note) => sink.found(Fact { class: "result", note: note.into(), ..Fact::default() }),
        None if tool.failed == Some(true) => {
            let note = "its end says status=error".into();
            sink.found(Fact { class: "end", note, confidence: Some(Confidence::Proven), ..Fact::default() });
        }
        None if result.len() > LONGEST_RESULT => sink.not_checked("the results of tools are too long to be read", 1),
        None => {}
    }
}

fn event(sink: &mut Sink<'_>) {
    let note = "tool_execution_completed says success=false".into();
    sink.found(Fact { class: "event", note, confidence: Some(Confidence::Proven), ..Fact::default() });
}

/// Steps whose tool failed and does not say so itself, and tools that say nothing about how they ended.
fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 {
        return;
    }
    let tools = || look.account().calls().iter().filter(|call| call.kind == Kind::Tool);
    let says = |call: &Call| look.capture.brief(call.span).is_some_and(|brief| brief.failed.is_some());
    let silent = tools().filter(|call| call.result.is_none() && !call.failed && !call.cancelled && !says(call));
    let silent = silent.count() as u64;
    if silent > 0 {
        sink.not_checked("the results of tools were not recorded", silent);
    }
    if !look.known().has_failed_steps() {
        return;
    }
    for (_, node, span) in look.nodes().filter(|(.., span)| look.known().is_failed_step(*span)) {
        let step = |span| look.capture.brief(span).map(|brief| brief.step).filter(|step| !step.is_empty());
        let is_inside = |call: &&Call| match (step(span), step(call.span)) {
            (Some(own), Some(other)) => own == other,
            _ => (node.start..=node.last_ns()).contains(&call.start),
        };
        if !tools().filter(is_inside).any(|call| call.failed) {
            sink.look_at(span);
            event(sink);
        }
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
    if !pointers.iter().any(|pointer| told(&pointer)) {
        return None;
    }
    let object = result_object(result)?;
    pointers.iter().find_map(|pointer| points(&object, pointer))
}

/// What a member of a result says, where it tells of an error.
fn points(json: &Json, pointer: &str) -> Option<String> {
    let Some((key, value)) = pointer.split_once('=') else {
        let found = json.get(pointer)?;
        let tells = match found {
            Json::Null | Json::Bool(false) => false,
            Json::String(text) => !text.trim().is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(members) => !members.is_empty(),
            Json::Number(number) => number.as_f64() != Some(0.0),
            Json::Bool(true) => true,
        };
        let shown = member_text(found);
        let cut = shown.char_indices().nth(TOLD).map(|(at, _)| format!("{}...", shown.get(..at).unwrap_or_default()));
        return tells.then(|| format!("its result says {pointer}: {}", cut.as_deref().unwrap_or(&shown)));
    };
    says(json, key, value).map(|said| format!("its result says {key}={said}"))
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
    fn what_the_result_says_is_told() {
        let said = |result| says_error(result, &["error".to_owned(), "status=error".to_owned()]);
        assert_eq!(said(r#"{"error": "no such order"}"#).as_deref(), Some("its result says error: no such order"));
        assert_eq!(said(r#"{"status": "ERROR"}"#).as_deref(), Some("its result says status=ERROR"));
        assert!(said(&format!(r#"{{"error": "{}"}}"#, "x".repeat(90))).unwrap().ends_with("xxx..."));
    }

    #[test]
    fn only_what_stands_at_the_top_is_an_error() {
        let pointers: Vec<String> = ["status=error", "isError=true", "error"].map(str::to_owned).into();
        for wrong in [
            r#"{"status": "error", "message": "x"}"#,
            r#"{"content": [], "isError": true}"#,
            r#"{"error": "no such order"}"#,
            "{'error': {'code': 7}}",
            "Traceback (most recent call last):\n  File",
            r#""{\"status\": \"error\"}""#,
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

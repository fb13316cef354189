//! ERR005: a status that does not fit what else the span says.
//!
//! Comes in: a span. Goes out: one fact a contradiction.

use std::borrow::Cow;

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::model::Termination;
use crate::otlp::{RawEvent, RawSpan, RawValue};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR005",
    name: "status-contradiction",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "The status contradicts the exception, error type or HTTP status of the span",
    why: "Error rates are wrong, and the failure hides behind a green span.",
    when: "",
    bad: "http.response.status_code = 503 with status UNSET",
    good: "http.response.status_code = 503 with status ERROR",
    limits: &[],
    unit: Some(Unit::Count),
    source: "OpenTelemetry specification, recording errors; HTTP semantic conventions",
    url: "https://opentelemetry.io/docs/specs/semconv/general/recording-errors/",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

/// Attributes that say how a span ended.
pub(super) const KEYS: [&str; 5] =
    ["error.type", "http.status_code", "http.response.status_code", "error", "otel.status_code"];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let (span, failed) = (look.span, look.span.status == 2);
    let mut found = |class, observed, note: Cow<'_, str>| sink.found(Fact { class, observed, note, ..Fact::default() });
    let requested = look.glance.termination == Termination::Requested;
    let is_last = |event: &&RawEvent<'_>| event.name.is("exception") && is_last(span, event);
    if !failed
        && look.glance.exception
        && !requested
        && let Some(event) = span.events.iter().find(is_last)
    {
        let kind = span.pooled(&event.attributes).iter().find(|a| a.key.is("exception.type"));
        let kind = kind.and_then(|a| a.value.text()).map(|text| text.decode()).unwrap_or("exception".into());
        found("exception", None, kind);
    }
    let known = look.hints.has(Hints::STATUS).then(|| look.known()).into_iter().flatten();
    for (attribute, _) in known {
        let value = &attribute.value;
        match attribute.key.raw {
            b"error.type" if !failed && !requested => {
                if let Some(text) = value.text().filter(|text| !text.is_empty()) {
                    found("error type", None, text.decode());
                }
            }
            b"http.status_code" | b"http.response.status_code" if !failed => {
                let least = if span.kind == 3 { 400 } else { 500 };
                if let Some(code) = value.integer().filter(|code| (least..600).contains(code) && *code != 499) {
                    found("http status", u64::try_from(code).ok(), Cow::Borrowed(""));
                }
            }
            b"error" if flag(value).is_some_and(|says| says != failed) => {
                found("error attribute", None, if failed { "ERROR" } else { "not ERROR" }.into());
            }
            b"otel.status_code" => {
                let text = value.text().map(|text| text.decode().to_ascii_uppercase()).unwrap_or_default();
                let status = ["UNSET", "OK", "ERROR"].get(usize::try_from(span.status).unwrap_or(0)).copied();
                if matches!(text.as_str(), "OK" | "ERROR") && status != Some(text.as_str()) {
                    found("otel.status_code", None, text.into());
                }
            }
            _ => {}
        }
    }
    if span.status == 1 && !span.message.is_empty() {
        found("ok with message", None, Cow::Borrowed(""));
    }
}

/// Whether an exception ended the span: it was not caught inside, and stands in the last twentieth of its time.
fn is_last(span: &RawSpan<'_>, event: &RawEvent<'_>) -> bool {
    let escaped =
        span.pooled(&event.attributes).iter().find(|a| a.key.is("exception.escaped")).and_then(|a| flag(&a.value));
    let duration = span.end.saturating_sub(span.start);
    escaped != Some(false) && span.end != 0 && event.time >= span.end - duration / 20
}

fn flag(value: &RawValue<'_>) -> Option<bool> {
    match value {
        RawValue::Bool(flag) => Some(*flag),
        RawValue::Text(text) => match text.decode().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn tell(told: &Told<'_>) -> Words {
    let note = told.note;
    let message = match told.class {
        "exception" => format!("{note} ended the span, but its status is not ERROR"),
        "error type" => format!("error.type is {note:?}, but the status is not ERROR"),
        "http status" => format!("HTTP {}, but the status is not ERROR", told.observed),
        "error attribute" => format!("the attribute error says otherwise than the status, which is {note}"),
        "otel.status_code" => format!("otel.status_code says {note}, the status says otherwise"),
        _ => "status OK with a message: a message belongs to an error".to_owned(),
    };
    Words::new(message, "set the status to what happened")
}

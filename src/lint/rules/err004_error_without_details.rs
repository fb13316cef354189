//! ERR004: errors that do not say why.
//!
//! Comes in: a span. Goes out: one fact where status ERROR stands alone.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR004",
    name: "error-without-details",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "Status is ERROR without an exception, an error type or a message",
    why: "Nobody can tell this failure from any other.",
    bad: "status: {code: 2}",
    good: "status: {code: 2, message: \"RateLimitError: slow down\"}",
    limits: &[],
    unit: None,
    source: "OpenTelemetry specification, recording errors",
    url: "https://opentelemetry.io/docs/specs/semconv/general/recording-errors/",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    if span.status != 2 || !span.message.is_empty() || look.glance.exception {
        return;
    }
    let says = |key: &str| span.attribute(key).and_then(|value| value.text()).is_some_and(|text| !text.is_empty());
    if !says("error.type") && !says("exception.type") && !says("exception.message") {
        sink.found(Fact { class: "silent", ..Fact::default() });
    }
}

fn tell(_: &Told<'_>) -> Words {
    Words::new("status ERROR with no reason", "record the exception, or set error.type and a status message")
}

//! STR001: ids of the wrong length, all zero, or a span that is its own parent.
//!
//! Comes in: a span's ids. Goes out: one fact an odd id.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::otlp::{IdForm, RawId, Shape};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "STR001",
    name: "invalid-id",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A trace or span id has the wrong length, is all zero, or names the span as its own parent",
    why: "Backends drop such spans or cannot put them in their trace.",
    when: "",
    bad: "\"spanId\": \"0000000000000000\"",
    good: "\"spanId\": \"00f067aa0ba902b7\"",
    limits: &[],
    unit: None,
    source: "opentelemetry-proto trace.proto, Span fields 1, 2 and 4",
    url: "https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    if !matches!(span.shape, Shape::Zipkin | Shape::Jaeger) || span.trace_id.form != IdForm::Folded {
        judge("trace_id", &span.trace_id, span.shape, sink);
    }
    judge("span_id", &span.span_id, span.shape, sink);
    if span.parent_id.form != IdForm::Absent {
        judge("parent_span_id", &span.parent_id, span.shape, sink);
    }
    if span.parent_id.form == IdForm::Whole && span.parent_id.bits == span.span_id.bits {
        sink.found(Fact { class: "self", ..Fact::default() });
    }
}

fn judge(class: &'static str, id: &RawId<'_>, shape: Shape, sink: &mut Sink<'_>) {
    if id.form == IdForm::Whole {
        return;
    }
    let note: String = match id.form {
        IdForm::Absent => "missing".to_owned(),
        _ => id.spelled(shape).chars().take(64).collect(),
    };
    sink.found(Fact { class, note: note.into(), ..Fact::default() });
}

fn tell(told: &Told<'_>) -> Words {
    let bytes = if told.class == "trace_id" { 16 } else { 8 };
    let message = match told.class {
        "self" => "the span is its own parent".to_owned(),
        class => format!("{class} is {} (must be {bytes} bytes, not all zero)", told.note),
    };
    Words::new(message, "ids come from the SDK's id generator; do not make them up or cut them")
}

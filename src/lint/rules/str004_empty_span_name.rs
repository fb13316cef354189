//! STR004: spans without a name.
//!
//! Comes in: a span's name. Goes out: one fact where there is none.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "STR004",
    name: "empty-span-name",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A span has no name",
    why: "An empty name is the same as an unknown one: nobody can find the span, or count it with its like.",
    when: "",
    bad: "\"name\": \"\"",
    good: "\"name\": \"SELECT letta\"",
    limits: &[],
    unit: None,
    source: "opentelemetry-proto trace.proto, Span field 5",
    url: "https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if look.span.name.is_empty() {
        sink.found(Fact { class: "empty", ..Fact::default() });
    }
}

fn tell(_: &Told<'_>) -> Words {
    Words::new("the span has no name", "name the operation when the span is started")
}

//! PRF004: calls that took no time at all.
//!
//! Comes in: a span. Goes out: one fact where a call to a model, tool, server or database ends when it begins.

use crate::agent::Role;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "PRF004",
    name: "zero-duration",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A call to a model, tool, server or database took no time",
    why: "Nothing takes no time: the span was made up afterwards, and every latency it enters is wrong.",
    when: "",
    bad: "a chat span that ends when it begins",
    good: "a span that is started before the call and ended after it",
    limits: &[],
    unit: None,
    source: "own",
    url: "https://opentelemetry.io/docs/specs/otel/trace/api/#span-creation",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    if span.end != span.start || span.start == 0 {
        return;
    }
    let class = match look.glance.role {
        Some(Role::Llm) => "a call to a model",
        Some(Role::Tool) => "a tool",
        Some(Role::Http) => "an HTTP request",
        Some(Role::Db) => "a call to a database",
        _ => return,
    };
    sink.found(Fact { class, ..Fact::default() });
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("{}, {}, lasted 0 ns", told.span_name, told.class),
        "start the span before the call and end it after; use a clock that counts nanoseconds",
    )
}

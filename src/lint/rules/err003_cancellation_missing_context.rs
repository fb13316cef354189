//! ERR003: cancellations that do not say what was cancelled, and when.
//!
//! Comes in: the exception events of a span. Goes out: one fact a cancellation that lacks a key.

use crate::agent::cancels;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::model::Termination;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR003",
    name: "cancellation-missing-context",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "The exception of a cancellation lacks the task, the function or the time",
    why: "A cancellation has no cause of its own: without the task and the time nobody finds who cancelled it.",
    when: "",
    bad: "exception.type = \"asyncio.CancelledError\" and nothing else",
    good: "with task.name, function.name and cancellation.timestamp",
    limits: &LIMITS,
    unit: None,
    source: "letta 0.16.8 async_wrapper in letta/otel/tracing.py",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/tracing.py",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words(
    "required",
    &["task.name", "function.name", "cancellation.timestamp"],
    "keys that such an event must have",
)];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.glance.exception || look.glance.termination == Termination::None {
        return;
    }
    for event in look.span.events.iter().filter(|event| event.name.is("exception")) {
        let attributes = look.span.pooled(&event.attributes);
        if !cancels(attributes) {
            continue;
        }
        let has = |key: &String| attributes.iter().any(|attribute| attribute.key.is(key));
        let missing: Vec<&str> = look.words(0).iter().filter(|key| !has(key)).map(String::as_str).collect();
        if !missing.is_empty() {
            sink.found(Fact { class: "missing", attribute: missing.join(", ").into(), ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("the cancellation has no {}", told.attribute),
        "set them on the exception event where the cancellation is caught",
    )
}

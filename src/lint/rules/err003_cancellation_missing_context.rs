//! ERR003: cancellations that do not say what was cancelled, and when.
//!
//! Comes in: the exceptions of a span, as events or logs. Goes out: one fact a key that a cancellation lacks.

use crate::agent::{cancels, termination};
use crate::capture::Logged;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::{SpanLook, TraceLook};
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
    check: Check { span: Some(check_span), trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words(
    "required",
    &["task.name", "function.name", "cancellation.timestamp"],
    "keys that such an event must have",
)];

fn check_span(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.glance.exception || look.glance.termination == Termination::None {
        return;
    }
    for event in look.span.events.iter().filter(|event| event.name.is("exception")) {
        let attributes = look.span.pooled(&event.attributes);
        if cancels(attributes) {
            let has = |key: &str| attributes.iter().any(|attribute| attribute.key.is(key));
            judge(look.words(0), has, sink);
        }
    }
}

/// Cancellations that were recorded as logs.
fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if !look.known().has_logged() {
        return;
    }
    for (.., span) in look.nodes() {
        let cancelled = |logged: &&Logged| termination(look.capture.text(logged.kind)) == Termination::Cancelled;
        for logged in look.known().logged(span).filter(cancelled) {
            sink.look_at(span);
            judge(look.words(0), |key| look.capture.text(logged.keys).lines().any(|known| known == key), sink);
        }
    }
}

fn judge(required: &[String], has: impl Fn(&str) -> bool, sink: &mut Sink<'_>) {
    for key in required.iter().filter(|key| !has(key)) {
        sink.found(Fact { class: "missing", attribute: key.into(), ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("the cancellation has no {}", told.attribute),
        "set them on the exception event where the cancellation is caught",
    )
}

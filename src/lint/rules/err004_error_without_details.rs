//! ERR004: errors that do not say why.
//!
//! Comes in: the spans of a trace, and the exceptions that logs tell of. Goes out: one fact where status ERROR stands alone.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR004",
    name: "error-without-details",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "Status is ERROR without an exception (event or log), an error type or a message",
    why: "Nobody can tell this failure from any other.",
    when: "",
    bad: "status: {code: 2}",
    good: "status: {code: 2, message: \"RateLimitError: slow down\"}",
    limits: &[],
    unit: None,
    source: "OpenTelemetry specification, recording errors",
    url: "https://opentelemetry.io/docs/specs/semconv/general/recording-errors/",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let counts = look.tree.counts();
    if counts.errors + counts.cancelled == 0 {
        return;
    }
    for (.., span) in look.nodes() {
        if look.known().is_silent(span) && look.known().exception(span).is_empty() {
            sink.found_at(span, Fact { class: "silent", ..Fact::default() });
        }
    }
}

fn tell(_: &Told<'_>) -> Words {
    Words::new("status ERROR with no reason", "record the exception, or set error.type and a status message")
}

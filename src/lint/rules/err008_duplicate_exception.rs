//! ERR008: one exception recorded again on its way up.
//!
//! Comes in: a tree, and fingerprints of the exceptions in it. Goes out: one fact an exception that several spans of one path have.

use std::collections::BTreeMap;

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Needs, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR008",
    name: "duplicate-exception",
    severity: Severity::Info,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "The same exception is recorded on several spans of one path",
    why: "One failure counts several times, and its stack is stored as often.",
    when: "",
    bad: "ValueError with the same stack on parse, process and the request",
    good: "ValueError on parse; status ERROR on those above",
    limits: &[],
    unit: Some(Unit::Count),
    source: "OpenTelemetry specification, exceptions: not recommended to record the same exception more than once",
    url: "https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/",
    check: Check { trace: Some(check), needs: Needs::RAISED, ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let logs = look.known().has_logged();
    if look.brief.exceptions < 2 && !logs {
        return;
    }
    // Of every exception the nodes that record it, from the top to the bottom.
    let mut recorded: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, _, span) in look.nodes().filter(|(.., span)| logs || look.head(*span).marks.exception()) {
        for print in look.known().raised(span) {
            let nodes = recorded.entry(print).or_default();
            if nodes.last() != Some(&at) {
                nodes.push(at);
            }
        }
    }
    for nodes in recorded.into_values().filter(|nodes| nodes.len() > 1) {
        for (rank, &at) in nodes.iter().enumerate() {
            // The deepest node of each path, and how many of those above it have the same.
            let is_deepest = nodes.get(rank + 1).is_none_or(|&next| next >= look.tree.after(at));
            let above: Vec<usize> =
                nodes.iter().copied().take(rank).filter(|&other| at < look.tree.after(other)).collect();
            let Some(span) = look.span_of(at).filter(|_| is_deepest && !above.is_empty()) else { continue };
            let related = above.iter().rev().take(20).filter_map(|&at| look.span_of(at));
            let related = related.map(|span| (span, "recorded again")).collect();
            let (observed, note) = (Some(above.len() as u64 + 1), look.known().exception(span).into());
            sink.found_at(span, Fact { class: "again", observed, note, related, ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    let kind = if told.note.is_empty() { "an exception" } else { told.note };
    Words::new(
        format!("{kind} is recorded {}x on one path", told.observed),
        "record it where it is raised or handled, and only set the status above",
    )
}

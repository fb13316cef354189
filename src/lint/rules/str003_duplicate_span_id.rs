//! STR003: two spans of one trace with the same id.
//!
//! Comes in: a tree. Goes out: one fact an id; identical copies are only told.

use crate::forest::Flags;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Needs, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "STR003",
    name: "duplicate-span-id",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A span id occurs twice in one trace with different content",
    why: "Backends keep one of them, or none; children hang under the wrong one.",
    when: "",
    bad: "two spans 00f067aa0ba902b7, named \"a\" and \"b\"",
    good: "every span has an id of its own",
    limits: &[],
    unit: Some(Unit::Count),
    source: "opentelemetry-proto trace.proto, Span.span_id",
    url: "https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto",
    check: Check { trace: Some(check), needs: Needs::DETAIL, ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let mut shared = Vec::new();
    for (_, node, span) in look.nodes() {
        if node.repeats > 0 {
            let observed = Some(u64::from(node.repeats) + 1);
            let severity = Some(Severity::Info);
            sink.found_at(span, Fact { class: "identical", observed, severity, ..Fact::default() });
        }
        if node.flags.has(Flags::DUPLICATE) && !node.id.is_none() {
            shared.push((node.id, span));
        }
    }
    shared.sort_by_key(|(id, span)| (*id, look.head(*span).start, look.capture.name(*span)));
    for same in shared.chunk_by(|a, b| a.0 == b.0) {
        let Some((_, first)) = same.first() else { continue };
        let mut names: Vec<&str> = same.iter().map(|(_, span)| look.capture.name(*span)).collect();
        names.sort_unstable();
        names.dedup();
        let note = names.iter().take(3).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        let related = same.iter().skip(1).take(5).map(|(_, span)| (*span, "duplicate")).collect();
        let observed = Some(same.len() as u64);
        sink.found_at(*first, Fact { class: "conflict", note: note.into(), observed, related, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    if told.class == "identical" {
        return Words::new(
            format!("the span was read {} times, always the same (sent again?)", told.observed),
            "nothing is lost: the copies are counted once",
        );
    }
    let id = told.detail.map(|detail| format!(" {}", detail.span_id)).unwrap_or_default();
    Words::new(
        format!("span{id} appears {}x with different content: {}", told.observed, told.note),
        "make sure that every span gets an id of its own, also in forked processes",
    )
}

//! BUD003: traces over the budget.
//!
//! Comes in: a trace. Goes out: one fact a limit, at its first span.

use std::cmp::Reverse;

use super::sizes::{PARTS, against, budget};
use crate::capture::SpanRef;
use crate::lint::budget::Cell;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Preset, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD003",
    name: "trace-too-large",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A trace has more bytes or spans than the budget allows",
    why: "Backends refuse the rest of the trace, and nobody sees which part is missing.",
    when: "",
    bad: "a trace of 6.3 MB where 5,000,000 bytes are allowed",
    good: "long runs are split into several linked traces",
    limits: &LIMITS,
    unit: Some(Unit::Bytes),
    source: "limits of the named budgets, Tempo's TRACE_TOO_LARGE above all",
    url: "https://grafana.com/docs/tempo/latest/troubleshooting/",
    check: Check { trace: Some(check), needs: Needs::SIZES, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit { key: "trace_bytes", default: Preset::Budget, unit: Some(Unit::Bytes), about: "bytes of a trace, encoded" },
    Limit { key: "trace_spans", default: Preset::Budget, unit: Some(Unit::Count), about: "spans of a trace" },
];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let Some(top) = look.tree.root().and_then(|at| look.span_of(at)).or_else(|| look.nodes().next().map(|n| n.2))
    else {
        return;
    };
    let fact = |class, observed, limit, cell| {
        let (observed, limit, cell) = (Some(observed), Some(limit), Some(cell));
        Fact { class, observed, limit, cell, ..Fact::default() }
    };
    let spans = look.spans.len() as u64;
    if let Some(limit) = look.bound(Cell::TraceSpans).filter(|limit| spans > *limit) {
        sink.found_at(top, fact("spans", spans, limit, Cell::TraceSpans));
    }
    let Some(limit) = look.bound(Cell::TraceBytes) else { return };
    let mut resources: Vec<u32> = look.spans.iter().map(|&span| look.capture.envelope_numbers(span).0).collect();
    resources.sort_unstable();
    resources.dedup();
    let bytes: u64 = look.spans.iter().map(|&span| look.known().size(span)).sum::<u64>()
        + resources.into_iter().map(|number| look.known().resource_size(number)).sum::<u64>();
    if bytes > limit {
        sink.found_at(top, Fact { parts: largest(look), ..fact("bytes", bytes, limit, Cell::TraceBytes) });
    }
}

/// The largest spans, the first of equals first.
fn largest(look: &TraceLook<'_>) -> Vec<(SpanRef, u64)> {
    let mut spans: Vec<(SpanRef, u64)> = look.spans.iter().map(|&span| (span, look.known().size(span))).collect();
    spans.sort_by_key(|(span, size)| (Reverse(*size), look.head(*span).start, look.head(*span).id));
    spans.truncate(PARTS);
    spans
}

fn tell(told: &Told<'_>) -> Words {
    let help = "split long runs into several traces that link to each other, or record less";
    let budget = budget(told.preset);
    if told.class == "spans" {
        return Words::new(format!("the trace has {} spans, {budget} allows {}", told.observed, told.limit), help);
    }
    let (size, limit) = against(told);
    let words = Words::new(format!("the trace is {size}, {budget} allows {limit}"), help);
    Words { contributors: told.parts.clone(), ..words }
}

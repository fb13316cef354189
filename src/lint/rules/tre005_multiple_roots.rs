//! TRE005: several spans without a parent in one trace.
//!
//! Comes in: a tree. Goes out: one fact a trace.

use std::collections::BTreeSet;

use crate::capture::SpanRef;
use crate::forest::Flags;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::model::SpanId;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "TRE005",
    name: "multiple-roots",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A trace has several roots",
    why: "Nobody can say how long the trace took or how it ended; a parent was lost, or two runs share an id.",
    when: "",
    bad: "three spans without a parent in one trace",
    good: "one root, everything else below it",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "own",
    url: "https://opentelemetry.io/docs/concepts/signals/traces/",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::number("max", 1, 1, Unit::Count, "roots of a trace")];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let limit = look.limit(0).unwrap_or(1);
    if u64::from(look.tree.counts().roots) <= limit {
        return;
    }
    let tops = look.tree.tops().filter_map(|at| look.tree.nodes().get(at));
    let roots: Vec<SpanRef> = tops.filter(|node| node.flags.has(Flags::ROOT)).filter_map(|node| node.span).collect();
    // One id twice is one span, told in two ways.
    let ids: BTreeSet<SpanId> = roots.iter().map(|root| look.head(*root).id).collect();
    let observed = ids.len() as u64;
    // Spans without a trace id are no trace.
    let Some(&first) = roots.first().filter(|first| !look.head(**first).marks.bad_trace_id()) else { return };
    if observed > limit {
        let related = roots.iter().skip(1).take(20).map(|span| (*span, "root")).collect();
        let (observed, limit) = (Some(observed), Some(limit));
        sink.found_at(first, Fact { class: "roots", observed, limit, related, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("{} root spans in one trace", told.observed),
        "give the others the parent they belong to, or traces of their own and links",
    )
}

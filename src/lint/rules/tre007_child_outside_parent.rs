//! TRE007: children that run outside their parent's time, and clocks that differ.
//!
//! Comes in: a tree. Goes out: one fact a child, or one a pair of services where their clocks differ.

use std::collections::BTreeMap;

use crate::capture::SpanRef;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::model::Nanos;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "TRE007",
    name: "child-outside-parent",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A child starts before its parent or ends after it",
    why: "Durations add up wrongly: either work outlives the span that stands for it, or two clocks differ.",
    when: "",
    bad: "the child ends 40 ms after its parent",
    good: "the parent waits for the child, or links to it",
    limits: &LIMITS,
    unit: Some(Unit::Nanos),
    source: "own; clock skew adjustment as in Jaeger",
    url: "https://opentelemetry.io/docs/concepts/signals/traces/#span-links",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit {
        key: "tolerance",
        default: Preset::Number(1_000_000),
        unit: Some(Unit::Nanos),
        about: "how much is forgiven in one process",
    },
    Limit {
        key: "skew_tolerance",
        default: Preset::Number(100_000_000),
        unit: Some(Unit::Nanos),
        about: "how much is forgiven between two",
    },
];

/// The offset, how many spans have one, and the pair with the largest.
type Skew = (u64, u64, SpanRef, SpanRef);

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let nodes = look.tree.nodes();
    // The largest offset of every pair of services.
    let mut skewed: BTreeMap<(&str, &str, bool), Skew> = BTreeMap::new();
    for (at, node, span) in look.nodes() {
        let Some(parent) = look.tree.parent(at).and_then(|at| nodes.get(at)) else { continue };
        let Some(above) = parent.span else { continue };
        if [node.start, node.end, parent.start, parent.end].contains(&0)
            || node.end < node.start
            || parent.end < parent.start
        {
            continue;
        }
        let before = parent.start.saturating_sub(node.start);
        let after = if node.start <= parent.end { node.end.saturating_sub(parent.end) } else { 0 };
        let apart = look.capture.envelope_numbers(span).0 != look.capture.envelope_numbers(above).0;
        if apart {
            // A clock that runs behind makes a child start early, one that runs ahead makes it end late.
            let (offset, ahead) = (before.max(after), after > before);
            if offset > look.limit(1).unwrap_or(u64::MAX) {
                let pair = (look.capture.service(span), look.capture.service(above), ahead);
                let worst = skewed.entry(pair).or_insert((offset, 0, span, above));
                *worst = if offset > worst.0 { (offset, worst.1, span, above) } else { *worst };
                worst.1 += 1;
            }
            continue;
        }
        let tolerance = look.limit(0).unwrap_or(u64::MAX);
        let related = || vec![(above, "parent")];
        if before > tolerance {
            let fact = Fact { class: "starts before", observed: Some(before), related: related(), ..Fact::default() };
            sink.found_at(span, fact);
        }
        if after > tolerance {
            let fact = Fact { class: "outlives parent", observed: Some(after), related: related(), ..Fact::default() };
            sink.found_at(span, fact);
        }
    }
    for ((service, other, ahead), (offset, spans, span, above)) in skewed {
        let spans = if spans == 1 { "1 span".to_owned() } else { format!("{spans} spans") };
        let note = format!("{} of {other:?} ({spans})", if ahead { "ahead" } else { "behind" }).into();
        let class = match (service == other, ahead) {
            (true, _) => "other process",
            (_, true) => "clock ahead",
            (_, false) => "clock behind",
        };
        let related = vec![(above, "parent")];
        let confidence = Some(Confidence::Likely);
        let (observed, about) = (Some(offset), other.into());
        sink.found_at(span, Fact { class, observed, note, related, confidence, about, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let by = Nanos(told.observed);
    match told.class {
        "starts before" => Words::new(
            format!("{} starts {by} before its parent", told.span_name),
            "start the parent first, or give the span the parent it really has",
        ),
        "outlives parent" => Words::new(
            format!("{} ends {by} after its parent", told.span_name),
            "wait for the work before the parent ends, or start a new trace and link to it",
        ),
        _ => Words::new(
            format!("{:?} runs {by} {}", told.service, told.note),
            "set the clocks of both hosts by NTP, or let the caller wait",
        ),
    }
}

//! TRE004: spans that are their own ancestors.
//!
//! Comes in: a tree in which every circle was cut open. Goes out: one fact a circle. A span that is its own parent is another rule's.

use crate::capture::SpanRef;
use crate::forest::Flags;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "TRE004",
    name: "parent-cycle",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "Following parent ids leads back to the same span",
    why: "The spans hang in the air: no backend can draw them, and some never end trying.",
    when: "",
    bad: "a1 is the parent of b2, b2 is the parent of a1",
    good: "every path of parents ends at a root",
    limits: &[],
    unit: Some(Unit::Count),
    source: "own",
    url: "https://opentelemetry.io/docs/concepts/signals/traces/",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

/// How many ids of a circle are told.
const TOLD: usize = 6;

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.tree.counts().cycles == 0 {
        return;
    }
    for at in look.tree.tops() {
        let Some(node) = look.tree.nodes().get(at).filter(|node| node.flags.has(Flags::CYCLE)) else { continue };
        let Some(span) = node.span else { continue };
        // The circle was cut at its earliest span: the way back leads from the parent it names up to it.
        let closing = look.head(span).parent;
        let end = (at..look.tree.after(at)).find(|&below| {
            look.tree.nodes().get(below).is_some_and(|node| node.id == closing && node.flags.has(Flags::CYCLE))
        });
        let Some(end) = end.filter(|end| *end != at) else { continue };
        let up = std::iter::successors(Some(end), |&below| look.tree.parent(below));
        let mut circle: Vec<SpanRef> = up.filter_map(|at| look.span_of(at)).collect();
        circle.reverse();
        let ids = circle.iter().take(TOLD).map(|span| look.head(*span).id.to_string());
        let mut ids: Vec<String> = ids.collect();
        if circle.len() > TOLD {
            ids.push("...".to_owned());
        }
        ids.push(look.head(span).id.to_string());
        let related = circle.iter().skip(1).take(20).map(|span| (*span, "cycle")).collect();
        let (note, observed) = (ids.join(" -> ").into(), Some(circle.len() as u64));
        sink.found_at(span, Fact { class: "cycle", note, observed, related, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("cycle of {} spans: {}", told.observed, told.note),
        "give each span the parent that was running when it was started; do not reuse ids",
    )
}

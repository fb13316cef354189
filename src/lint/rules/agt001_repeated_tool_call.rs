//! AGT001: the same tool called with the same arguments again and again.
//!
//! Comes in: a trace's tool calls in order. Goes out: one fact a run of equal calls.

use crate::agent::Role;
use crate::capture::{Brief, SpanRef};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT001",
    name: "repeated-tool-call",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "An agent calls the same tool with the same arguments over and over",
    why: "The agent is stuck: every round costs tokens and time and brings nothing new.",
    when: "",
    bad: "search({\"q\": \"x\"}) five times, same result each time",
    good: "the agent tries something else after the first result",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "MAST FM-1.3 step repetition; tracelint R4 and R5",
    url: "https://arxiv.org/abs/2503.13657",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit {
        key: "n",
        default: Preset::Least(2, 3),
        unit: Some(Unit::Count),
        about: "equal calls before anything is said",
    },
    Limit { key: "polling", default: Preset::Words(&[]), unit: None, about: "tools that are meant to be called again" },
];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let mut calls: Vec<(u64, SpanRef, &Brief)> = Vec::new();
    let mut unknown = 0;
    for (at, node, span) in look.nodes() {
        if look.head(span).marks.role() != Some(Role::Tool) || is_inner(look, at) {
            continue;
        }
        let Some(call) = look.capture.brief(span) else { continue };
        unknown += u64::from(call.arguments.is_none());
        calls.push((node.start, span, call));
    }
    if unknown > 0 {
        sink.not_checked("the arguments of tool calls were not recorded", unknown);
    }
    calls.sort_by_key(|(start, span, _)| (*start, look.head(*span).id));
    let least = look.limit(0).unwrap_or(u64::MAX);
    for run in calls.chunk_by(|(.., a), (.., b)| is_same(a, b)) {
        let Some((_, span, call)) = run.first() else { continue };
        if (run.len() as u64) < least || look.words(1).iter().any(|word| word == look.capture.text(call.tool)) {
            continue;
        }
        let proven = call.result.is_some();
        let related = run.iter().skip(1).take(20).map(|(_, span, _)| (*span, "repeat")).collect();
        sink.found_at(
            *span,
            Fact {
                class: if proven { "same result" } else { "result unknown" },
                observed: Some(run.len() as u64),
                limit: Some(least),
                note: look.capture.text(call.tool).into(),
                confidence: Some(if proven { Confidence::Proven } else { Confidence::Likely }),
                related,
                ..Fact::default()
            },
        );
    }
}

/// Whether it stands inside another span of the same call.
fn is_inner(look: &TraceLook<'_>, at: usize) -> bool {
    let mut up = std::iter::successors(look.tree.parent(at), |&at| look.tree.parent(at));
    up.any(|at| look.span_of(at).is_some_and(|span| look.head(span).marks.role() == Some(Role::Tool)))
}

/// Whether two calls are the same: name, known arguments, and a result that did not change.
fn is_same(a: &Brief, b: &Brief) -> bool {
    a.tool == b.tool && a.arguments.is_some() && a.arguments == b.arguments && a.result == b.result
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("tool {} was called {}x with the same arguments, {} each time", told.note, told.observed, told.class),
        "give the result back to the model, limit its steps, or list the tool under polling",
    )
}

//! AGT001: the same tool called with the same arguments again and again.
//!
//! Comes in: the calls to tools of each agent of a trace, in order. Goes out: one fact a row of equal calls.

use super::owners::Owners;
use crate::ledger::{Call, Kind};
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
    if look.brief.acts == 0 {
        return;
    }
    let owners = Owners::of(look);
    let mut calls: Vec<&Call> = look.account().calls().iter().filter(|call| call.kind == Kind::Tool).collect();
    calls.sort_by_key(|call| (owners.owner(call.node), call.start, look.head(call.span).id));
    let unknown = calls.iter().filter(|call| call.arguments.is_none()).count() as u64;
    if unknown > 0 {
        sink.not_checked("the arguments of tool calls were not recorded", unknown);
    }
    let least = look.limit(0).unwrap_or(u64::MAX);
    for run in calls.chunk_by(|a, b| owners.owner(a.node) == owners.owner(b.node) && is_same(a, b)) {
        let Some(call) = run.first() else { continue };
        if (run.len() as u64) < least || look.words(1).iter().any(|word| word == look.capture.text(call.name)) {
            continue;
        }
        let proven = call.result.is_some();
        let related = run.iter().skip(1).take(20).map(|call| (call.span, "repeat")).collect();
        sink.found_at(
            call.span,
            Fact {
                class: if proven { "same result" } else { "result unknown" },
                observed: Some(run.len() as u64),
                limit: Some(least),
                note: look.capture.text(call.name).into(),
                confidence: Some(if proven { Confidence::Proven } else { Confidence::Likely }),
                related,
                ..Fact::default()
            },
        );
    }
}

/// Whether two calls are the same: name, known arguments, and a result that did not change.
fn is_same(a: &Call, b: &Call) -> bool {
    a.name == b.name && a.arguments.is_some() && a.arguments == b.arguments && a.result == b.result
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("tool {} was called {}x with the same arguments, {} each time", told.note, told.observed, told.class),
        "give the result back to the model, limit its steps, or list the tool under polling",
    )
}

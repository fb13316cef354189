//! AGT004: runs that take too many steps.
//!
//! Comes in: the runs of a trace. Goes out: one fact a run that was stopped at its limit, and one an agent that went over ours: those
//! that it calls count for themselves.

use super::owners::Owners;
use crate::ledger::Run;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT004",
    name: "too-many-steps",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A run takes too many steps, or is stopped because it does",
    why: "The agent does not notice that it is done, or that it cannot be.",
    when: "",
    bad: "a run that stopped at max_steps (50)",
    good: "a run that ends with an answer after a few steps",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "letta 0.16.8 DEFAULT_MAX_STEPS; MAST FM-1.5 unaware of termination conditions",
    url: "https://arxiv.org/abs/2503.13657",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::number("max", 1, 50, Unit::Count, "steps that a run may take")];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 {
        return;
    }
    let most = look.limit(0).unwrap_or(u64::MAX);
    let stopped = |run: &&Run| look.capture.text(run.stop).rsplit('.').next() == Some("max_steps");
    let mut told = Vec::new();
    for run in look.runs().iter().filter(stopped) {
        told.push(run.span);
        let (observed, limit) = (Some(run.steps), Some(most));
        sink.found_at(run.span, Fact { class: "stopped", observed, limit, ..Fact::default() });
    }
    // A run has at least as many steps as every agent in it.
    if look.runs().iter().all(|run| run.steps <= most) {
        return;
    }
    for (owner, steps) in Owners::of(look).steps() {
        let run = look.runs().iter().find(|run| run.node <= owner && owner < look.tree.after(run.node));
        let span = look.span_of(owner).or(run.map(|run| run.span)).or(look.runs().first().map(|run| run.span));
        if let Some(span) = span.filter(|span| steps > most && !told.contains(span)) {
            let (observed, limit) = (Some(steps), Some(most));
            sink.found_at(span, Fact { class: "steps", observed, limit, ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    let steps = if told.observed == 1 { "step" } else { "steps" };
    let message = match told.class {
        "stopped" => format!("the run stopped at max_steps, after {} {steps}", told.observed),
        _ => format!("the run took {} {steps} (max {})", told.observed, told.limit),
    };
    Words::new(message, "tell the agent when it is done, or give it smaller tasks")
}

//! AGT006: runs that take more than somebody allowed.
//!
//! Comes in: the runs of a trace, calls counted once. Goes out: one fact a limit that a run exceeds. Nothing is limited unless
//! somebody says so.

use crate::ledger::{Call, Kind, Money, Run};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::model::Nanos;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT006",
    name: "run-over-budget",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A run of an agent takes more than it may",
    why: "Costs and waiting times grow with every change of a prompt, and nobody notices before the bill comes.",
    when: "",
    bad: "a run with 412,000 tokens where 200,000 are allowed",
    good: "a run with 31,000 tokens",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "own; traceeval-cli has budgets of costs",
    url: "",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const fn unset(key: &'static str, unit: Unit, about: &'static str) -> Limit {
    Limit { key, default: Preset::Unset, unit: Some(unit), about }
}

const LIMITS: [Limit; 6] = [
    unset("tokens", Unit::Count, "tokens of prompts and answers that a run may take"),
    unset("cost_usd", Unit::Dollars, "US dollars that a run may cost"),
    unset("llm_calls", Unit::Count, "calls to models that a run may make"),
    unset("tool_calls", Unit::Count, "calls to tools that a run may make"),
    unset("duration", Unit::Nanos, "how long a run may take"),
    unset("steps", Unit::Count, "steps that a run may take"),
];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 || (0..LIMITS.len()).all(|at| look.limit(at).is_none()) {
        return;
    }
    let (mut unpriced, mut unmetered) = (0, 0);
    for run in look.runs() {
        let mut counts_tokens = false;
        for ((at, limit), taken) in LIMITS.iter().enumerate().zip(taken(run)) {
            let Some(most) = look.limit(at) else { continue };
            if taken > most {
                let note = words(limit.key, taken, most).into();
                let (class, observed, limit) = (limit.key, Some(taken), Some(most));
                sink.found_at(run.span, Fact { class, observed, limit, note, ..Fact::default() });
                continue;
            }
            counts_tokens |= matches!(limit.key, "cost_usd" | "tokens");
            unpriced += if limit.key == "cost_usd" { run.sums.unpriced_calls } else { 0 };
        }
        unmetered += if counts_tokens { silent(look, run) } else { 0 };
    }
    if unpriced > 0 {
        sink.not_checked("the prices of their models are not known, so that the run may cost more", unpriced);
    }
    if unmetered > 0 {
        sink.not_checked("token usage was not recorded, so that the run may have taken more", unmetered);
    }
}

/// How many calls of a run to models report no usage. Where the agent itself reports that of all its calls, none is missed.
fn silent(look: &TraceLook<'_>, run: &Run) -> u64 {
    let calls = look.account().calls();
    let inside = run.node..look.tree.after(run.node);
    let calls = || calls.iter().filter(|call| call.kind == Kind::Model && inside.contains(&call.node));
    let metered = calls().any(Call::is_metered);
    let silent = calls().filter(|call| !call.is_metered() && !call.failed && !call.cancelled).count() as u64;
    if metered || run.sums.tokens() == 0 { silent } else { 0 }
}

/// What a run took, in the order of the limits.
fn taken(run: &Run) -> [u64; 6] {
    let sums = &run.sums;
    [sums.tokens(), sums.cost_usd.unwrap_or_default().0, sums.llm_calls, sums.tool_calls, run.duration_ns, run.steps]
}

fn words(key: &str, taken: u64, most: u64) -> String {
    let both = |taken: String, most: String| format!("{taken} (max {most})");
    match key {
        "cost_usd" => format!("cost {}", both(Money(taken).to_string(), Money(most).to_string())),
        "duration" => format!("took {}", both(Nanos(taken).to_string(), Nanos(most).to_string())),
        "tokens" => format!("used {taken} tokens (max {most})"),
        "llm_calls" => format!("made {taken} calls to models (max {most})"),
        "tool_calls" => format!("made {taken} calls to tools (max {most})"),
        _ => format!("took {taken} steps (max {most})"),
    }
}

fn tell(told: &Told<'_>) -> Words {
    let help = match told.class {
        "tokens" | "cost_usd" => {
            "see which steps take most of it; shorten prompts, cache them, or take a smaller model"
        }
        "duration" => "see which steps take most of it",
        _ => "see whether the agent goes around in circles",
    };
    Words::new(format!("the run {}", told.note), help)
}

//! AGT007: prompts that grow from call to call, or nearly fill the model.
//!
//! Comes in: the calls of each agent to models, in order. Goes out: one fact an agent whose prompts only grow, and one for a call
//! whose prompt hardly fits.

use super::owners::Owners;
use crate::ledger::Call;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT007",
    name: "prompt-growth",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "The prompts of a run only grow, or nearly fill the model's context",
    why: "Every step pays for all steps before it; near the limit the model forgets, or the call fails.",
    when: "",
    bad: "prompts that grow from 3,100 to 41,000 tokens in 9 steps",
    good: "results of tools that are shortened or summarised before they go back to the model",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "own; letta 0.16.8 llm_config.context_window",
    url: "https://docs.letta.com/guides/agents/context-engineering",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 3] = [
    Limit::number("min_calls", 2, 5, Unit::Count, "calls to a model before their prompts are compared"),
    Limit::number("factor", 1_000, 4_000, Unit::Permille, "how many times the first prompt the last one may be"),
    Limit::number("ratio", 1, 900, Unit::Permille, "the part of the context window that a prompt may fill"),
];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 {
        return;
    }
    let owners = Owners::of(look);
    let windows = Windows::of(look);
    let mut silent = 0;
    for calls in owners.thoughts() {
        let says_nothing = |call: &&&Call| call.tokens.input.is_none() && !call.failed && !call.cancelled;
        silent += calls.iter().filter(says_nothing).count() as u64;
        let told: Vec<(&Call, u64)> = calls.into_iter().filter_map(|call| Some((call, call.tokens.input?))).collect();
        grown(look, &told, sink);
        full(look, &windows, &told, sink);
    }
    if silent > 0 {
        sink.not_checked("the tokens of prompts were not recorded", silent);
    }
}

/// How many spans before a call are looked at for the one that it is part of.
const NEAR: usize = 256;

/// How many tokens models can take, as spans beside their calls say: Letta tells it of the whole request.
struct Windows(Vec<(u64, u64, u64)>);

impl Windows {
    fn of(look: &TraceLook<'_>) -> Self {
        let told = look.nodes().filter_map(|(_, node, span)| {
            let brief = look.capture.brief(span).filter(|brief| brief.role.is_none())?;
            Some((node.start, node.last_ns(), brief.context_window().filter(|window| *window > 0)?))
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable();
        Self(told)
    }

    /// What the span says that was open last when the call began.
    fn beside(&self, call: &Call) -> Option<u64> {
        let before = self.0.partition_point(|(start, ..)| *start <= call.start);
        let mut near = self.0.get(..before).unwrap_or_default().iter().rev().take(NEAR);
        near.find(|(_, end, _)| *end >= call.start).map(|(.., window)| *window)
    }
}

/// Prompts that never shrink and end as a multiple of what they were.
fn grown(look: &TraceLook<'_>, calls: &[(&Call, u64)], sink: &mut Sink<'_>) {
    let (least, factor) = (look.limit(0).unwrap_or(u64::MAX), look.limit(1).unwrap_or(u64::MAX));
    let (Some((_, from)), Some((call, to))) = (calls.first(), calls.last()) else { return };
    let grows = calls.is_sorted_by_key(|(_, input)| *input);
    let enough = u128::from(*to) * 1000 >= u128::from(*from) * u128::from(factor);
    if (calls.len() as u64) < least || !grows || *from == 0 || !enough {
        return;
    }
    let note = format!("{from} -> {to} in {}", calls.len()).into();
    let related = calls.first().map(|(first, _)| (first.span, "first")).into_iter().collect();
    sink.found_at(call.span, Fact { class: "growth", observed: Some(*to), note, related, ..Fact::default() });
}

/// The prompt that fills most of the model's context.
fn full(look: &TraceLook<'_>, windows: &Windows, calls: &[(&Call, u64)], sink: &mut Sink<'_>) {
    let part = u128::from(look.limit(2).unwrap_or(u64::MAX));
    let window = |call: &Call| {
        let own = look.capture.brief(call.span).and_then(|brief| brief.context_window());
        let own = own.or_else(|| windows.beside(call));
        own.or_else(|| look.prices().of(look.capture.text(call.name))?.context).filter(|window| *window > 0)
    };
    let over = calls.iter().filter_map(|(call, input)| {
        let window = window(call)?;
        let full = u128::from(*input) * 1000 >= u128::from(window) * part;
        full.then_some((*input, window, call.span))
    });
    if let Some((input, window, span)) = over.max_by_key(|(input, ..)| *input) {
        let (observed, limit) = (Some(input), Some(window));
        // A prompt that is larger than the model's context cannot be: one of the two numbers is wrong, or the window is set too small.
        let confidence = Some(if input > window { Confidence::Likely } else { Confidence::Proven });
        sink.found_at(span, Fact { class: "full", observed, limit, confidence, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    match (told.class, told.note.split_once(" in ")) {
        ("growth", Some((tokens, calls))) => Words::new(
            format!("the prompt grew {tokens} tokens in {calls} calls"),
            "shorten results of tools, summarise what is old, or cache the prefix",
        ),
        _ => {
            let part = told.observed.saturating_mul(100) / told.limit.max(1);
            Words::new(
                format!("a prompt of {} tokens fills {part} % of the context of {} tokens", told.observed, told.limit),
                "summarise what is old before the context is full, or take a model with more room",
            )
        }
    }
}

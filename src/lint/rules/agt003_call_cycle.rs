//! AGT003: tools or agents that are called in the same order over and over.
//!
//! Comes in: what each agent of a trace called, in order. Goes out: one fact a sequence that repeats.

use super::owners::{Owners, Turn};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT003",
    name: "call-cycle",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "An agent calls the same tools in the same turn over and over",
    why: "It goes around in a circle: every round costs tokens and time, and the task gets no further.",
    when: "",
    bad: "read_file, edit, read_file, edit, read_file, edit",
    good: "the agent ends its work, or tries something else",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "MAST FM-1.3 step repetition and FM-1.5 unaware of termination conditions",
    url: "https://arxiv.org/abs/2503.13657",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit::number("k", 2, 5, Unit::Count, "the longest round that is looked for, in calls"),
    Limit::number("r", 2, 3, Unit::Count, "rounds before anything is said"),
];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let least = look.limit(1).and_then(|r| usize::try_from(r).ok()).unwrap_or(usize::MAX);
    if (look.brief.acts as usize) < least.saturating_mul(2) {
        return;
    }
    let longest = look.limit(0).and_then(|k| usize::try_from(k).ok()).unwrap_or(0);
    for turns in Owners::of(look).turns() {
        let mut from = 0;
        while let Some(rest) = turns.get(from..).filter(|rest| !rest.is_empty()) {
            let Some((length, rounds)) = (2..=longest).find_map(|k| Some((k, rounds(rest, k, least)?))) else {
                from += 1;
                continue;
            };
            tell_cycle(look, rest, length, rounds, sink);
            from += length * rounds;
        }
    }
}

/// How often the first `k` calls come one round after the other; `None` where that is not often enough, or where the round is
/// a shorter one several times.
fn rounds(turns: &[Turn], k: usize, least: usize) -> Option<usize> {
    let round = turns.get(..k)?;
    let same = |a: &[Turn], b: &[Turn]| a.iter().zip(b).all(|(a, b)| a.what == b.what);
    let shorter = (1..k).filter(|part| k.is_multiple_of(*part));
    if shorter.into_iter().any(|part| round.chunks(part).all(|chunk| same(chunk, round))) {
        return None;
    }
    let count = turns.chunks_exact(k).take_while(|chunk| same(chunk, round)).count();
    (count >= least).then_some(count)
}

fn tell_cycle(look: &TraceLook<'_>, turns: &[Turn], length: usize, rounds: usize, sink: &mut Sink<'_>) {
    let all = turns.get(..length * rounds).unwrap_or_default();
    let Some((first, others)) = all.split_first() else { return };
    let names: Vec<&str> = all.iter().take(length).map(|turn| look.capture.text(turn.name)).collect();
    // The same arguments in every round prove that nothing changed.
    let proven =
        all.iter().zip(all.iter().skip(length)).all(|(a, b)| a.arguments.is_some() && a.arguments == b.arguments);
    sink.found_at(
        first.span,
        Fact {
            class: if proven { "same arguments" } else { "same order" },
            observed: Some(rounds as u64),
            note: names.join(" -> ").into(),
            confidence: Some(if proven { Confidence::Proven } else { Confidence::Likely }),
            related: others.iter().take(20).map(|turn| (turn.span, "round")).collect(),
            ..Fact::default()
        },
    );
}

fn tell(told: &Told<'_>) -> Words {
    let how = if told.class == "same arguments" { ", with the same arguments" } else { "" };
    Words::new(
        format!("{} (x{}){how}", told.note, told.observed),
        "tell the agent what it has tried, limit its steps, or end the run when nothing changes",
    )
}

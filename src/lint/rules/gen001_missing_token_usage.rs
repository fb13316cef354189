//! GEN001: calls to models that do not say how many tokens they took.
//!
//! Comes in: a tree and its calls. Goes out: one fact a call that neither reports usage nor holds a copy that does.

use crate::agent::{Convention, Piece, Role};
use crate::capture::{Brief, SpanRef};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::model::Outcome;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "GEN001",
    name: "missing-token-usage",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A call to a model reports no token usage",
    why: "Costs and budgets of the run are too low, and nobody notices.",
    when: "",
    bad: "chat span without gen_ai.usage.input_tokens",
    good: "gen_ai.usage.input_tokens = 812, gen_ai.usage.output_tokens = 96",
    limits: &[],
    unit: None,
    source: "OpenTelemetry GenAI semantic conventions 1.41.1",
    url: "https://github.com/open-telemetry/semantic-conventions-genai",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let calls: Vec<usize> = look.nodes().filter(|(_, _, span)| is_call(look, *span)).map(|(at, ..)| at).collect();
    let mut elsewhere = 0;
    for &at in &calls {
        let Some((node, span)) = look.tree.nodes().get(at).and_then(|node| Some((node, node.span?))) else { continue };
        let Some(call) = look.capture.brief(span) else { continue };
        let (input, output) = reported(call);
        if input && output {
            continue;
        }
        if node.outcome != Outcome::Ok || call.failed == Some(true) {
            continue;
        }
        let twin = |other: usize| is_twin(look, at, other);
        let above = std::iter::successors(look.tree.parent(at), |&at| look.tree.parent(at))
            .any(|other| twin(other) != Twin::No);
        // The outermost of the copies is told, and only if none of them reports usage.
        if above || (at + 1..look.tree.after(at)).any(|other| twin(other) == Twin::WithUsage) {
            continue;
        }
        // Letta's own client spans never carry usage: it is in the payloads that it records beside them.
        let letta = call.convention == Convention::Letta;
        if letta && look.account().call(at).is_some_and(|(call, _)| call.is_metered()) {
            continue;
        }
        if letta && !has_payloads(look) {
            elsewhere += 1;
            continue;
        }
        let class = match (input, output) {
            (false, false) => "no usage",
            (true, _) => "no output tokens",
            _ => "no input tokens",
        };
        sink.found_at(span, Fact { class, note: look.capture.text(call.model).into(), ..Fact::default() });
    }
    if elsewhere > 0 {
        sink.not_checked("their token usage is in recorded payloads, not on the span", elsewhere);
    }
}

fn is_call(look: &TraceLook<'_>, span: SpanRef) -> bool {
    look.head(span).marks.role() == Some(Role::Llm)
}

/// Whether Letta recorded what models answered.
fn has_payloads(look: &TraceLook<'_>) -> bool {
    look.nodes().any(|(.., span)| look.capture.brief(span).is_some_and(|brief| brief.piece == Some(Piece::Payloads)))
}

/// Whether it reports the tokens of its prompt, and those of its answer.
fn reported(call: &Brief) -> (bool, bool) {
    let tokens = call.tokens();
    (tokens.input.is_some(), tokens.output.is_some())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twin {
    No,
    Silent,
    WithUsage,
}

/// Whether two nested spans stand for one call: nine tenths of the longer one overlap and no two models are named.
fn is_twin(look: &TraceLook<'_>, at: usize, other: usize) -> Twin {
    let facts = |at: usize| {
        let node = look.tree.nodes().get(at)?;
        let span = node.span.filter(|span| is_call(look, *span))?;
        Some((node, look.capture.brief(span)?))
    };
    let (Some((a, call)), Some((b, twin))) = (facts(at), facts(other)) else { return Twin::No };
    let overlap = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    let longer = a.duration_ns().max(b.duration_ns());
    let models = call.model.is_empty() || twin.model.is_empty() || call.model == twin.model;
    match models && overlap >= longer / 10 * 9 {
        false => Twin::No,
        true if reported(twin) == (true, true) => Twin::WithUsage,
        true => Twin::Silent,
    }
}

fn tell(told: &Told<'_>) -> Words {
    let model = if told.note.is_empty() { String::new() } else { format!(" ({})", told.note) };
    Words::new(
        format!("{}{model} has {}", told.span_name, told.class),
        "record gen_ai.usage.input_tokens and gen_ai.usage.output_tokens; streams need usage asked for",
    )
}

//! GEN009: answers and runs that did not come to their end.
//!
//! Comes in: why a model stopped, and why a run did. Goes out: one fact where that is not the way it should be.

use std::borrow::Cow;

use crate::agent::{Act, Piece, Role};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::hints::Hints;
use crate::lint::look::{SpanLook, TraceLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "GEN009",
    name: "abnormal-finish",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A model or a run stopped before it was done",
    why: "The answer is cut or withheld, and whoever reads it takes it for the whole.",
    when: "a finish reason of a model that is length, max_tokens, content_filter, error or unknown, of any of its choices; a stop reason of a Letta run that is error, llm_api_error, invalid_llm_response, invalid_tool_call, no_tool_call, insufficient_credits, max_tokens_exceeded or context_window_overflow_in_system_prompt; in any spelling.",
    bad: "finish_reason = length at max_tokens = 1024",
    good: "finish_reason = stop",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "OpenTelemetry GenAI semantic conventions 1.41.1; letta 0.16.8 schemas/letta_stop_reason.py",
    url: "https://github.com/open-telemetry/semantic-conventions-genai",
    check: Check { span: Some(check_span), trace: Some(check), needs: Needs::TALK, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words("allow", &[], "reasons that are in order")];

const REASONS: [&str; 5] = ["length", "max_tokens", "content_filter", "error", "unknown"];

/// The reasons for which Letta calls a run failed.
const FAILED: [&str; 8] = [
    "error",
    "llm_api_error",
    "invalid_llm_response",
    "invalid_tool_call",
    "no_tool_call",
    "insufficient_credits",
    "max_tokens_exceeded",
    "context_window_overflow_in_system_prompt",
];

fn check_span(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let is_answer = |act: &&Act<'_>| act.role == Some(Role::Llm) || act.piece == Some(Piece::Payloads);
    let Some(act) = look.act.filter(is_answer) else { return };
    let allowed = |reason: &str| look.words(0).iter().any(|word| word == reason);
    let bad = |reason: &str| known(reason, &REASONS).filter(|reason| !allowed(reason));
    let told = act.finish_reasons.iter().find_map(|reason| bad(reason));
    if let Some(reason) = told.or_else(|| choices(look).find_map(|reason| bad(&reason))) {
        let limit = act.max_tokens.filter(|_| matches!(reason, "length" | "max_tokens"));
        sink.found(Fact { class: reason, limit, ..Fact::default() });
    }
}

/// The reasons of all choices, wherever they stand: in messages, in events, in attributes with a number for each.
fn choices<'a>(look: &'a SpanLook<'_>) -> impl Iterator<Item = Cow<'a, str>> {
    let span = look.span;
    let said = look.talk.into_iter().flat_map(|talk| &talk.said.output).filter_map(|said| said.finish.as_deref());
    let events = span.events.iter().filter(|event| event.name.is("gen_ai.choice"));
    let told = events.flat_map(|event| span.pooled(&event.attributes)).filter(|a| a.key.is("finish_reason"));
    let numbered = span.attributes().iter().filter(|attribute| {
        let key = attribute.key.raw;
        look.hints.has(Hints::GEN_AI) && key.starts_with(b"gen_ai.completion.") && key.ends_with(b".finish_reason")
    });
    let texts = told.chain(numbered).filter_map(|attribute| attribute.value.text());
    said.map(Cow::Borrowed).chain(texts.map(|text| text.decode()))
}

/// The reason by its name in the list; frameworks write it with hyphens, in capitals, or with the name of its type.
fn known(reason: &str, of: &[&'static str]) -> Option<&'static str> {
    let bare = reason.rsplit('.').next().unwrap_or(reason).replace('-', "_").to_ascii_lowercase();
    of.iter().copied().find(|known| *known == bare)
}

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 {
        return;
    }
    for run in look.runs().iter().filter(|run| !run.stop.is_empty()) {
        let reason = known(look.capture.text(run.stop), &FAILED);
        if let Some(class) = reason.filter(|reason| !look.words(0).iter().any(|word| word == reason)) {
            sink.found_at(run.span, Fact { class, note: "run".into(), ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    if told.note == "run" {
        return Words::new(format!("the run stopped: {}", told.class), "see what went wrong in its last step");
    }
    match (told.class, told.limit) {
        ("length" | "max_tokens", 0) => {
            Words::new(format!("output cut: finish_reason={}", told.class), "allow more output tokens, or ask for less")
        }
        ("length" | "max_tokens", most) => Words::new(
            format!("output cut: finish_reason={} at max_tokens={most}", told.class),
            "allow more output tokens, or ask for less",
        ),
        ("content_filter", _) => Words::new(
            "output withheld: finish_reason=content_filter",
            "look at what the provider's filter objected to",
        ),
        (reason, _) => {
            Words::new(format!("the model did not finish: finish_reason={reason}"), "see what the provider answered")
        }
    }
}

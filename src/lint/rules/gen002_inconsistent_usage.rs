//! GEN002: token counts that cannot be true together.
//!
//! Comes in: a span's usage attributes. Goes out: one fact a contradiction.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::otlp::RawValue;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "GEN002",
    name: "inconsistent-usage",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "Token counts of a call contradict each other",
    why: "Costs that are computed from them are wrong.",
    when: "",
    bad: "cache_read 9120 > input 412",
    good: "input tokens include those read from the cache",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "OpenTelemetry GenAI semantic conventions 1.41.1, gen_ai.usage.*",
    url: "https://github.com/open-telemetry/semantic-conventions-genai",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit {
    key: "slack",
    default: Preset::Number(0),
    unit: Some(Unit::Count),
    about: "tokens by which the total may differ",
}];

/// Tokens that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum Count {
    Input,
    Output,
    Total,
    CacheRead,
    CacheWrite,
    Reasoning,
}

/// Who counts what, in the order in which the keys are believed.
pub(super) const COUNTS: [(Count, &[&str]); 6] = [
    (
        Count::Input,
        &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "ai.usage.inputTokens"],
    ),
    (
        Count::Output,
        &[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
            "ai.usage.outputTokens",
        ],
    ),
    (Count::Total, &["llm.token_count.total", "gen_ai.usage.total_tokens", "llm.usage.total_tokens"]),
    (
        Count::CacheRead,
        &[
            "gen_ai.usage.cache_read.input_tokens",
            "llm.token_count.prompt_details.cache_read",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.input_tokens.cached",
        ],
    ),
    (
        Count::CacheWrite,
        &[
            "gen_ai.usage.cache_creation.input_tokens",
            "llm.token_count.prompt_details.cache_write",
            "gen_ai.usage.cache_creation_input_tokens",
        ],
    ),
    (
        Count::Reasoning,
        &[
            "gen_ai.usage.reasoning.output_tokens",
            "llm.token_count.completion_details.reasoning",
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.output_tokens.reasoning",
        ],
    ),
];

pub(super) const MESSAGES: [&str; 5] = [
    "gen_ai.input.messages",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "llm.input_messages.0.message.content",
    "input.value",
];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.hints.has(Hints::COUNTS) {
        return;
    }
    let span = look.span;
    let [input, output, total, read, write, reasoning] = counts(look);
    let mut found = |class, a: i64, b: i64| {
        let note = format!("{a} {b}").into();
        sink.found(Fact { class, note, ..Fact::default() });
    };
    if let Some(negative) =
        [input, output, total, read, write, reasoning].into_iter().flatten().find(|count| *count < 0)
    {
        return found("negative", negative, 0);
    }
    let cached = read.unwrap_or(0).saturating_add(write.unwrap_or(0));
    if let Some(input) = input {
        if cached > input {
            found("cache", cached, input);
        }
        if input == 0 && MESSAGES.iter().any(|key| span.attribute(key).is_some_and(says)) {
            found("no input", 0, 0);
        }
    }
    if let (Some(reasoning), Some(output)) = (reasoning, output)
        && reasoning > output
    {
        found("reasoning", reasoning, output);
    }
    if let (Some(total), Some(input), Some(output)) = (total, input, output) {
        let sum = input.saturating_add(output);
        // Some providers count reasoning on top of the answer.
        let slack = look.limit(0).unwrap_or(0);
        let fits = |sum: i64| total.abs_diff(sum) <= slack;
        if !fits(sum) && !fits(sum.saturating_add(reasoning.unwrap_or(0))) {
            found("total", total, sum);
        }
    }
}

/// What is counted, in the order of [`COUNTS`].
fn counts(look: &SpanLook<'_>) -> [Option<i64>; COUNTS.len()] {
    let mut counts = [None; COUNTS.len()];
    let mut ranks = [u8::MAX; COUNTS.len()];
    for (attribute, facts) in look.known() {
        let Some((count, rank)) = facts.count else { continue };
        let at = count as usize;
        // Where a key repeats, the last one counts; one that is no number says nothing.
        if let (Some(slot), Some(best), Some(number)) =
            (counts.get_mut(at), ranks.get_mut(at), attribute.value.integer())
            && rank <= *best
        {
            (*slot, *best) = (Some(number), rank);
        }
    }
    counts
}

fn says(value: &RawValue<'_>) -> bool {
    match value {
        RawValue::Text(text) => !matches!(text.decode().trim(), "" | "[]" | "{}" | "null"),
        RawValue::Empty => false,
        _ => true,
    }
}

fn tell(told: &Told<'_>) -> Words {
    let (a, b) = told.note.split_once(' ').unwrap_or((told.note, ""));
    let message = match told.class {
        "negative" => format!("a token count is negative: {a}"),
        "cache" => format!("cached tokens {a} > input tokens {b}"),
        "reasoning" => format!("reasoning tokens {a} > output tokens {b}"),
        "no input" => "input tokens are 0, but messages were sent".to_owned(),
        _ => format!("total tokens {a}, but input and output add up to {b}"),
    };
    let help = match told.class {
        "cache" => "input tokens have to include those read from and written to the cache",
        _ => "take the counts from the provider's answer as they are",
    };
    Words::new(message, help)
}

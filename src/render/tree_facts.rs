//! What a row says about calls to models and tools: a sign for what it does, and facts beside its name.
//!
//! Comes in: a row. Goes out: facts in the order of their weight, as many as there is room for before the waterfall: what a tool was
//! given and whether it failed, tokens, time to the first token, model, cost. The name and the notes of the row come first.

use std::io;

use super::tree_signs::{counted, grouped, signs};
use super::{Ink, Tone, width};
use crate::agent::Role;
use crate::ledger::Sums;
use crate::model::Nanos;
use crate::view::{Facts, Row};

/// A sign for what a row does in an agent's run.
pub(super) fn role_sign(row: &Row<'_>, unicode: bool) -> Option<(Tone, &'static str)> {
    let (tone, sign, letter) = match row.facts.as_ref()?.role? {
        Role::Agent => (Tone::Title, "●", "A"),
        Role::Workflow => (Tone::Title, "○", "W"),
        Role::Step => (Tone::Quiet, "▸", "S"),
        Role::Llm => (Tone::Good, "◆", "L"),
        Role::Embedding | Role::Rerank => (Tone::Good, "◇", "E"),
        Role::Tool | Role::Mcp => (Tone::Service, "■", "T"),
        Role::Retrieval | Role::Memory => (Tone::Service, "□", "R"),
        Role::Guardrail => (Tone::Odd, "△", "G"),
        _ => return None,
    };
    Some((tone, if unicode { sign } else { letter }))
}

/// The fewest columns that arguments are shown in.
const ARGUMENTS: usize = 10;

/// Draws the facts that fit between the end of the name and the waterfall.
pub(super) fn draw(row: &Row<'_>, ink: &mut Ink<'_>, left: usize) -> io::Result<()> {
    let Some(facts) = &row.facts else { return Ok(()) };
    for (tone, fact) in told(row, facts, ink) {
        if ink.column() + 2 + width(&super::clean(&fact)) <= left {
            ink.say("  ")?;
            ink.put(tone, fact)?;
        }
    }
    let room = left.saturating_sub(ink.column() + 2);
    if !facts.arguments.is_empty() && room >= ARGUMENTS {
        ink.say("  ")?;
        ink.put_fit(Tone::Quiet, &facts.arguments, room)?;
    }
    Ok(())
}

/// The facts of a row, the weightiest first.
fn told(row: &Row<'_>, facts: &Facts<'_>, ink: &Ink<'_>) -> Vec<(Tone, String)> {
    let mut told = Vec::new();
    let mut tell = |tone: Tone, fact: Option<String>| told.extend(fact.map(|fact| (tone, fact)));
    tell(Tone::Title, facts.step.map(|step| format!("#{step}")));
    // The span's own error has a mark.
    let silent = facts.tool_failed == Some(true) && row.outcome == crate::model::Outcome::Ok;
    tell(Tone::Error, silent.then(|| "failed".to_owned()));
    tell(Tone::Quiet, facts.duplicate.then(|| "same call".to_owned()));
    let new = |word: &str| !word.is_empty() && !row.name.contains(word);
    tell(Tone::Plain, Some(facts.tool.to_owned()).filter(|tool| new(tool) && !facts.duplicate));
    if let Some(sums) = &facts.totals {
        let sum = signs(ink).sum;
        tell(
            Tone::Plain,
            Some(tokens(sums.input_tokens, sums.output_tokens))
                .filter(|_| sums.input_tokens > 0 || sums.output_tokens > 0)
                .map(|t| format!("{sum}{t}")),
        );
        tell(Tone::Plain, cost_words(sums));
        tell(Tone::Quiet, (sums.llm_calls > 0).then(|| format!("{} llm", grouped(sums.llm_calls))));
        tell(Tone::Quiet, (sums.tool_calls > 0).then(|| counted(sums.tool_calls, "tool")));
    }
    let known = facts.input_tokens.is_some() || facts.output_tokens.is_some();
    tell(Tone::Plain, known.then(|| call_tokens(facts)));
    tell(Tone::Plain, facts.total_tokens.filter(|_| !known).map(|total| format!("{} tokens", short(total))));
    tell(Tone::Plain, facts.cost_usd.map(|cost| cost.to_string()));
    tell(Tone::Odd, facts.unpriced.then(|| "unpriced".to_owned()));
    tell(Tone::Quiet, facts.first_token_ns.map(|first| format!("ttft {}", Nanos(first))));
    tell(Tone::Quiet, Some(facts.model.to_owned()).filter(|model| new(model) && facts.role.is_some()));
    told
}

/// `3118→93`; a question mark for what is not said. What answers with numbers or an order uses no tokens for it.
fn call_tokens(facts: &Facts<'_>) -> String {
    if let (Some(Role::Embedding | Role::Rerank), Some(input), None) =
        (facts.role, facts.input_tokens, facts.output_tokens)
    {
        return format!("{} tokens", short(input));
    }
    let number = |tokens: Option<u64>| tokens.map_or_else(|| "?".to_owned(), short);
    format!("{}→{}", number(facts.input_tokens), number(facts.output_tokens))
}

fn tokens(input: u64, output: u64) -> String {
    format!("{}→{}", short(input), short(output))
}

/// A count in four digits or so: `950`, `3118`, `13.1k`, `2.4M`.
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{}.{}k", number / 1_000, number % 1_000 / 100),
        _ => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
    }
}

/// What calls cost; what has no price is said.
fn cost_words(sums: &Sums) -> Option<String> {
    match (sums.cost_usd, sums.unpriced_calls) {
        (None, 0) => None,
        (None, _) => Some("unpriced".to_owned()),
        (Some(cost), 0) => Some(cost.to_string()),
        (Some(cost), unpriced) => Some(format!("{cost} + {} unpriced", grouped(unpriced))),
    }
}

/// The sums of a trace in words.
pub(super) fn sums_words(sums: &Sums) -> Vec<String> {
    let mut words = Vec::new();
    let calls = [
        (sums.llm_calls, "llm call"),
        (sums.embedding_calls, "embedding call"),
        (sums.rerank_calls, "rerank call"),
        (sums.tool_calls, "tool call"),
    ];
    words.extend(calls.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(count, word)));
    if sums.input_tokens > 0 || sums.output_tokens > 0 {
        words.push(format!("{} tokens", tokens(sums.input_tokens, sums.output_tokens)));
    }
    if sums.unsplit_tokens > 0 {
        words.push(format!("{} tokens not split", short(sums.unsplit_tokens)));
    }
    words.extend(cost_words(sums));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Money;

    #[test]
    fn counts_are_short() {
        let shown = [0, 9_999, 10_000, 13_199, 999_999, 2_450_000].map(short);
        assert_eq!(shown, ["0", "9999", "10.0k", "13.1k", "999.9k", "2.4M"]);
    }

    #[test]
    fn what_has_no_price_is_said() {
        let sums = |cost: u64, unpriced_calls| Sums {
            cost_usd: (cost > 0).then_some(Money(cost)),
            unpriced_calls,
            ..Sums::default()
        };
        assert_eq!(cost_words(&sums(0, 0)), None);
        assert_eq!(cost_words(&sums(0, 2)).as_deref(), Some("unpriced"));
        assert_eq!(cost_words(&sums(0, 1)).as_deref(), Some("unpriced"));
        assert!(cost_words(&sums(10_000_000, 3)).is_some_and(|words| words.ends_with(" + 3 unpriced")));
    }
}

//! Usage and cost by kind, as Langfuse keeps them: an object of numbers whose kinds do not overlap.
//!
//! Comes in: the object as text. Goes out: tokens of the whole prompt and the whole answer, and dollars. `input` is what the cache did
//! not hold, and everything with `input` or `output` in its name belongs to the prompt or the answer
//! (<https://langfuse.com/docs/observability/features/token-and-cost-tracking>). Who counts otherwise gives himself away by the total.

use super::act::Tokens;
use super::gather::{amount, count};
use super::payload;
use super::scan::{member, members, plain};

/// One side of a call: what it is called by name, and what stands beside it.
#[derive(Clone, Copy, Default)]
struct Side {
    named: Option<u64>,
    beside: Option<u64>,
}

impl Side {
    fn add(&mut self, more: u64) {
        self.beside = Some(self.beside.unwrap_or(0).saturating_add(more));
    }

    /// All together, where the parts do not overlap.
    fn sum(self) -> Option<u64> {
        match (self.named, self.beside) {
            (Some(named), Some(beside)) => Some(named.saturating_add(beside)),
            (named, beside) => named.or(beside),
        }
    }
}

/// The tokens of a call.
pub(super) fn usage(text: &str) -> Tokens {
    // The schema of OpenAI's interface is taken in as well; there the cache is part of the prompt.
    if member(text, "prompt_tokens").is_some() {
        return payload::usage_of(text);
    }
    let mut tokens = Tokens::default();
    let (mut input, mut output) = (Side::default(), Side::default());
    members(text, &mut |key, value| {
        let Some(value) = plain(value).and_then(|value| count(&value)) else { return true };
        let is = |words: &[&str]| words.iter().any(|word| key.contains(word));
        match key {
            "input" | "input_tokens" => input.named = Some(value),
            "output" | "output_tokens" | "completion_tokens" => output.named = Some(value),
            "total" | "total_tokens" => tokens.total = Some(value),
            _ if is(&["cache"]) => {
                let slot = if is(&["creation", "write"]) { &mut tokens.cache_write } else { &mut tokens.cache_read };
                *slot = Some(slot.unwrap_or(0).saturating_add(value));
                input.add(value);
            }
            _ if is(&["reasoning"]) => {
                tokens.reasoning = Some(value);
                output.add(value);
            }
            _ if is(&["input", "prompt"]) => input.add(value),
            _ if is(&["output", "completion"]) => output.add(value),
            _ => {}
        }
        true
    });
    let apart = (input.sum(), output.sum());
    let sum = |(input, output): (Option<u64>, Option<u64>)| input.unwrap_or(0).saturating_add(output.unwrap_or(0));
    let within = (input.named.or(apart.0), output.named.or(apart.1));
    let readings = [apart, within, (apart.0, within.1), (within.0, apart.1)];
    let fits = readings.into_iter().find(|reading| tokens.total == Some(sum(*reading)));
    (tokens.input, tokens.output) = fits.unwrap_or(apart);
    tokens
}

/// What a call cost in dollars: the total, or all kinds together.
pub(super) fn cost(text: &str) -> Option<f64> {
    let amount = |value: &str| amount(&plain(value)?);
    if let Some(total) = member(text, "total").and_then(amount) {
        return Some(total);
    }
    let mut all = None;
    members(text, &mut |key, value| {
        if let Some(amount) = amount(value).filter(|_| key != "total") {
            all = Some(all.unwrap_or(0.0) + amount);
        }
        true
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> [Option<u64>; 6] {
        let Tokens { input, output, cache_read, cache_write, reasoning, total } = usage(text);
        [input, output, cache_read, cache_write, reasoning, total]
    }

    #[test]
    fn kinds_are_apart_unless_the_total_says_otherwise() {
        let apart = r#"{"input":1000,"cache_read_input_tokens":800,"output":200,"total":2000}"#;
        assert_eq!(told(apart), [Some(1800), Some(200), Some(800), None, None, Some(2000)]);
        let within = r#"{"input":12,"output":4,"total":16,"cache_read_input_tokens":8}"#;
        assert_eq!(told(within), [Some(12), Some(4), Some(8), None, None, Some(16)]);
        let silent = r#"{"input":86,"input_cached_tokens":900,"input_cache_creation":10,"output":3,"output_reasoning_tokens":5}"#;
        assert_eq!(told(silent), [Some(996), Some(8), Some(900), Some(10), Some(5), None]);
        let mixed = r#"{"input":10,"input_cached_tokens":5,"output":9,"output_reasoning":4,"total":24}"#;
        assert_eq!(told(mixed), [Some(15), Some(9), Some(5), None, Some(4), Some(24)]);
    }

    #[test]
    fn schemas_of_providers_are_read() {
        let openai = r#"{"prompt_tokens":20,"completion_tokens":3,"total_tokens":23,"prompt_tokens_details":{"cached_tokens":16}}"#;
        assert_eq!(told(openai), [Some(20), Some(3), Some(16), None, None, Some(23)]);
        let anthropic =
            r#"{"input_tokens":3,"output_tokens":4,"cache_read_input_tokens":50,"cache_creation_input_tokens":6}"#;
        assert_eq!(told(anthropic), [Some(59), Some(4), Some(50), Some(6), None, None]);
        assert_eq!(told(r#"{"input":"12","output":3.0,"x":null}"#), [Some(12), Some(3), None, None, None, None]);
        assert_eq!(told("[1]"), [None; 6]);
    }

    #[test]
    fn costs_are_added_up_where_no_total_is_told() {
        assert_eq!(cost(r#"{"input": 0.25, "total": 0.5}"#), Some(0.5));
        assert_eq!(cost(r#"{"input": 0.25, "output": 0.5}"#), Some(0.75));
        assert_eq!((cost(r#"{"input": -1}"#), cost("{}")), (None, None));
    }
}

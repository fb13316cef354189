//! What was counted over some calls.
//!
//! Comes in: calls, or other sums. Goes out: counts, tokens and money that never overflow.

use serde::Serialize;

use super::call::{Call, Kind};
use super::money::Money;

/// What was counted over some calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Calls to language models.
    pub llm_calls: u64,
    /// Calls to embedding models.
    pub embedding_calls: u64,
    /// Calls to reranking models.
    pub rerank_calls: u64,
    /// Calls to tools.
    pub tool_calls: u64,
    /// Calls that failed.
    pub failed_calls: u64,
    /// Tokens of prompts, those that a cache held among them.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Tokens of answers that were spent on reasoning.
    pub reasoning_tokens: u64,
    /// Tokens of calls that say only how many they took in all.
    pub unsplit_tokens: u64,
    /// Tokens of prompts read from a cache.
    pub cache_read_tokens: u64,
    /// Tokens of prompts written into a cache.
    pub cache_write_tokens: u64,
    /// What it cost, as far as prices are known; nothing where none is.
    pub cost_usd: Option<Money>,
    /// Calls with tokens whose price is not known.
    pub unpriced_calls: u64,
    /// Spans that recorded a call once more.
    pub duplicate_calls: u64,
}

impl Sums {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.llm_calls += other.llm_calls;
        self.embedding_calls += other.embedding_calls;
        self.rerank_calls += other.rerank_calls;
        self.tool_calls += other.tool_calls;
        self.failed_calls += other.failed_calls;
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(other.reasoning_tokens);
        self.unsplit_tokens = self.unsplit_tokens.saturating_add(other.unsplit_tokens);
        self.cache_read_tokens = self.cache_read_tokens.saturating_add(other.cache_read_tokens);
        self.cache_write_tokens = self.cache_write_tokens.saturating_add(other.cache_write_tokens);
        self.cost_usd = Money::sum(self.cost_usd, other.cost_usd);
        self.unpriced_calls += other.unpriced_calls;
        self.duplicate_calls += other.duplicate_calls;
    }

    /// Adds a call.
    pub fn add_call(&mut self, call: &Call) {
        *match call.kind {
            Kind::Model => &mut self.llm_calls,
            Kind::Embedding => &mut self.embedding_calls,
            Kind::Rerank => &mut self.rerank_calls,
            Kind::Tool => &mut self.tool_calls,
        } += 1;
        self.failed_calls += u64::from(call.failed);
        self.add_spending(call);
    }

    /// Adds what a call took, but not the call.
    pub fn add_spending(&mut self, call: &Call) {
        let tokens = &call.tokens;
        self.unpriced_calls += u64::from(call.is_unpriced());
        let add = |sum: &mut u64, more: Option<u64>| *sum = sum.saturating_add(more.unwrap_or(0));
        add(&mut self.input_tokens, tokens.input);
        add(&mut self.output_tokens, tokens.output);
        add(&mut self.cache_read_tokens, tokens.cache_read);
        add(&mut self.cache_write_tokens, tokens.cache_write);
        add(&mut self.reasoning_tokens, tokens.reasoning);
        if tokens.input.is_none() && tokens.output.is_none() {
            add(&mut self.unsplit_tokens, tokens.total);
        }
        self.cost_usd = Money::sum(self.cost_usd, call.cost);
    }

    /// Tokens of prompts and answers, divided or not.
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens).saturating_add(self.unsplit_tokens)
    }

    /// Calls to models and tools.
    pub fn calls(&self) -> u64 {
        self.llm_calls + self.embedding_calls + self.rerank_calls + self.tool_calls
    }
}

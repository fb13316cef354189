//! What is kept of a span that says something about an agent's run: numbers, names by number, fingerprints. No long text.
//!
//! Comes in: what the span says, while its bytes are hot. Goes out: a small record. Who wants the texts reads the span again.

use super::head::NameId;
use super::names::Names;
use crate::agent::{Act, Convention, Piece, Role, Tokens, fingerprint};

/// "Not said" among the numbers.
const NONE: u64 = u64::MAX;

/// A span of an agent's run in short. Names are empty where nothing says them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brief {
    /// Whose names it uses.
    pub convention: Convention,
    /// What it does.
    pub role: Option<Role>,
    /// A piece of a call that another span is.
    pub piece: Option<Piece>,
    /// The provider of the model.
    pub provider: NameId,
    /// The model that answered, or was asked for.
    pub model: NameId,
    /// The model that was asked for; empty where nothing says it.
    pub requested: NameId,
    /// The tool's name.
    pub tool: NameId,
    /// The agent's name.
    pub agent: NameId,
    /// The agent's id.
    pub agent_id: NameId,
    /// The conversation or session.
    pub conversation: NameId,
    /// The run.
    pub run: NameId,
    /// The step.
    pub step: NameId,
    /// The type of what went wrong.
    pub error: NameId,
    /// Why the model stopped, of its first choice.
    pub finish: NameId,
    /// Why the run or step stopped.
    pub stop: NameId,
    /// A fingerprint of the id of the tool call.
    pub call_id: Option<Print>,
    /// A fingerprint of the tool's arguments, however they are spelled, or of what a model was given, as it is spelled.
    pub arguments: Option<Print>,
    /// A fingerprint of the tool's result.
    pub result: Option<Print>,
    /// Billionths of a US dollar, where the span says what it cost.
    cost: u64,
    first_token: u64,
    counts: [u64; 8],
    /// Its own word for whether it failed.
    pub failed: Option<bool>,
    /// The answer came in parts.
    pub streaming: Option<bool>,
    /// It records which tools the model was offered.
    pub definitions: bool,
    /// It was asked for at the price of batches.
    pub batch: bool,
}

/// A fingerprint; equal where two texts mean the same.
pub type Print = std::num::NonZeroU64;

impl Brief {
    pub(super) fn of(act: &Act<'_>, names: &mut Names) -> Self {
        let mut name = |text: &str| NameId(if text.is_empty() { 0 } else { names.intern_str(text) });
        let tool = act.tool.as_ref();
        let print = |text: &str| Print::new(fingerprint(text) | 1);
        let Tokens { input, output, cache_read, cache_write, reasoning, total } = act.tokens;
        let counts = [input, output, cache_read, cache_write, reasoning, total, act.context_window, act.max_tokens];
        Self {
            convention: act.convention,
            role: act.role,
            piece: act.piece,
            provider: name(&act.provider),
            model: name(act.model()),
            requested: name(&act.model_request),
            tool: name(tool.map_or("", |tool| &tool.name)),
            agent: name(&act.agent.name),
            agent_id: name(&act.agent.id),
            conversation: name(&act.conversation),
            run: name(&act.run),
            step: name(&act.step),
            error: name(&act.error_type),
            finish: name(act.finish_reasons.first().map_or("", |reason| reason)),
            stop: name(&act.stop_reason),
            call_id: tool.filter(|tool| !tool.call_id.is_empty()).and_then(|tool| print(&tool.call_id)),
            arguments: match tool {
                Some(tool) => tool.arguments.as_deref().and_then(print),
                None => act.given.and_then(|given| Print::new(given | 1)),
            },
            result: tool.and_then(|tool| print(tool.result.as_deref()?)),
            cost: act.cost.map_or(NONE, |dollars| (dollars * 1e9).round() as u64),
            first_token: act.first_token.unwrap_or(NONE),
            counts: counts.map(|count| count.unwrap_or(NONE)),
            failed: act.failed,
            streaming: act.streaming,
            definitions: act.definitions,
            batch: act.batch,
        }
    }

    /// The same with other numbers for its names.
    pub(super) fn renamed(mut self, name: impl Fn(NameId) -> NameId) -> Self {
        let all = [
            &mut self.provider,
            &mut self.model,
            &mut self.requested,
            &mut self.tool,
            &mut self.agent,
            &mut self.agent_id,
            &mut self.conversation,
            &mut self.run,
            &mut self.step,
            &mut self.error,
            &mut self.finish,
            &mut self.stop,
        ];
        for id in all {
            *id = name(*id);
        }
        self
    }

    fn count(&self, at: usize) -> Option<u64> {
        self.counts.get(at).copied().filter(|count| *count != NONE)
    }

    /// Tokens it reports.
    pub fn tokens(&self) -> Tokens {
        Tokens {
            input: self.count(0),
            output: self.count(1),
            cache_read: self.count(2),
            cache_write: self.count(3),
            reasoning: self.count(4),
            total: self.count(5),
        }
    }

    /// How many tokens the model can take.
    pub fn context_window(&self) -> Option<u64> {
        self.count(6)
    }

    /// How many tokens the model was allowed to answer.
    pub fn max_tokens(&self) -> Option<u64> {
        self.count(7)
    }

    /// Nanoseconds to the first token.
    pub fn first_token(&self) -> Option<u64> {
        (self.first_token != NONE).then_some(self.first_token)
    }

    /// Billionths of a US dollar, where the span says what it cost.
    pub fn cost(&self) -> Option<u64> {
        (self.cost != NONE).then_some(self.cost)
    }
}

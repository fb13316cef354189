//! One call to a model or a tool, counted once.
//!
//! Plain data: filled from spans and read by everyone after.

use crate::agent::{Role, Tokens};
use crate::capture::{Brief, Capture, NameId, Print, SpanRef};
use crate::model::Outcome;

use super::money::Money;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A language model.
    Model,
    /// An embedding model.
    Embedding,
    /// A model that orders documents.
    Rerank,
    /// A tool.
    Tool,
}

impl Kind {
    /// The role of a span that records such a call.
    pub fn role(self) -> Role {
        match self {
            Self::Model => Role::Llm,
            Self::Embedding => Role::Embedding,
            Self::Rerank => Role::Rerank,
            Self::Tool => Role::Tool,
        }
    }
}

/// A call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// The span that it is counted at.
    pub span: SpanRef,
    /// The node of that span in its tree.
    pub node: usize,
    /// What is called.
    pub kind: Kind,
    /// The tool's name, or that of the model that was asked for; where nothing says that, of the one that answered.
    pub name: NameId,
    /// The model that answered, as far as it is known.
    pub answered: NameId,
    /// The provider of the model.
    pub provider: NameId,
    /// Tokens, those of the prompt with all that the cache held; nothing where no copy of the call says so.
    pub tokens: Tokens,
    /// What it cost; nothing where the price is not known.
    pub cost: Option<Money>,
    /// Nanoseconds to the first token.
    pub first_token: Option<u64>,
    /// A fingerprint of what it was given: a tool's arguments, a model's messages.
    pub arguments: Option<Print>,
    /// A fingerprint of a tool's result.
    pub result: Option<Print>,
    /// A fingerprint of the id of the call.
    pub call_id: Option<Print>,
    /// Unix nanoseconds.
    pub start: u64,
    /// How long it took.
    pub duration_ns: u64,
    /// The part of it in which nothing below it ran.
    pub self_ns: u64,
    /// It failed, by the span's status or the tool's own word.
    pub failed: bool,
    /// It was cancelled.
    pub cancelled: bool,
    /// It follows a call of the same name under the same parent that failed.
    pub retry: bool,
}

impl Call {
    /// Whether it reports any tokens.
    pub fn is_metered(&self) -> bool {
        self.tokens != Tokens::default()
    }

    /// Whether its tokens could not be priced.
    pub fn is_unpriced(&self) -> bool {
        self.is_metered() && self.cost.is_none()
    }

    /// Tokens of prompt and answer.
    pub fn spent(&self) -> u64 {
        spent(&self.tokens)
    }

    pub(super) fn of(capture: &Capture, span: SpanRef, node: usize, kind: Kind, brief: &Brief) -> Self {
        let head = capture.head(span);
        let outcome = head.outcome();
        let model = if brief.requested.is_empty() { brief.model } else { brief.requested };
        let (name, answered) = if kind == Kind::Tool { (brief.tool, NameId::default()) } else { (model, brief.model) };
        // What a tool reports is of the calls that are made below it.
        let own = kind != Kind::Tool;
        Self {
            span,
            node,
            kind,
            name,
            answered,
            provider: brief.provider,
            tokens: if own { whole(kind, brief.tokens()) } else { Tokens::default() },
            cost: brief.cost().filter(|_| own).map(Money),
            first_token: brief.first_token(),
            arguments: brief.arguments,
            result: brief.result,
            call_id: brief.call_id,
            start: head.start,
            duration_ns: head.duration().0,
            self_ns: 0,
            failed: outcome == Outcome::Error || brief.failed == Some(true),
            cancelled: outcome == Outcome::Cancelled,
            retry: false,
        }
    }

    /// Takes over what another record of the same call says and this one does not.
    pub(super) fn learn(&mut self, other: &Self) {
        let (mine, theirs) = (&mut self.tokens, other.tokens);
        let agree = |a: Option<u64>, b: Option<u64>| a.is_none() || b.is_none() || a == b;
        if agree(mine.input, theirs.input) && agree(mine.output, theirs.output) {
            mine.input = mine.input.or(theirs.input);
            mine.output = mine.output.or(theirs.output);
            mine.cache_read = mine.cache_read.or(theirs.cache_read);
            mine.cache_write = mine.cache_write.or(theirs.cache_write);
            mine.reasoning = mine.reasoning.or(theirs.reasoning);
            mine.total = mine.total.or(theirs.total);
            self.cost = self.cost.or(other.cost);
        }
        if self.answered.is_empty() || (self.answered == self.name && !other.answered.is_empty()) {
            self.answered = other.answered;
        }
        let fill = |mine: &mut NameId, theirs: NameId| *mine = if mine.is_empty() { theirs } else { *mine };
        fill(&mut self.name, other.name);
        fill(&mut self.provider, other.provider);
        self.first_token = self.first_token.or(other.first_token);
        self.arguments = self.arguments.or(other.arguments);
        self.result = self.result.or(other.result);
        self.call_id = self.call_id.or(other.call_id);
    }
}

/// Tokens of prompt and answer, or all together where nothing says how they are divided.
pub(super) fn spent(tokens: &Tokens) -> u64 {
    match (tokens.input, tokens.output) {
        (None, None) => tokens.total.unwrap_or(0),
        (input, output) => input.unwrap_or(0).saturating_add(output.unwrap_or(0)),
    }
}

/// Tokens with the whole prompt: one that is smaller than its cached part was counted beside it, as Anthropic does. What is not said
/// follows from the total where the rest is.
pub(super) fn whole(kind: Kind, tokens: Tokens) -> Tokens {
    let cached = tokens.cache_read.unwrap_or(0).saturating_add(tokens.cache_write.unwrap_or(0));
    let input = tokens.input.map(|input| if input < cached { input.saturating_add(cached) } else { input });
    let rest = |part: Option<u64>| tokens.total?.checked_sub(part?);
    match (kind, input, tokens.output) {
        // Their answers are no tokens.
        (Kind::Embedding | Kind::Rerank, None, None) => Tokens { input: tokens.total, ..tokens },
        (Kind::Embedding | Kind::Rerank, ..) => Tokens { input, ..tokens },
        (_, input, output) => {
            Tokens { input: input.or_else(|| rest(output)), output: output.or_else(|| rest(input)), ..tokens }
        }
    }
}

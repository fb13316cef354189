//! Rows of calls: what every model, provider, tool, agent or conversation took.
//!
//! Comes in: calls, each once, with what they are put together by. Goes out: rows in the form of all others, with figures that only
//! calls have.

use std::fmt;

use serde::{Serialize, Serializer};

use super::operation::{Durations, Operation, Tokens};
use super::{By, Question};
use crate::capture::{Capture, NameId};
use crate::ledger::{Call, Kind, Money, Sums};

/// What only calls have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Calls to language models.
    pub llm: u64,
    /// Calls to embedding models.
    pub embedding: u64,
    /// Calls to reranking models.
    pub rerank: u64,
    /// Calls to tools.
    pub tool: u64,
    /// The part that failed.
    pub error_rate: Share,
    /// The part that followed a failed call of the same name.
    pub retry_rate: Share,
    /// Tokens of answers that were spent on reasoning.
    pub reasoning_tokens: u64,
    /// Tokens of prompts that were read from a cache.
    pub cache_read_tokens: u64,
    /// Tokens of prompts that were written into one.
    pub cache_write_tokens: u64,
    /// The part of all prompts that was read from a cache.
    pub cache_hit_rate: Share,
    /// What it cost, as far as prices are known; nothing where none is.
    pub cost_usd: Option<Money>,
    /// Calls with tokens whose price is not known.
    pub unpriced: u64,
    /// How long the first token took, where that is known.
    pub first_token_ns: Option<Waits>,
}

/// Percentiles of waiting for the first token, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// Calls that say so.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The 99th percentile.
    pub p99: u64,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// So many.
    pub part: u64,
    /// Of so many.
    pub whole: u64,
}

impl Share {
    /// As a number from 0 to 1; nothing of nothing.
    pub fn ratio(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ratio() {
            Some(ratio) if self.part > 0 && ratio < 0.01 => f.pad("<1%"),
            Some(ratio) => f.pad(&format!("{:.0}%", ratio * 100.0)),
            None => f.pad("-"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ratio().serialize(serializer)
    }
}

impl Calls {
    /// All of them.
    pub fn count(&self) -> u64 {
        self.llm + self.embedding + self.rerank + self.tool
    }
}

/// What calls are put together by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owner {
    /// The nearest agent above the call.
    pub(super) agent: NameId,
    /// The conversation it belongs to.
    pub(super) session: NameId,
}

/// A call in the row it belongs to, or what a span reports of calls that were not recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// The number of the text that rows of calls are put together by; of other rows their own number.
    pub(super) row: u32,
    pub(super) call: Call,
    /// It is a call, and not only a report of what calls took.
    pub(super) counts: bool,
}

/// The text a call is put together by; `None` where it has no place in such a table.
pub(super) fn key(call: &Call, owner: Owner, by: &By) -> Option<NameId> {
    match by {
        By::Model => (call.kind != Kind::Tool).then_some(call.name),
        By::Provider => (call.kind != Kind::Tool).then_some(call.provider),
        By::Tool => (call.kind == Kind::Tool).then_some(call.name),
        By::Agent => Some(owner.agent),
        By::Session => Some(owner.session),
        _ => None,
    }
}

/// A row for each key, in the order of the keys.
pub(super) fn rows(capture: &Capture, mut kept: Vec<Kept>) -> Vec<Operation> {
    sort(&mut kept);
    let rows = kept.chunk_by(|a, b| a.row == b.row).filter_map(|kept| {
        let name = capture.text(NameId(kept.first()?.row)).to_owned();
        Some(row(name, kept))
    });
    rows.collect()
}

fn sort(kept: &mut [Kept]) {
    kept.sort_by_key(|kept| (kept.row, kept.call.start, kept.call.span));
}

fn row(name: String, kept: &[Kept]) -> Operation {
    let calls: Vec<&Call> = kept.iter().filter(|kept| kept.counts).map(|kept| &kept.call).collect();
    let count = |is: fn(&Call) -> bool| calls.iter().filter(|call| is(call)).count() as u64;
    let finished: Vec<u64> = calls.iter().filter(|call| call.duration_ns > 0).map(|call| call.duration_ns).collect();
    let own = calls.iter().fold(0u64, |sum, call| sum.saturating_add(call.self_ns));
    let tokens = kept.iter().filter_map(|kept| Tokens::of(&kept.call)).reduce(Tokens::plus);
    Operation {
        name,
        count: calls.len() as u64,
        finished: finished.len() as u64,
        errors: count(|call| call.failed),
        cancelled: count(|call| call.cancelled),
        tokens,
        duration_ns: Durations::of(&mut finished.clone(), own),
        calls: Some(figures(kept)),
        ..Operation::default()
    }
}

/// The figures of some calls.
fn figures(kept: &[Kept]) -> Calls {
    let mut sums = Sums::default();
    for kept in kept {
        if kept.counts { sums.add_call(&kept.call) } else { sums.add_spending(&kept.call) }
    }
    let calls = || kept.iter().filter(|kept| kept.counts).map(|kept| &kept.call);
    let of_all = |part: u64| Share { part, whole: sums.calls() };
    let mut waits: Vec<u64> = calls().filter_map(|call| call.first_token).collect();
    let waited = Durations::of(&mut waits, 0);
    Calls {
        llm: sums.llm_calls,
        embedding: sums.embedding_calls,
        rerank: sums.rerank_calls,
        tool: sums.tool_calls,
        error_rate: of_all(sums.failed_calls),
        retry_rate: of_all(calls().filter(|call| call.retry).count() as u64),
        reasoning_tokens: sums.reasoning_tokens,
        cache_read_tokens: sums.cache_read_tokens,
        cache_write_tokens: sums.cache_write_tokens,
        cache_hit_rate: Share { part: sums.cache_read_tokens, whole: sums.input_tokens },
        cost_usd: sums.cost_usd,
        unpriced: sums.unpriced_calls,
        first_token_ns: (!waits.is_empty()).then_some(Waits {
            count: waits.len() as u64,
            p50: waited.p50,
            p95: waited.p95,
            p99: waited.p99,
        }),
    }
}

/// Adds the figures of calls to the rows of the roles that their spans have.
pub(super) fn add_to_roles(rows: &mut [Operation], mut kept: Vec<Kept>) {
    // A call may be counted at a span without a role: that of another record of it.
    for kept in &mut kept {
        if kept.counts && rows.get(kept.row as usize).is_some_and(|row| row.role.is_none()) {
            let own = rows.iter().position(|row| row.role == Some(kept.call.kind.role().name()));
            kept.row = own.map_or(kept.row, |own| own as u32);
        }
    }
    sort(&mut kept);
    for kept in kept.chunk_by(|a, b| a.row == b.row) {
        let row = kept.first().and_then(|first| rows.get_mut(first.row as usize));
        row.into_iter().for_each(|row| row.calls = Some(figures(kept)));
    }
}

impl Question {
    /// Whether rows are of calls rather than of spans.
    pub fn is_of_calls(&self) -> bool {
        matches!(self.by, By::Model | By::Provider | By::Tool | By::Agent | By::Session)
    }

    /// Whether calls have to be kept.
    pub(super) fn wants_calls(&self) -> bool {
        self.is_of_calls() || self.by == By::Role
    }
}

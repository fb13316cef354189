//! Columns that only rows of calls have: rates, cost, the wait for the first token.
//!
//! Comes in: rows. Goes out: cells for every form of the report.

use super::stats::{Field, number};
use super::{Cell, Tone};
use crate::model::Nanos;
use crate::stats::{Calls, Operation, Report};

/// A figure that only calls have.
fn figure(row: &Operation, of: impl Fn(&Calls) -> Option<String>) -> Cell {
    (Tone::Plain, row.calls.as_ref().and_then(of).unwrap_or_default())
}

fn any_call(report: &Report, is: fn(&Calls) -> bool) -> bool {
    report.operations.iter().filter_map(|row| row.calls.as_ref()).any(is)
}

fn counted(row: &Operation, of: impl Fn(&Calls) -> u64) -> Cell {
    figure(row, |calls| Some(of(calls).to_string()))
}

/// Whether calls of several kinds stand in one row.
fn mixed(report: &Report) -> bool {
    matches!(report.by.as_str(), "agent" | "session")
}

/// Cost, with a mark where calls without a price are missing from it.
fn cost(row: &Operation) -> Cell {
    figure(row, |calls| match (calls.cost_usd, calls.unpriced) {
        (None, 0) => None,
        (None, _) => Some("unpriced".to_owned()),
        (Some(cost), 0) => Some(cost.to_string()),
        (Some(cost), _) => Some(format!("{cost}+")),
    })
}

/// Columns of numbers of calls: they are there only where rows have any.
pub(super) static COUNTS: [Field; 5] = [
    Field {
        column: number("CALLS", 12),
        name: "calls",
        shown: |row| figure(row, |calls| Some(calls.count().to_string())),
        raw: |row| figure(row, |calls| Some(calls.count().to_string())).1,
        // Rows of calls count nothing else.
        news: |report| {
            report.by == "role"
                && report.operations.iter().any(|row| row.calls.is_some_and(|calls| calls.count() != row.count))
        },
    },
    Field {
        column: number("LLM", 12),
        name: "llm_calls",
        shown: |row| counted(row, |calls| calls.llm),
        raw: |row| counted(row, |calls| calls.llm).1,
        news: mixed,
    },
    Field {
        column: number("EMBED", 70),
        name: "embedding_calls",
        shown: |row| counted(row, |calls| calls.embedding),
        raw: |row| counted(row, |calls| calls.embedding).1,
        news: |report| mixed(report) && any_call(report, |calls| calls.embedding > 0),
    },
    Field {
        column: number("RERANK", 71),
        name: "rerank_calls",
        shown: |row| counted(row, |calls| calls.rerank),
        raw: |row| counted(row, |calls| calls.rerank).1,
        news: |report| mixed(report) && any_call(report, |calls| calls.rerank > 0),
    },
    Field {
        column: number("TOOLS", 14),
        name: "tool_calls",
        shown: |row| counted(row, |calls| calls.tool),
        raw: |row| counted(row, |calls| calls.tool).1,
        news: mixed,
    },
];

/// Columns of figures of calls.
pub(super) static CALLS: [Field; 7] = [
    Field {
        column: number("ERR%", 32),
        name: "error_rate",
        shown: |row| figure(row, |calls| Some(calls.error_rate.to_string())),
        raw: |row| figure(row, |calls| calls.error_rate.ratio().map(|rate| rate.to_string())).1,
        news: |report| any_call(report, |calls| calls.error_rate.part > 0),
    },
    Field {
        column: number("RETRY%", 46),
        name: "retry_rate",
        shown: |row| figure(row, |calls| Some(calls.retry_rate.to_string())),
        raw: |row| figure(row, |calls| calls.retry_rate.ratio().map(|rate| rate.to_string())).1,
        news: |report| any_call(report, |calls| calls.retry_rate.part > 0),
    },
    Field {
        column: number("CACHED", 36),
        name: "cache_hit_rate",
        shown: |row| figure(row, |calls| calls.cache_hit_rate.ratio().map(|_| calls.cache_hit_rate.to_string())),
        raw: |row| figure(row, |calls| calls.cache_hit_rate.ratio().map(|rate| rate.to_string())).1,
        news: |report| any_call(report, |calls| calls.cache_hit_rate.part > 0),
    },
    Field {
        column: number("COST", 8),
        name: "cost_usd",
        shown: cost,
        raw: |row| figure(row, |calls| calls.cost_usd.map(|cost| cost.in_dollars().to_string())).1,
        news: |report| any_call(report, |calls| calls.cost_usd.is_some() || calls.unpriced > 0),
    },
    Field {
        column: number("UNPRICED", 95),
        name: "unpriced",
        shown: |row| figure(row, |calls| Some(calls.unpriced.to_string())),
        raw: |row| figure(row, |calls| Some(calls.unpriced.to_string())).1,
        news: |report| any_call(report, |calls| calls.unpriced > 0),
    },
    Field {
        column: number("TTFT P50", 28),
        name: "first_token_p50_ns",
        shown: |row| figure(row, |calls| Some(Nanos(calls.first_token_ns?.p50).to_string())),
        raw: |row| figure(row, |calls| Some(calls.first_token_ns?.p50.to_string())).1,
        news: |report| any_call(report, |calls| calls.first_token_ns.is_some()),
    },
    Field {
        column: number("TTFT P95", 56),
        name: "first_token_p95_ns",
        shown: |row| figure(row, |calls| Some(Nanos(calls.first_token_ns?.p95).to_string())),
        raw: |row| figure(row, |calls| Some(calls.first_token_ns?.p95.to_string())).1,
        news: |report| any_call(report, |calls| calls.first_token_ns.is_some()),
    },
];

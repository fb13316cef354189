//! The answer as plain data, field by field what `--format json` writes.
//!
//! Comes in: a capture and a question. Goes out: a [`Report`].

use serde::Serialize;

use super::group::Groups;
use super::{Agents, By, Operation, Question, Sort, Totals, calls, operation, totals};
use crate::capture::{Capture, Source};
use crate::forest::Forest;
use crate::otlp::Trouble;
use crate::query::Filter;

/// Totals, rows, and what was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of this form: 1.
    pub schema: u32,
    /// Sums over everything.
    pub totals: Totals,
    /// What runs of agents took, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<Agents>,
    /// By what the rows are put together.
    pub by: String,
    /// The order of the rows.
    #[serde(skip)]
    pub sort: Sort,
    /// The rows.
    pub operations: Vec<Operation>,
    /// How many rows `--top` left out.
    pub operations_left_out: usize,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What was odd.
    pub troubles: Vec<Oddity>,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Its path, `-` for standard input.
    pub path: String,
    /// The format found in it.
    pub format: String,
    /// The compression found around it.
    pub compression: Option<&'static str>,
    /// Spans it held.
    pub spans: u64,
    /// Its size as stored.
    pub bytes: u64,
}

/// Something odd in an input, with the place of its first occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Oddity {
    /// The input.
    pub path: String,
    /// Line from 1; 0 in binary inputs.
    pub line: u64,
    /// Byte offset in the decoded input.
    pub offset: u64,
    /// What it is.
    pub message: &'static str,
    /// What exactly; may be empty.
    pub detail: String,
    /// How often it occurred.
    pub count: u64,
    /// How much it weighs: note, warning or loss.
    pub grade: &'static str,
    /// Where in its document; may be empty.
    pub json_path: String,
    /// The trace, where known.
    pub trace_id: Option<String>,
    /// The span, where known.
    pub span_id: Option<String>,
}

/// Counts and measures the spans that pass the filter.
pub fn report(capture: &Capture, filter: &Filter, question: &Question) -> Report {
    // What does not need each other is done side by side; the answer does not depend on it.
    let (forest, groups) =
        side_by_side(question.jobs, || Forest::of(capture), || Groups::of(capture, filter, &question.by));
    let ((totals, own, mut found), mut rows) = side_by_side(
        question.jobs,
        || totals::count(capture, &forest, &groups, filter, question),
        || operation::rows(capture, &groups, question),
    );
    for (row, tokens) in rows.iter_mut().zip(found.tokens(groups.groups.len())) {
        row.tokens = tokens;
    }
    let calls = std::mem::take(&mut found.calls);
    let (operations, all) = if question.is_of_calls() {
        operation::finish_calls(calls::rows(capture, calls), question)
    } else {
        if question.by == By::Role {
            calls::add_to_roles(&mut rows, calls);
        }
        operation::finish(rows, &own, question)
    };
    Report {
        schema: 1,
        totals,
        agents: found.report(capture, question),
        by: question.by.to_string(),
        sort: question.sort,
        operations_left_out: all - operations.len(),
        operations,
        inputs: capture.sources().iter().map(Input::of).collect(),
        troubles: capture.troubles().iter().map(|trouble| Oddity::of(trouble, capture.sources())).collect(),
    }
}

/// Does two things at once, where more than one thread is allowed.
fn side_by_side<A: Send, B: Send>(jobs: usize, first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    if jobs < 2 {
        return (first(), second());
    }
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        match first.join() {
            Ok(first) => (first, second),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

impl Input {
    fn of(source: &Source) -> Self {
        Self {
            path: source.path.clone(),
            format: source.format.clone(),
            compression: source.compression,
            spans: source.spans,
            bytes: source.bytes,
        }
    }
}

impl Oddity {
    fn of(trouble: &Trouble, sources: &[Source]) -> Self {
        Self {
            path: sources.get(usize::from(trouble.source)).map(|source| source.path.clone()).unwrap_or_default(),
            line: trouble.line,
            offset: trouble.offset,
            message: trouble.kind.message(),
            detail: trouble.detail.clone(),
            count: trouble.count,
            grade: trouble.kind.grade().name(),
            json_path: trouble.json_path.clone(),
            trace_id: trouble.trace_id.map(|id| id.to_string()),
            span_id: trouble.span_id.map(|id| id.to_string()),
        }
    }
}

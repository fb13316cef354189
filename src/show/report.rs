//! The answer: the spans that were asked for, in full.
//!
//! Comes in: a span or a trace. Goes out: a [`Report`], spans depth first.

use serde::Serialize;

use super::Span;
use crate::capture::{Capture, Detail, SpanRef};
use crate::forest::{Forest, Tree};
use crate::input::InputError;
use crate::query::{Filter, ended};

/// Spans in full.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this form: 1.
    pub schema: u32,
    /// The trace they are of.
    pub trace_id: String,
    /// Spans of the whole trace.
    pub trace_spans: u32,
    /// How long the whole trace took.
    pub trace_duration_ns: u64,
    /// The spans that were asked for; of one span, all its different records.
    pub spans: Vec<Span>,
    /// How many more there are: at most 2,000 are laid open at once.
    pub spans_left_out: usize,
}

/// One span: every record of its id that is not an identical copy.
pub fn report_span(capture: &Capture, forest: &Forest, span: SpanRef) -> Result<Report, InputError> {
    let head = capture.head(span);
    let number = forest.traces().position(|trace| trace.id == head.trace).unwrap_or(forest.len());
    report(capture, forest, number, |other| capture.head(other).id == head.id)
}

/// The spans of a trace that pass the filter.
pub fn report_trace(capture: &Capture, forest: &Forest, number: usize, filter: &Filter) -> Result<Report, InputError> {
    report(capture, forest, number, |span| filter.admits(capture, span, ended(capture.head(span))))
}

/// At most this many spans are laid open at once: details of a million do not fit into memory.
const MOST: usize = 2_000;

fn report(
    capture: &Capture,
    forest: &Forest,
    number: usize,
    wanted: impl Fn(SpanRef) -> bool,
) -> Result<Report, InputError> {
    let mut tree = Tree::default();
    forest.tree(capture, number, &mut tree);
    let nodes = tree.nodes().iter().enumerate().filter_map(|(at, node)| Some((at, node.span?)));
    let mut nodes: Vec<(usize, SpanRef)> = nodes.filter(|(_, span)| wanted(*span)).collect();
    let left_out = nodes.len().saturating_sub(MOST);
    nodes.truncate(MOST);
    let spans: Vec<SpanRef> = nodes.iter().map(|(_, span)| *span).collect();
    let details = capture.details(&spans)?;
    let lines = capture.lines(&spans);
    let lay_open = |(((at, span), detail), line): ((&(usize, SpanRef), Option<Detail>), u64)| {
        // What is no longer there is shown by what was kept of it.
        let detail = detail.unwrap_or_else(|| remembered(capture, *span));
        Span::of(capture, &tree, *at, *span, &detail, line)
    };
    Ok(Report {
        schema: 1,
        trace_id: tree.id().to_string(),
        trace_spans: tree.counts().spans,
        trace_duration_ns: tree.counts().duration_ns(),
        spans: nodes.iter().zip(details).zip(lines).map(lay_open).collect(),
        spans_left_out: left_out,
    })
}

fn remembered(capture: &Capture, span: SpanRef) -> Detail {
    let head = capture.head(span);
    Detail {
        trace_id: head.trace,
        span_id: head.id,
        parent_id: head.parent,
        name: capture.name(span).to_owned(),
        kind: head.marks.kind(),
        start: head.start,
        end: head.end,
        status: head.marks.status(),
        ..Detail::default()
    }
}

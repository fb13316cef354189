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
    /// How many more there are, where not all were asked for.
    pub spans_left_out: usize,
}

/// One span: every record of its id that is not an identical copy, at most so many.
pub fn report_span(capture: &Capture, forest: &Forest, span: SpanRef, most: usize) -> Result<Report, InputError> {
    let head = capture.head(span);
    let number = forest.traces().position(|trace| trace.id == head.trace).unwrap_or(forest.len());
    report(capture, forest, number, most, |other| capture.head(other).id == head.id)
}

/// The spans of a trace that pass the filter, at most so many.
pub fn report_trace(
    capture: &Capture,
    forest: &Forest,
    number: usize,
    filter: &Filter,
    most: usize,
) -> Result<Report, InputError> {
    report(capture, forest, number, most, |span| filter.admits(capture, span, ended(capture.head(span))))
}

fn report(
    capture: &Capture,
    forest: &Forest,
    number: usize,
    most: usize,
    wanted: impl Fn(SpanRef) -> bool,
) -> Result<Report, InputError> {
    let mut tree = Tree::default();
    forest.tree(capture, number, &mut tree);
    let nodes = tree.nodes().iter().enumerate().filter_map(|(at, node)| Some((at, node.span?)));
    let mut nodes: Vec<(usize, SpanRef)> = nodes.filter(|(_, span)| wanted(*span)).collect();
    let left_out = nodes.len().saturating_sub(most);
    nodes.truncate(most);
    let spans: Vec<SpanRef> = nodes.iter().map(|(_, span)| *span).collect();
    let details = capture.details(&spans)?;
    let place = |span: &SpanRef| (capture.head(*span).source, capture.head(*span).at);
    let lines = capture.lines(&spans.iter().map(place).collect::<Vec<_>>());
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

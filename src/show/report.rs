//! The answer: the spans that were asked for, in full.
//!
//! Comes in: a span or a trace. Goes out: a [`Report`], spans depth first.

use serde::Serialize;

use super::Span;
use crate::capture::{Capture, Detail, SpanRef};
use crate::forest::{Forest, Tree};
use crate::input::InputError;

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
}

/// One span: every record of its id that is not an identical copy.
pub fn report_span(capture: &Capture, forest: &Forest, span: SpanRef) -> Result<Report, InputError> {
    let head = capture.head(span);
    let number = forest.traces().position(|trace| trace.id == head.trace).unwrap_or(forest.len());
    report(capture, forest, number, |capture, other| capture.head(other).id == head.id)
}

/// A whole trace.
pub fn report_trace(capture: &Capture, forest: &Forest, number: usize) -> Result<Report, InputError> {
    report(capture, forest, number, |_, _| true)
}

fn report(
    capture: &Capture,
    forest: &Forest,
    number: usize,
    wanted: impl Fn(&Capture, SpanRef) -> bool,
) -> Result<Report, InputError> {
    let mut tree = Tree::default();
    forest.tree(capture, number, &mut tree);
    let nodes = tree.nodes().iter().enumerate().filter_map(|(at, node)| Some((at, node.span?)));
    let nodes: Vec<(usize, SpanRef)> = nodes.filter(|(_, span)| wanted(capture, *span)).collect();
    let spans: Vec<SpanRef> = nodes.iter().map(|(_, span)| *span).collect();
    let details = capture.details(&spans)?;
    let lay_open = |((at, span), detail): (&(usize, SpanRef), Option<Detail>)| {
        // What is no longer there is shown by what was kept of it.
        let detail = detail.unwrap_or_else(|| remembered(capture, *span));
        Span::of(capture, &tree, *at, *span, &detail)
    };
    Ok(Report {
        schema: 1,
        trace_id: tree.id().to_string(),
        trace_spans: tree.counts().spans,
        trace_duration_ns: tree.counts().duration_ns(),
        spans: nodes.iter().zip(details).map(lay_open).collect(),
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

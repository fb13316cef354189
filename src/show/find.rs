//! Finds what an id, or the beginning of one, stands for.
//!
//! Comes in: a few digits. Goes out: a span, a trace, several candidates, or nothing and what comes nearest.

use std::collections::BTreeSet;

use crate::capture::{Capture, SpanRef};
use crate::forest::Forest;
use crate::model::{SpanId, TraceId};
use crate::query::{Filter, IdPrefix, ended};

/// What an id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One span, by its first record.
    Span(SpanRef),
    /// One trace, by its number in the forest.
    Trace(usize),
    /// Several: all of them, traces first.
    Several(Vec<Candidate>),
    /// Nothing; an id that begins almost like it.
    Nothing(Option<String>),
    /// There is such an id, but the filter lets none of its spans pass.
    Filtered,
}

/// One of several things that an id may stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its whole id.
    pub id: String,
    /// The trace it is in, for a span.
    pub trace: Option<TraceId>,
    /// The name of the span, or of the trace's first span.
    pub name: String,
}

/// Looks an id up among the traces and the spans that pass the filter.
pub fn find(capture: &Capture, forest: &Forest, filter: &Filter, wanted: &IdPrefix) -> Found {
    let admitted = |span: SpanRef| filter.is_open() || filter.admits(capture, span, ended(capture.head(span)));
    let traces: Vec<usize> = (forest.traces().enumerate())
        .filter(|(_, trace)| wanted.fits_trace(trace.id) && trace.spans.iter().any(|&span| admitted(span)))
        .map(|(number, _)| number)
        .collect();
    let mut seen = BTreeSet::new();
    let spans: Vec<SpanRef> = (capture.spans())
        .filter(|&span| {
            let head = capture.head(span);
            wanted.fits_span(head.id) && admitted(span) && seen.insert((head.trace, head.id))
        })
        .collect();
    match (traces.as_slice(), spans.as_slice()) {
        // A whole span id is meant as one, even where a trace happens to begin like it.
        (_, [span]) if wanted.digits().len() == 16 => Found::Span(*span),
        ([trace], []) => Found::Trace(*trace),
        ([], [span]) => Found::Span(*span),
        ([], []) if !filter.is_open() && exists(capture, wanted) => Found::Filtered,
        ([], []) => Found::Nothing(nearest(capture, wanted.digits())),
        _ => Found::Several(candidates(capture, forest, &traces, &spans)),
    }
}

/// The only trace that has a span which passes the filter; all of them where there are several.
pub fn find_only(capture: &Capture, forest: &Forest, filter: &Filter) -> Found {
    let admitted = |span: SpanRef| filter.is_open() || filter.admits(capture, span, ended(capture.head(span)));
    let traces: Vec<usize> = (forest.traces().enumerate())
        .filter(|(_, trace)| trace.spans.iter().any(|&span| admitted(span)))
        .map(|(number, _)| number)
        .collect();
    match traces.as_slice() {
        [] => Found::Filtered,
        [trace] => Found::Trace(*trace),
        traces => Found::Several(candidates(capture, forest, traces, &[])),
    }
}

fn exists(capture: &Capture, wanted: &IdPrefix) -> bool {
    capture.heads().any(|head| wanted.fits_trace(head.trace) || wanted.fits_span(head.id))
}

fn candidates(capture: &Capture, forest: &Forest, traces: &[usize], spans: &[SpanRef]) -> Vec<Candidate> {
    let traces = traces.iter().map(|&number| {
        let trace = forest.trace(number);
        let first = trace.spans.iter().min_by_key(|&&span| capture.head(span).start);
        let name = first.map(|&span| capture.name(span).to_owned()).unwrap_or_default();
        Candidate { id: trace.id.to_string(), trace: None, name }
    });
    let spans = spans.iter().map(|&span| {
        let head = capture.head(span);
        Candidate { id: head.id.to_string(), trace: Some(head.trace), name: capture.name(span).to_owned() }
    });
    traces.chain(spans).collect()
}

/// The id that shares the longest beginning with `digits`, if that is at least four digits.
fn nearest(capture: &Capture, digits: &str) -> Option<String> {
    let shared = |id: &str| id.bytes().zip(digits.bytes()).take_while(|(a, b)| a == b).count();
    let ids =
        capture.spans().map(|span| capture.head(span)).flat_map(|head| [spell_trace(head.trace), spell_span(head.id)]);
    let best = ids.map(|id| (shared(&id), std::cmp::Reverse(id))).max()?;
    (best.0 >= 4).then_some(best.1.0)
}

fn spell_trace(id: TraceId) -> String {
    id.to_string()
}

fn spell_span(id: SpanId) -> String {
    id.to_string()
}

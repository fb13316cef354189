//! Puts the spans of one trace in an order that does not depend on the order of the input, and drops exact repeats.
//!
//! The order is (start, end, id) and then everything else that is kept of a span, names by their text.

use std::cmp::Ordering;

use crate::capture::{Capture, Head, SpanRef};

/// A span that takes part in a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) id: u64,
    pub(super) parent: u64,
    pub(super) span: SpanRef,
    /// How many spans say exactly the same.
    pub(super) repeats: u32,
}

/// Refills `entries` with the spans in order, each exact repeat counted at the first one.
pub(super) fn arrange(capture: &Capture, spans: &[SpanRef], entries: &mut Vec<Entry>) {
    entries.clear();
    entries.extend(spans.iter().map(|&span| {
        let Head { start, end, id, parent, .. } = *capture.head(span);
        Entry { start, end, id: id.0, parent: parent.0, span, repeats: 0 }
    }));
    // A span without a start has no place in time: it stands behind those that have one.
    let key = |entry: &Entry| (entry.start == 0, entry.start, entry.end, entry.id);
    entries.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then_with(|| tie(capture, a.span, b.span)));
    // Spans that say the same stand together now, because the order looks at everything that is kept.
    entries.dedup_by(|next, kept| {
        let same = next.id != 0 && key(next) == key(kept) && capture.head(next.span).repeats(capture.head(kept.span));
        kept.repeats += u32::from(same);
        same
    });
}

/// Compares spans that agree in start, end and id.
fn tie(capture: &Capture, a: SpanRef, b: SpanRef) -> Ordering {
    let (x, y) = (capture.head(a), capture.head(b));
    let scope = |head: &Head| capture.text(capture.origin(head.origin).scope);
    let facts = |head: &Head| {
        let marks = head.marks;
        let odd =
            [marks.bad_trace_id(), marks.bad_span_id(), marks.bad_parent_id(), marks.dropped(), marks.exception()];
        let budget = [marks.over_parameter_budget(), marks.over_span_budget(), marks.remote_known(), marks.remote()];
        let told = (marks.kind(), marks.status(), marks.termination(), marks.role());
        (head.parent, told, head.attributes, head.events, head.links, odd, budget)
    };
    facts(x)
        .cmp(&facts(y))
        .then_with(|| capture.name(a).cmp(capture.name(b)))
        .then_with(|| capture.service(a).cmp(capture.service(b)))
        .then_with(|| scope(x).cmp(scope(y)))
        // From here on nothing that is shown differs: this keeps exact repeats together.
        .then_with(|| x.origin.cmp(&y.origin))
}

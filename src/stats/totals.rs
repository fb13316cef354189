//! What is counted over everything, trace by trace and on several threads.
//!
//! Comes in: a forest and the groups. Goes out: sums. The result does not depend on the number of threads: sums do not
//! mind their order.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Serialize;

use super::Question;
use super::group::Groups;
use super::runs::Found;
use crate::capture::{Capture, NameId, SpanRef};
use crate::forest::{Flags, Forest, Node, Tree};
use crate::model::{Outcome, Status};
use crate::query::Filter;

/// Sums over all spans that passed the filter. Every span that was read counts, repeats included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Spans.
    pub spans: u64,
    /// Traces.
    pub traces: u64,
    /// Spans without a parent id.
    pub roots: u64,
    /// Spans whose parent id no span of their trace has.
    pub orphans: u64,
    /// Spans with status ERROR.
    pub errors: u64,
    /// Spans that were cancelled, expected or not.
    pub cancelled: u64,
    /// Spans without an end, and without error or cancellation.
    pub unfinished: u64,
    /// Spans that repeat a trace id and span id already seen, identical or not.
    pub duplicates: u64,
    /// Spans with a trace or span id that is missing, all zero, or of the wrong length.
    pub invalid_ids: u64,
    /// Span events.
    pub events: u64,
    /// Span links.
    pub links: u64,
    /// Different services.
    pub services: u64,
    /// Bytes read, as stored; all inputs whole, whatever the filter.
    pub bytes: u64,
    /// Kinds of oddities met, counted once an input.
    pub troubles: u64,
}

/// What one thread has counted.
#[derive(Debug, Default)]
struct Tally {
    totals: Totals,
    services: BTreeSet<NameId>,
    /// Own time by group.
    own: Vec<u64>,
    /// Runs and calls.
    found: Found,
}

/// Counts everything; also gives the own time of every group, and the runs and calls.
pub(super) fn count(
    capture: &Capture,
    forest: &Forest,
    groups: &Groups,
    filter: &Filter,
    question: &Question,
) -> (Totals, Vec<u64>, Found) {
    let ranges = forest.shares(question.jobs);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let threads: Vec<_> = ranges
            .into_iter()
            .map(|range| scope.spawn(move || tally(capture, forest, groups, (filter, question), range)))
            .collect();
        // A thread that panicked has already ended the program; there is nothing to add for it.
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let mut all = Tally { own: vec![0; groups.groups.len()], ..Tally::default() };
    for tally in tallies {
        all.add(tally);
    }
    let mut totals = all.totals;
    totals.services = all.services.iter().filter(|&&service| !capture.text(service).is_empty()).count() as u64;
    totals.bytes = capture.sources().iter().map(|source| source.bytes).sum();
    totals.troubles = capture.troubles().len() as u64;
    (totals, all.own, all.found)
}

fn tally(
    capture: &Capture,
    forest: &Forest,
    groups: &Groups,
    (filter, question): (&Filter, &Question),
    traces: Range<usize>,
) -> Tally {
    let mut tally = Tally { own: vec![0; groups.groups.len()], ..Tally::default() };
    let mut tree = Tree::default();
    for number in traces {
        forest.tree(capture, number, &mut tree);
        tally.tree(capture, groups, &tree);
        if capture.has_briefs() {
            tally.found.tree(capture, &tree, groups, (filter, question));
        }
    }
    tally
}

impl Tally {
    fn tree(&mut self, capture: &Capture, groups: &Groups, tree: &Tree) {
        let before = self.totals.spans;
        let mut shared_ids = Vec::new();
        for node in tree.nodes() {
            let Some(span) = node.span else { continue };
            let Some(own) = groups.get(span).and_then(|group| self.own.get_mut(group)) else { continue };
            *own = own.saturating_add(node.self_ns);
            self.node(capture, span, node);
            if node.flags.has(Flags::DUPLICATE.with(Flags::SHARED_ID)) {
                shared_ids.push(node.id);
            }
        }
        let conflicts = shared_ids.len();
        shared_ids.sort_unstable();
        shared_ids.dedup();
        self.totals.duplicates += (conflicts - shared_ids.len()) as u64;
        self.totals.traces += u64::from(self.totals.spans > before);
    }

    fn node(&mut self, capture: &Capture, span: SpanRef, node: &Node) {
        let head = capture.head(span);
        let copies = 1 + u64::from(node.repeats);
        let when = |yes: bool| if yes { copies } else { 0 };
        let totals = &mut self.totals;
        totals.spans += copies;
        totals.duplicates += u64::from(node.repeats);
        totals.roots += when(head.is_root());
        totals.orphans += when(node.flags.has(Flags::ORPHAN));
        totals.errors += when(head.marks.status() == Status::Error);
        totals.cancelled += when(node.outcome == Outcome::Cancelled);
        totals.unfinished += when(node.outcome == Outcome::Unfinished);
        totals.invalid_ids += when(head.marks.bad_trace_id() || head.marks.bad_span_id());
        totals.events += copies * u64::from(head.events);
        totals.links += copies * u64::from(head.links);
        self.services.insert(capture.origin(head.origin).service);
    }

    fn add(&mut self, other: Self) {
        let (a, b) = (&mut self.totals, other.totals);
        a.spans += b.spans;
        a.traces += b.traces;
        a.roots += b.roots;
        a.orphans += b.orphans;
        a.errors += b.errors;
        a.cancelled += b.cancelled;
        a.unfinished += b.unfinished;
        a.duplicates += b.duplicates;
        a.invalid_ids += b.invalid_ids;
        a.events += b.events;
        a.links += b.links;
        self.services.extend(other.services);
        self.found.add(other.found);
        for (sum, more) in self.own.iter_mut().zip(other.own) {
            *sum = sum.saturating_add(more);
        }
    }
}

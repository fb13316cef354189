//! Judges the nodes of a laid-out tree: outcomes, cancellations, own time, work after the root; and counts.
//!
//! Comes in: nodes, parents before children. Goes out: the same nodes with their facts filled in.

use super::node::{Counts, Flags, NONE, Node};
use crate::capture::{Capture, NameId};
use crate::model::{Outcome, Status, Termination};

/// Scratch of the judge.
#[derive(Clone, Debug, Default)]
pub(super) struct Judge {
    /// How far into its own time each node is known to be covered by children.
    covered_to: Vec<u64>,
    services: Vec<NameId>,
}

impl Judge {
    /// Fills in the facts of every node and counts them.
    pub(super) fn judge(&mut self, capture: &Capture, nodes: &mut [Node]) -> Counts {
        let (requested, errors) = judge_outcomes(capture, nodes);
        if requested.is_some() || nodes.iter().any(|node| node.outcome == Outcome::Cancelled) {
            trace_cancellations(capture, nodes, requested);
        }
        self.measure(nodes);
        mark_late(capture, nodes);
        let mut counts = count(nodes);
        counts.services = self.count_services(capture, nodes);
        counts.errors = errors;
        counts
    }

    /// Own time, and where a node stands in time against its parent and its root.
    fn measure(&mut self, nodes: &mut [Node]) {
        self.covered_to.clear();
        self.covered_to.resize(nodes.len(), 0);
        let (mut top_end, mut placeholder) = (0, false);
        for at in 0..nodes.len() {
            let (done, rest) = nodes.split_at_mut(at);
            let Some(node) = rest.first_mut() else { break };
            node.self_ns += node.duration_ns();
            if node.parent == NONE {
                placeholder = node.span.is_none();
                top_end = if placeholder { 0 } else { node.end };
            } else if placeholder {
                node.flags.add(Flags::UNDER_PLACEHOLDER);
            } else if top_end != 0 {
                if node.last_ns() > top_end {
                    node.flags.add(Flags::OUTLIVES_ROOT);
                }
                if node.start > top_end {
                    node.flags.add(Flags::AFTER_ROOT);
                }
            }
            let Some(parent) = done.get_mut(node.parent as usize).filter(|parent| parent.span.is_some()) else {
                continue;
            };
            if node.start != 0 && node.start < parent.start {
                node.flags.add(Flags::BEFORE_PARENT);
            }
            if node.start == 0 || node.end == 0 || parent.start == 0 || parent.end == 0 {
                continue;
            }
            // Siblings come by start, so what they cover together grows from left to right.
            let Some(covered) = self.covered_to.get_mut(node.parent as usize) else { continue };
            let from = node.start.max(parent.start).max(*covered);
            let to = node.end.min(parent.end);
            if to > from {
                parent.self_ns -= to - from;
                *covered = to;
            }
        }
    }

    fn count_services(&mut self, capture: &Capture, nodes: &[Node]) -> u32 {
        self.services.clear();
        let mut last = None;
        for span in nodes.iter().filter_map(|node| node.span) {
            let origin = capture.head(span).origin;
            if last != Some(origin) {
                last = Some(origin);
                self.services.push(capture.origin(origin).service);
            }
        }
        self.services.sort_unstable();
        self.services.dedup();
        self.services.retain(|&service| !capture.text(service).is_empty());
        self.services.len() as u32
    }

    /// The services of the trace that was judged last, by name.
    pub(super) fn services<'c>(&self, capture: &'c Capture) -> Vec<&'c str> {
        let mut names: Vec<_> = self.services.iter().map(|&service| capture.text(service)).collect();
        names.sort_unstable();
        names
    }
}

/// Gives every node its outcome; the start of the earliest span that says somebody asked for the end, and how many spans
/// have status ERROR.
fn judge_outcomes(capture: &Capture, nodes: &mut [Node]) -> (Option<u64>, u32) {
    let mut requested: Option<u64> = None;
    let mut errors = 0;
    for node in nodes {
        let Some(span) = node.span else { continue };
        let head = capture.head(span);
        let termination = head.marks.termination();
        errors += if head.marks.status() == Status::Error { 1 + node.repeats } else { 0 };
        node.outcome = head.outcome();
        if termination == Termination::Requested {
            node.expected = true;
            requested = Some(requested.map_or(node.start, |earliest| earliest.min(node.start)));
        }
    }
    (requested, errors)
}

/// Finds the deepest span of every cancellation and judges the spans it passed through by it.
fn trace_cancellations(capture: &Capture, nodes: &mut [Node], requested: Option<u64>) {
    for at in (0..nodes.len()).rev() {
        let (above, rest) = nodes.split_at_mut(at);
        let Some(node) = rest.first_mut() else { continue };
        let cancelled = node.outcome == Outcome::Cancelled;
        if cancelled && node.cause == NONE {
            node.cause = at as u32;
            node.flags.add(Flags::CANCELLED_HERE);
        }
        // A cancellation also passes spans that say nothing: only what called itself ok or failed has stopped it.
        let passes = cancelled || node.span.is_some_and(|span| capture.head(span).marks.status() == Status::Unset);
        if !passes {
            node.cause = NONE;
        }
        let (cause, parent) = (node.cause, node.parent);
        if let Some(parent) = above.get_mut(parent as usize).filter(|_| cause != NONE) {
            parent.cause = cause;
        }
    }
    for at in 0..nodes.len() {
        let (above, rest) = nodes.split_at_mut(at);
        let Some(node) = rest.first_mut() else { continue };
        let through = match above.get(node.parent as usize) {
            Some(parent) if parent.cause != NONE => parent.propagated + u32::from(parent.outcome == Outcome::Cancelled),
            _ => 0,
        };
        node.propagated = if node.cause == NONE { 0 } else { through };
        node.expected |= node.outcome == Outcome::Cancelled && requested.is_some_and(|earliest| earliest <= node.start);
    }
    for at in 0..nodes.len() {
        let place = nodes.get(at).and_then(|node| nodes.get(node.cause as usize));
        let expected = place.is_some_and(|place| place.expected);
        let Some(node) = nodes.get_mut(at) else { continue };
        if node.outcome == Outcome::Cancelled {
            node.expected |= expected;
        } else {
            node.cause = NONE;
        }
        if !node.flags.has(Flags::CANCELLED_HERE) {
            node.propagated = 0;
        }
    }
}

fn count(nodes: &[Node]) -> Counts {
    let mut counts = Counts { start: u64::MAX, ..Counts::default() };
    for node in nodes {
        let spans = 1 + node.repeats;
        counts.depth = counts.depth.max(node.depth);
        if node.span.is_none() {
            counts.missing += 1;
            continue;
        }
        counts.spans += spans;
        counts.duplicates += node.repeats;
        counts.start = if node.start == 0 { counts.start } else { counts.start.min(node.start) };
        counts.end = counts.end.max(node.last_ns());
        let flags = [
            (Flags::ROOT, &mut counts.roots),
            (Flags::ORPHAN, &mut counts.orphans),
            (Flags::CYCLE, &mut counts.cycles),
        ];
        for (flag, sum) in flags {
            *sum += if node.flags.has(flag) { spans } else { 0 };
        }
        *match node.outcome {
            Outcome::Ok => &mut counts.ok,
            Outcome::Error => &mut counts.failed,
            Outcome::Cancelled => &mut counts.cancelled,
            Outcome::Unfinished => &mut counts.unfinished,
        } += spans;
        counts.expected += if node.expected { spans } else { 0 };
    }
    counts.start = if counts.start == u64::MAX { 0 } else { counts.start };
    counts
}

/// Marks the spans that arrived after their trace had settled.
fn mark_late(capture: &Capture, nodes: &mut [Node]) {
    if !capture.sources().iter().any(|source| source.late) {
        return;
    }
    let is_late = |node: &Node| node.span.is_some_and(|span| capture.source(capture.head(span).source).late);
    nodes.iter_mut().filter(|node| is_late(node)).for_each(|node| node.flags.add(Flags::LATE));
}

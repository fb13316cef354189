//! The tree of one trace.
//!
//! Comes in: the spans of a trace. Goes out: nodes depth first in one array, children of a node one after another. The
//! space is kept from trace to trace.

use super::critical::Walk;
use super::judge::Judge;
use super::layout::Layout;
use super::link::Links;
use super::node::{Counts, Flags, NONE, Node};
use super::order::{self, Entry};
use crate::capture::{Capture, SpanRef};
use crate::model::TraceId;

/// The tree of one trace, to be filled again and again by [`super::Forest::tree`].
///
/// Nodes stand depth first: every parent before its children, every subtree in one slice, siblings by start.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    id: TraceId,
    nodes: Vec<Node>,
    counts: Counts,
    entries: Vec<Entry>,
    links: Links,
    layout: Layout,
    judge: Judge,
    walk: Walk,
}

impl Tree {
    /// Refills itself.
    pub(super) fn fill(&mut self, capture: &Capture, id: TraceId, spans: &[SpanRef]) {
        self.id = id;
        order::arrange(capture, spans, &mut self.entries);
        self.links.fill(capture, &self.entries);
        self.layout.fill(&self.entries, &self.links, &mut self.nodes);
        self.counts = self.judge.judge(capture, &mut self.nodes);
        // A joined half is no orphan in the tree, but its parent is missing all the same.
        self.counts.orphans += self.links.lost_halves;
        self.counts.duplicates += self.links.conflicts;
    }

    /// The trace's id.
    pub fn id(&self) -> TraceId {
        self.id
    }

    /// All nodes, depth first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The services of the trace, by name.
    pub fn services<'c>(&self, capture: &'c Capture) -> Vec<&'c str> {
        self.judge.services(capture)
    }

    /// The parent of a node; a placeholder for an orphan.
    pub fn parent(&self, node: usize) -> Option<usize> {
        self.nodes.get(node).map(|node| node.parent).filter(|&parent| parent != NONE).map(|parent| parent as usize)
    }

    /// One past the last node of a node's subtree.
    pub fn after(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(node, |node| node.after as usize)
    }

    /// The children of a node, by start.
    pub fn children(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.siblings(node + 1, self.after(node))
    }

    /// The nodes without a parent node: roots, placeholders, and spans where a cycle was cut.
    pub fn tops(&self) -> impl Iterator<Item = usize> + '_ {
        self.siblings(0, self.nodes.len())
    }

    fn siblings(&self, from: usize, to: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(from), |&at| Some(self.after(at))).take_while(move |&at| at < to)
    }

    /// The node of the first span that names no parent.
    pub fn root(&self) -> Option<usize> {
        self.tops().find(|&at| self.nodes.get(at).is_some_and(|node| node.flags.has(Flags::ROOT)))
    }

    /// For a cancelled node: the node where that cancellation happened, the deepest it passed through.
    pub fn cancelled_at(&self, node: usize) -> Option<usize> {
        self.nodes.get(node).map(|node| node.cause).filter(|&cause| cause != NONE).map(|cause| cause as usize)
    }

    /// Sets [`Flags::CRITICAL`] on the nodes of the critical path.
    pub fn mark_critical_path(&mut self) {
        self.walk.mark(&mut self.nodes);
    }
}

//! Lays linked entries out depth first, siblings in order, placeholders among the roots where their first child stands.
//!
//! Comes in: places and parents. Goes out: nodes in which every parent stands before its children and every subtree is
//! one slice.

use super::link::Links;
use super::node::{Flags, NONE, Node};
use super::order::Entry;
use crate::model::{Outcome, SpanId};

/// Scratch of the layout: lists of siblings through places.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    first: Vec<u32>,
    next: Vec<u32>,
    /// The node of each place.
    node: Vec<u32>,
    stack: Vec<u32>,
}

impl Layout {
    /// Refills `nodes`.
    pub(super) fn fill(&mut self, entries: &[Entry], links: &Links, nodes: &mut Vec<Node>) {
        nodes.clear();
        let top = self.chain(entries, links);
        self.stack.clear();
        self.stack.extend(top);
        while let Some(place) = self.stack.pop() {
            let at = place as usize;
            if self.next[at] != NONE {
                self.stack.push(self.next[at]);
            }
            let parent = links.parent.get(at).map_or(NONE, |&up| self.node.get(up as usize).copied().unwrap_or(NONE));
            let depth = nodes.get(parent as usize).map_or(0, |parent| parent.depth + 1);
            self.node[at] = nodes.len() as u32;
            nodes.push(self.node_of(entries, links, at, parent, depth));
            if self.first[at] != NONE {
                self.stack.push(self.first[at]);
            }
        }
        close(nodes);
    }

    /// Chains siblings in order; the first of the top, if there is any.
    fn chain(&mut self, entries: &[Entry], links: &Links) -> Option<u32> {
        let (n, all) = (entries.len(), entries.len() + links.missing.len());
        for list in [&mut self.first, &mut self.next, &mut self.node] {
            list.clear();
            list.resize(all, NONE);
        }
        for place in (0..n).rev() {
            if let Some(first) = self.first.get_mut(links.parent[place] as usize) {
                self.next[place] = *first;
                *first = place as u32;
            }
        }
        let (mut top, mut last) = (None, NONE);
        for place in 0..n as u32 {
            let parent = links.parent[place as usize];
            let next = match parent {
                NONE => place,
                // A placeholder stands where the first of its children would.
                _ if parent as usize >= n && self.first[parent as usize] == place => parent,
                _ => continue,
            };
            match self.next.get_mut(last as usize) {
                Some(link) => *link = next,
                None => top = Some(next),
            }
            last = next;
        }
        top
    }

    fn node_of(&self, entries: &[Entry], links: &Links, at: usize, parent: u32, depth: u32) -> Node {
        let entry = entries.get(at);
        let missing = || links.missing.get(at - entries.len()).copied().unwrap_or_default();
        Node {
            span: entry.map(|entry| entry.span),
            id: SpanId(entry.map_or_else(missing, |entry| entry.id)),
            start: entry.map_or(0, |entry| entry.start),
            end: entry.map_or(0, |entry| entry.end),
            self_ns: 0,
            depth,
            repeats: entry.map_or(0, |entry| entry.repeats),
            propagated: 0,
            parent,
            after: 0,
            cause: NONE,
            outcome: Outcome::Ok,
            expected: false,
            flags: links.flags.get(at).copied().unwrap_or(Flags::default()),
        }
    }
}

/// Writes where each subtree ends, and gives placeholders the time their children span.
fn close(nodes: &mut [Node]) {
    for at in (0..nodes.len()).rev() {
        let node = &mut nodes[at];
        node.after = node.after.max(at as u32 + 1);
        let (up, after, start, last) = (node.parent, node.after, node.start, node.last_ns());
        let Some(parent) = nodes.get_mut(up as usize) else { continue };
        parent.after = parent.after.max(after);
        if parent.span.is_none() {
            parent.start = if parent.start == 0 { start } else { parent.start.min(start) };
            parent.end = parent.end.max(last);
        }
    }
}

//! Lays linked entries out depth first, siblings in order, placeholders among the roots where their first child stands.
//!
//! Comes in: places and parents. Goes out: nodes in which every parent stands before its children and every subtree is
//! one slice.

use super::link::Links;
use super::node::{Flags, NONE, Node};
use super::order::Entry;
use super::places::Places;
use crate::model::{Outcome, SpanId};

/// Scratch of the layout: lists of siblings through places.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    first: Places,
    next: Places,
    /// The node of each place.
    node: Places,
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
            self.stack.extend(self.next.get(place).filter(|&next| next != NONE));
            let parent = self.node.at(links.parent.at(place));
            let depth = nodes.get(parent as usize).map_or(0, |parent| parent.depth + 1);
            self.node.put(place, nodes.len() as u32);
            nodes.push(node_of(entries, links, place as usize, parent, depth));
            self.stack.extend(self.first.get(place).filter(|&first| first != NONE));
        }
        close(nodes);
    }

    /// Chains siblings in order; the first of the top, if there is any.
    fn chain(&mut self, entries: &[Entry], links: &Links) -> Option<u32> {
        let (n, all) = (entries.len(), entries.len() + links.missing.len());
        for list in [&mut self.first, &mut self.next, &mut self.node] {
            list.refill(all);
        }
        for place in (0..n as u32).rev() {
            let parent = links.parent.at(place);
            if let Some(first) = self.first.get(parent) {
                self.next.put(place, first);
                self.first.put(parent, place);
            }
        }
        let (mut top, mut last) = (None, NONE);
        for place in 0..n as u32 {
            let parent = links.parent.at(place);
            let next = match parent {
                NONE => place,
                // A placeholder stands where the first of its children would.
                _ if parent as usize >= n && self.first.at(parent) == place => parent,
                _ => continue,
            };
            self.next.put(last, next);
            top = top.or(Some(next));
            last = next;
        }
        top
    }
}

fn node_of(entries: &[Entry], links: &Links, at: usize, parent: u32, depth: u32) -> Node {
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

/// Writes where each subtree ends, and gives placeholders the time their children span.
fn close(nodes: &mut [Node]) {
    for at in (0..nodes.len()).rev() {
        let (above, rest) = nodes.split_at_mut(at);
        let Some(node) = rest.first_mut() else { continue };
        node.after = node.after.max(at as u32 + 1);
        let (up, after, start, last) = (node.parent, node.after, node.start, node.last_ns());
        let Some(parent) = above.get_mut(up as usize) else { continue };
        parent.after = parent.after.max(after);
        if parent.span.is_none() {
            parent.start = if parent.start == 0 { start } else { parent.start.min(start) };
            parent.end = parent.end.max(last);
        }
    }
}

//! The critical path of a trace: the spans without which it would have ended sooner.
//!
//! From the last end of the trace it walks back: of a node's children, the one whose subtree ends last before the cursor is on the
//! path, and the cursor moves to where that child starts. A subtree counts until its last end, because asynchronous
//! children outlive their parents. This is Jaeger's critical path with work that outlives its caller kept in.

use super::node::{Flags, Node};

/// Scratch of the walk.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// The last end in each node's subtree.
    last: Vec<u64>,
    /// Nodes on the path whose children were not looked at yet, each with the cursor it is entered at.
    open: Vec<(u32, u64)>,
    /// Children of one node, by the last end of their subtrees.
    children: Vec<(u64, u32)>,
}

impl Walk {
    /// Sets [`Flags::CRITICAL`] on the nodes of the path.
    pub(super) fn mark(&mut self, nodes: &mut [Node]) {
        self.last.clear();
        self.last.extend(nodes.iter().map(Node::last_ns));
        for (at, node) in nodes.iter().enumerate().rev() {
            let last = self.last.get(at).copied().unwrap_or_default();
            if let Some(parent) = self.last.get_mut(node.parent as usize) {
                *parent = last.max(*parent);
            }
        }
        self.open.clear();
        self.step(nodes, 0, nodes.len(), u64::MAX);
        while let Some((at, cursor)) = self.open.pop() {
            let Some(node) = nodes.get_mut(at as usize) else { continue };
            node.flags.add(Flags::CRITICAL);
            let after = node.after as usize;
            self.step(nodes, at as usize + 1, after, cursor);
        }
    }

    /// Opens those of the siblings in `from..to` that are on the path, entered with the cursor at `cursor`.
    fn step(&mut self, nodes: &[Node], from: usize, to: usize, mut cursor: u64) {
        self.children.clear();
        let mut at = from;
        while let Some((node, &last)) = nodes.get(at).zip(self.last.get(at)).filter(|_| at < to) {
            self.children.push((last, at as u32));
            at = node.after as usize;
        }
        self.children.sort_unstable_by(|a, b| b.cmp(a));
        for &(last, child) in &self.children {
            // The cursor only moves back: a child that reaches over it now always will.
            if let Some(node) = nodes.get(child as usize).filter(|_| last <= cursor) {
                self.open.push((child, last));
                cursor = node.start;
            }
        }
    }
}

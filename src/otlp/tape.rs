//! A nested value as one row: every member followed by what is nested in it.
//!
//! Comes in: members as a reader opens and closes them. Goes out: the row, made in one pass over the bytes however deep they
//! nest. It reads nothing itself.

use super::raw::{RawAttribute, RawValue};

/// Of a member that is not closed yet.
const OPEN: usize = usize::MAX;

/// A member of an array (its key is empty) or map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Node<'a> {
    pub(super) member: RawAttribute<'a>,
    /// How many of the nodes behind it are nested in it.
    below: usize,
}

/// The row while it is written.
#[derive(Debug, Default)]
pub(super) struct Tape<'a> {
    nodes: Vec<Node<'a>>,
    /// Where the members of the value that is read begin.
    from: usize,
    depth: usize,
}

/// The state to return to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    from: usize,
    depth: usize,
}

impl<'a> Tape<'a> {
    /// How many members are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Where it stands.
    pub(super) fn mark(&self) -> Mark {
        Mark { from: self.from, depth: self.depth }
    }

    /// Begins the members of a value: those of another one that stood in its place are gone.
    pub(super) fn begin(&mut self) {
        self.nodes.truncate(self.from);
    }

    /// Begins a member.
    pub(super) fn open(&mut self) -> Mark {
        let mark = self.mark();
        self.nodes.push(Node { below: OPEN, ..Node::default() });
        self.from = self.nodes.len();
        self.depth += 1;
        mark
    }

    /// Ends the member that began at `mark`.
    pub(super) fn close(&mut self, mark: Mark, member: RawAttribute<'a>) {
        if !matches!(member.value, RawValue::Nested(_)) {
            self.nodes.truncate(self.from);
        }
        let below = self.nodes.len().saturating_sub(self.from);
        if let Some(node) = self.from.checked_sub(1).and_then(|at| self.nodes.get_mut(at)) {
            *node = Node { member, below };
        }
        (self.from, self.depth) = (mark.from, mark.depth);
    }

    /// Gives up what is open since `mark`; the members that are closed stay.
    pub(super) fn abandon(&mut self, mark: Mark) {
        (self.from, self.depth) = (mark.from, mark.depth);
        let mut end = self.from;
        while let Some(node) = self.nodes.get(end).filter(|node| node.below != OPEN) {
            end += 1 + node.below;
        }
        self.nodes.truncate(end);
    }

    /// The row.
    pub(super) fn finish(mut self) -> Vec<Node<'a>> {
        self.abandon(Mark { from: 0, depth: 0 });
        self.nodes
    }
}

/// The members of one level, each with the nodes nested in it.
pub(super) fn level<'n, 'a>(nodes: &'n [Node<'a>]) -> impl Iterator<Item = (&'n RawAttribute<'a>, &'n [Node<'a>])> {
    let mut rest = nodes;
    std::iter::from_fn(move || {
        let (first, behind) = rest.split_first()?;
        let (below, next) = behind.split_at_checked(first.below).unwrap_or((behind, &[]));
        rest = next;
        Some((&first.member, below))
    })
}

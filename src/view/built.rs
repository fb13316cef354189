//! A built tree with its books: what is asked of single nodes before any of them gets a row.
//!
//! Comes in: a tree and what is counted over it. Goes out: yes and no. Nothing is read again.

use super::books::{Books, is_tool};
use crate::agent::{Piece, Role};
use crate::capture::{Brief, Capture, NameId};
use crate::forest::{Node, Tree};
use crate::model::Outcome;

/// A built tree with its books.
#[derive(Clone, Copy)]
pub(super) struct Built<'a, 'c> {
    pub(super) capture: &'c Capture,
    pub(super) tree: &'a Tree,
    /// None where no span of the trace takes part in an agent's run.
    pub(super) books: Option<&'a Books>,
}

/// What a role in an agent's run is worth a row of its own. A workflow is one only where calls are beneath it.
pub(super) fn is_of_run(role: Role) -> bool {
    !matches!(role, Role::Workflow | Role::Http | Role::Db | Role::Messaging | Role::Rpc)
}

/// What piece of a call stands for the call where its own span is not there.
pub(super) fn is_of_call(piece: Piece) -> bool {
    matches!(piece, Piece::Payloads | Piece::InnerTool)
}

impl<'a, 'c> Built<'a, 'c> {
    pub(super) fn node(&self, at: usize) -> Option<&'a Node> {
        self.tree.nodes().get(at)
    }

    pub(super) fn brief(&self, at: usize) -> Option<&'c Brief> {
        self.books?;
        self.capture.brief(self.node(at)?.span?)
    }

    /// Whether a span calls a tool.
    pub(super) fn is_tool(&self, at: usize) -> bool {
        self.brief(at).is_some_and(is_tool)
    }

    /// Whether a span is well by its status, but a tool or call by its own word is not.
    pub(super) fn fails_silently(&self, at: usize) -> bool {
        let says_so = self.brief(at).is_some_and(|brief| brief.failed == Some(true));
        let well = says_so && self.node(at).is_some_and(|node| node.outcome == Outcome::Ok);
        well && self.books.is_some_and(|books| !books.is_copy(at))
    }

    /// Whether anything went wrong with a span: it failed, was cancelled or never ended.
    pub(super) fn is_wrong(&self, at: usize) -> bool {
        let ended_well = self.node(at).is_none_or(|node| node.outcome == Outcome::Ok);
        !ended_well || self.fails_silently(at) || self.books.is_some_and(|books| books.has_failed(at))
    }

    /// Whether a span stands for itself, whatever its siblings are like.
    pub(super) fn is_single(&self, at: usize) -> bool {
        self.books.is_some_and(|books| books.step(at).is_some()) || self.is_wrong(at)
    }

    /// Whether a span is part of what agents did, and recorded for the first time.
    pub(super) fn is_of_run(&self, at: usize) -> bool {
        let Some(books) = self.books else { return false };
        if books.is_call(at) || books.step(at).is_some() {
            return true;
        }
        match self.brief(at).and_then(|brief| brief.role) {
            _ if books.is_copy(at) => false,
            Some(Role::Workflow) => books.total(std::iter::once(at)).is_some(),
            role => role.is_some_and(is_of_run),
        }
    }

    /// What tells a span from one of the same name: what it does, which tool, model and agent.
    pub(super) fn kind(&self, at: usize) -> [u32; 5] {
        let Some(brief) = self.brief(at) else { return [0; 5] };
        let copy = self.books.is_some_and(|books| books.is_copy(at));
        let [NameId(tool), NameId(model), NameId(agent)] = [brief.tool, brief.model, brief.agent];
        [brief.role.map_or(0, |role| role.number().into()), tool, model, agent, u32::from(copy)]
    }

    /// How many spans were read in a range of nodes, repeats included.
    pub(super) fn spans(&self, from: usize, to: usize) -> u64 {
        let nodes = self.tree.nodes().get(from..to).unwrap_or_default();
        nodes.iter().filter(|node| node.span.is_some()).map(|node| 1 + u64::from(node.repeats)).sum()
    }
}

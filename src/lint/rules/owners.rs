//! Whose calls are whose: what each agent of a trace called itself, in order.
//!
//! Comes in: a trace and its account. Goes out: calls to tools and agents by the agent, tool or run they stand directly below. What
//! an agent that was called does is its own affair.

use std::collections::BTreeMap;

use crate::agent::{Piece, Role};
use crate::capture::{NameId, Print, SpanRef};
use crate::ledger::{Call, Kind, is_step};
use crate::lint::look::TraceLook;

/// A call to a tool or an agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// The span.
    pub(super) span: SpanRef,
    /// The name of the tool or agent.
    pub(super) name: NameId,
    /// Equal where the same is called; what has no name is like nothing else.
    pub(super) what: (bool, u32, usize),
    /// A fingerprint of the arguments.
    pub(super) arguments: Option<Print>,
    start: u64,
}

/// Calls by whose they are.
pub(super) struct Owners<'l, 'a> {
    look: &'l TraceLook<'a>,
    /// The node that each node's calls belong to; the highest number where no agent or tool is above it.
    of: Vec<usize>,
}

impl<'l, 'a> Owners<'l, 'a> {
    /// Finds whose everything in a trace is.
    pub(super) fn of(look: &'l TraceLook<'a>) -> Self {
        let mut of = Vec::with_capacity(look.tree.nodes().len());
        for node in 0..look.tree.nodes().len() {
            let owner = match look.tree.parent(node) {
                Some(above) if is_owner(look, above) => above,
                Some(above) => of.get(above).copied().unwrap_or(usize::MAX),
                None => usize::MAX,
            };
            of.push(owner);
        }
        Self { look, of }
    }

    /// Whose a node is.
    pub(super) fn owner(&self, node: usize) -> usize {
        self.of.get(node).copied().unwrap_or(usize::MAX)
    }

    /// Calls to tools and agents in order, by whose they are.
    pub(super) fn turns(&self) -> impl Iterator<Item = Vec<Turn>> {
        let look = self.look;
        let mut all: BTreeMap<usize, Vec<Turn>> = BTreeMap::new();
        let mut add = |node: usize, span: SpanRef, name: NameId, agent: bool, arguments| {
            let what = (agent, name.0, if name.is_empty() { node + 1 } else { 0 });
            let start = look.head(span).start;
            all.entry(self.owner(node)).or_default().push(Turn { span, name, what, arguments, start });
        };
        for call in look.account().calls().iter().filter(|call| call.kind == Kind::Tool) {
            add(call.node, call.span, call.name, false, call.arguments);
        }
        for (node, _, span) in look.nodes() {
            let agent = look.capture.brief(span).filter(|brief| brief.role == Some(Role::Agent));
            agent.into_iter().for_each(|brief| add(node, span, brief.agent, true, None));
        }
        all.into_values().map(move |mut turns| {
            turns.sort_by_key(|turn| (turn.start, look.head(turn.span).id));
            turns
        })
    }

    /// How many steps each took: spans that are steps or begin one, or else calls to models.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, u64)> {
        let look = self.look;
        let mut all: BTreeMap<usize, [u64; 3]> = BTreeMap::new();
        let mut add = |node: usize, at: usize| {
            let counts = all.entry(self.owner(node)).or_default();
            if let Some(count) = counts.get_mut(at) {
                *count += 1;
            }
        };
        for (node, _, span) in look.nodes() {
            match look.capture.brief(span).map(|brief| (brief.role, brief.piece)) {
                Some((Some(Role::Step), _)) if is_step(look.capture, look.tree, node) => add(node, 0),
                Some((_, Some(Piece::StepStart))) => add(node, 1),
                _ => {}
            }
        }
        for call in look.account().calls().iter().filter(|call| call.kind == Kind::Model) {
            add(call.node, 2);
        }
        all.into_iter().map(|(owner, [steps, begun, calls])| {
            let steps = steps.max(begun);
            (owner, if steps > 0 { steps } else { calls })
        })
    }

    /// Calls to models in order, by whose they are.
    pub(super) fn thoughts(&self) -> impl Iterator<Item = Vec<&'l Call>> {
        let look = self.look;
        let mut all: BTreeMap<usize, Vec<&'l Call>> = BTreeMap::new();
        for call in look.account().calls().iter().filter(|call| call.kind == Kind::Model) {
            all.entry(self.owner(call.node)).or_default().push(call);
        }
        all.into_values().map(|mut calls| {
            calls.sort_by_key(|call| (call.start, call.node));
            calls
        })
    }
}

fn is_owner(look: &TraceLook<'_>, node: usize) -> bool {
    let role = look.span_of(node).and_then(|span| look.head(span).marks.role());
    matches!(role, Some(Role::Agent | Role::Tool))
}

//! The steps of runs by number.
//!
//! Comes in: a tree and its account. Goes out: a number for every span that a step begins with, counted as runs count them: spans
//! that are steps, those of Letta's that only say that one begins, or else calls to models.

use hashbrown::{HashMap, HashSet};

use crate::agent::{Piece, Role};
use crate::capture::Capture;
use crate::forest::{Flags, Tree};
use crate::ledger::{Account, Kind, is_step, runs};

/// A span that a step may begin with: the agent around it, its start, its node.
type Begin = (Option<usize>, u64, usize);

/// What of a run may begin a step.
#[derive(Default)]
struct Begun {
    steps: Vec<Begin>,
    starts: Vec<Begin>,
    calls: Vec<Begin>,
}

/// The nodes that steps begin with, numbered from 1 within the agent around them, or the run.
pub(super) fn steps(capture: &Capture, tree: &Tree, account: &Account) -> HashMap<usize, u32> {
    let mut numbers = HashMap::new();
    for run in runs(capture, tree, account) {
        let mut begun = Begun::of(capture, tree, account, run.node).settle();
        // A call that is a run by itself is no step of one.
        begun.retain(|(_, _, node)| *node != run.node);
        let (mut agent, mut count) = (None, 0);
        for (around, _, node) in begun {
            count = if agent == Some(around) { count + 1 } else { 1 };
            agent = Some(around);
            numbers.insert(node, count);
        }
    }
    numbers
}

impl Begun {
    fn of(capture: &Capture, tree: &Tree, account: &Account, run: usize) -> Self {
        let mut begun = Self::default();
        let mut agents: Vec<usize> = Vec::new();
        let mut seen = HashSet::new();
        for at in run..tree.after(run) {
            let Some(node) = tree.nodes().get(at) else { break };
            let Some(brief) = node.span.and_then(|span| capture.brief(span)) else { continue };
            if node.flags.has(Flags::DUPLICATE) && !seen.insert(node.id) {
                continue;
            }
            while agents.pop_if(|agent| tree.after(*agent) <= at).is_some() {}
            let begin = (agents.last().copied(), node.start, at);
            if is_step(capture, tree, at) {
                begun.steps.push(begin);
            } else if brief.piece == Some(Piece::StepStart) {
                begun.starts.push(begin);
            } else if account.call(at).is_some_and(|(call, counted)| counted && call.kind == Kind::Model) {
                begun.calls.push(begin);
            }
            if brief.role == Some(Role::Agent) {
                agents.push(at);
            }
        }
        for list in [&mut begun.steps, &mut begun.starts, &mut begun.calls] {
            list.sort_unstable();
        }
        begun
    }

    /// Where the steps begin, in order.
    fn settle(mut self) -> Vec<Begin> {
        if self.steps.is_empty() && self.starts.is_empty() {
            return self.calls;
        }
        // A step that failed or was cancelled never exports its own span: its call to a model stands for it.
        let mut lost = Vec::new();
        for (at, start) in self.starts.iter().enumerate() {
            let next = self.starts.get(at + 1).filter(|next| next.0 == start.0);
            let until = next.copied().unwrap_or((start.0, u64::MAX, usize::MAX));
            let first = |list: &[Begin]| {
                let from = list.partition_point(|begin| begin < start);
                list.get(from).copied().filter(|begin| *begin < until)
            };
            if first(&self.steps).is_none() {
                lost.push(first(&self.calls).unwrap_or(*start));
            }
        }
        self.steps.append(&mut lost);
        self.steps.sort_unstable();
        self.steps
    }
}

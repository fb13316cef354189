//! What one trace took: its calls, each once, and sums for the subtree of every node.
//!
//! Comes in: a tree and prices. Goes out: flat arrays by node. A call that was recorded twice counts at the outermost span that
//! says how many tokens it took; what Letta records beside a call is added to it; agents, tools and frameworks that repeat what
//! the calls below them report count nothing.

use std::ops::Range;

use hashbrown::{HashMap, HashSet};

use super::beside;
use super::call::{Call, Kind, whole};
use super::money::Money;
use super::prices::Prices;
use super::same::{agree, holds, same};
use super::sums::Sums;
use crate::agent::{Piece, Role};
use crate::capture::{Brief, Capture, NameId, SpanRef};
use crate::forest::{Flags, Tree};

/// "No such call".
const NONE: u32 = u32::MAX;

/// So many calls inside another one are looked at as tries of it.
const TRIES: usize = 64;

/// A node that says something about a run, its span, and what that says.
type Briefed<'c> = (usize, SpanRef, &'c Brief);

/// The account of one trace.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Calls in the order of the tree, each once.
    calls: Vec<Call>,
    /// What spans report of calls below them that were not recorded, in the order of the tree.
    reports: Vec<Call>,
    /// The call of each node that stands for one: its place, or that of the one it records once more.
    of: Vec<u32>,
    own: Vec<Sums>,
    total: Vec<Sums>,
}

impl Account {
    /// Draws up the account of a trace.
    pub fn of(capture: &Capture, tree: &Tree, prices: &Prices) -> Self {
        let count = tree.nodes().len();
        let own = vec![Sums::default(); count];
        let mut account = Self { of: vec![NONE; count], own, ..Self::default() };
        let briefs: Vec<Briefed<'_>> = briefs(capture, tree).collect();
        let around = account.find(capture, tree, &briefs);
        account.take_apart(capture, &around);
        account.add_payloads(capture, tree, &briefs);
        account.add_first_tokens(capture, tree, &briefs);
        account.settle(capture, tree, prices, &briefs);
        account
    }

    /// The calls, each once.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// What agents, workflows, steps and tools report of calls that were not recorded.
    pub fn reports(&self) -> &[Call] {
        &self.reports
    }

    /// The calls at or below a node.
    pub fn calls_of(&self, tree: &Tree, node: usize) -> &[Call] {
        self.calls.get(range(&self.calls, node..tree.after(node))).unwrap_or_default()
    }

    /// The call that a node stands for, and whether it is counted there.
    pub fn call(&self, node: usize) -> Option<(&Call, bool)> {
        let call = self.calls.get(*self.of.get(node)? as usize)?;
        Some((call, call.node == node))
    }

    /// What the node itself took.
    pub fn own(&self, node: usize) -> Sums {
        self.own.get(node).copied().unwrap_or_default()
    }

    /// What the node and everything below it took.
    pub fn total(&self, node: usize) -> Sums {
        self.total.get(node).copied().unwrap_or_default()
    }

    /// Finds the calls and which spans record one once more; says for each call which one of its kind is around it.
    fn find(&mut self, capture: &Capture, tree: &Tree, briefs: &[Briefed<'_>]) -> Vec<u32> {
        let mut open = Open::default();
        let mut around = Vec::new();
        let mut moved = false;
        for &(node, span, brief) in briefs {
            let Some(kind) = kind(brief) else { continue };
            let mut call = Call::of(capture, span, node, kind, brief);
            call.self_ns = tree.nodes().get(node).map_or(0, |node| node.self_ns);
            let above = open.above(node, kind);
            let twin = above.filter(|at| {
                let inner = brief.piece == Some(Piece::InnerTool);
                inner || self.calls.get(*at as usize).is_some_and(|outer| same(capture, outer, &call))
            });
            let at = match twin {
                Some(at) => {
                    // The outermost that reports its tokens is the one that counts.
                    moved |= self.give_way(at as usize, &mut call);
                    self.learn(at as usize, &call);
                    at
                }
                None => {
                    self.calls.push(call);
                    around.push(above.unwrap_or(NONE));
                    self.calls.len() as u32 - 1
                }
            };
            open.push(kind, at, tree.after(node));
            self.set(node, at);
        }
        if moved { self.in_order(&around) } else { around }
    }

    /// Puts calls into the order of their nodes; `around` says which call is around each.
    fn in_order(&mut self, around: &[u32]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.calls.len() as u32).collect();
        order.sort_by_key(|at| self.at(*at).map(|call| call.node));
        let mut places = vec![NONE; order.len()];
        for (place, at) in (0u32..).zip(&order) {
            places.get_mut(*at as usize).into_iter().for_each(|slot| *slot = place);
        }
        let above = |at: &u32| places.get(*around.get(*at as usize)? as usize).copied();
        let around = order.iter().map(|at| above(at).unwrap_or(NONE)).collect();
        self.reorder(&order, |at| at);
        around
    }

    /// Where a call says nothing of its tokens and another record of it inside does, that record takes its place, and `inner` becomes the
    /// one that is to be learnt from. Says whether it was so.
    fn give_way(&mut self, at: usize, inner: &mut Call) -> bool {
        let Some(outer) = self.calls.get_mut(at) else { return false };
        if outer.kind == Kind::Tool || outer.is_metered() || !inner.is_metered() {
            return false;
        }
        inner.failed |= outer.failed;
        std::mem::swap(outer, inner);
        let (from, to) = (inner.node, outer.node);
        let copies = self.own.get_mut(from).map_or(0, |own| std::mem::take(&mut own.duplicate_calls));
        self.own.get_mut(to).into_iter().for_each(|own| own.duplicate_calls += copies);
        true
    }

    fn set(&mut self, node: usize, at: u32) {
        if let Some(slot) = self.of.get_mut(node) {
            *slot = at;
        }
    }

    /// Adds what another record of a call says to the call.
    fn learn(&mut self, at: usize, other: &Call) {
        let Some(call) = self.calls.get_mut(at) else { return };
        if let Some(own) = self.own.get_mut(call.node) {
            own.duplicate_calls += 1;
        }
        call.learn(other);
        call.failed |= other.failed && other.node > call.node;
    }

    /// Leaves out calls that are nothing but those inside them; the last of these stands for each.
    fn take_apart(&mut self, capture: &Capture, around: &[u32]) {
        let mut inside: Vec<Vec<u32>> = vec![Vec::new(); around.len()];
        for (at, outer) in (0u32..).zip(around) {
            inside.get_mut(*outer as usize).into_iter().for_each(|inside| inside.push(at));
        }
        let mut stands: Vec<u32> = (0..around.len() as u32).collect();
        // From the inside out: what is in a call that is left out is in the one around it.
        for outer in (0..around.len()).rev() {
            let mut inner = inside.get_mut(outer).map(std::mem::take).unwrap_or_default();
            inner.retain(|at| stands.get(*at as usize) == Some(at));
            let Some(call) = self.calls.get(outer).copied().filter(|_| (1..=TRIES).contains(&inner.len())) else {
                continue;
            };
            let alike = |at: &&u32| self.at(**at).is_some_and(|inner| agree(capture, &call, inner));
            let alike: Vec<u32> = inner.iter().filter(alike).copied().collect();
            let calls: Vec<&Call> = alike.iter().filter_map(|at| self.at(*at)).collect();
            let Some(last) = alike.iter().max().copied().filter(|_| holds(capture, &call, &calls)) else { continue };
            self.learn(last as usize, &call);
            stands.get_mut(outer).into_iter().for_each(|stand| *stand = last);
            let above = around.get(outer).and_then(|above| inside.get_mut(*above as usize));
            above.into_iter().for_each(|above| above.append(&mut inner));
        }
        let order: Vec<u32> = (0u32..).zip(&stands).filter(|(at, stand)| at == *stand).map(|(at, _)| at).collect();
        if order.len() < stands.len() {
            self.reorder(&order, |at| stands.get(at as usize).copied().unwrap_or(NONE));
        }
    }

    fn at(&self, at: u32) -> Option<&Call> {
        self.calls.get(at as usize)
    }

    /// Keeps these calls, in this order; `stand` says which of them stands for one.
    fn reorder(&mut self, order: &[u32], stand: impl Fn(u32) -> u32) {
        let mut places = vec![NONE; self.calls.len()];
        for (place, at) in (0u32..).zip(order) {
            places.get_mut(*at as usize).into_iter().for_each(|slot| *slot = place);
        }
        for slot in self.of.iter_mut().filter(|slot| **slot != NONE) {
            *slot = places.get(stand(*slot) as usize).copied().unwrap_or(NONE);
        }
        self.calls = order.iter().filter_map(|at| self.at(*at).copied()).collect();
    }

    /// Letta records what a model answered beside the call, under the same parent or in a task of its own.
    fn add_payloads(&mut self, capture: &Capture, tree: &Tree, briefs: &[Briefed<'_>]) {
        let mut taken = vec![false; self.calls.len()];
        let mut lost = Vec::new();
        for &(node, span, brief) in briefs.iter().filter(|(.., brief)| brief.piece == Some(Piece::Payloads)) {
            let answer = Call::of(capture, span, node, Kind::Model, brief);
            match beside::call_before(tree, &self.calls, node) {
                Some(at) => {
                    let first = taken.get_mut(at).is_some_and(|taken| !std::mem::replace(taken, true));
                    self.calls.get_mut(at).filter(|_| first).into_iter().for_each(|call| call.learn(&answer));
                }
                // The span of the call itself was lost.
                None if answer.is_metered() => lost.push(answer),
                None => {}
            }
        }
        if lost.is_empty() {
            return;
        }
        for call in lost {
            self.set(call.node, self.calls.len() as u32);
            self.calls.push(call);
        }
        let mut order: Vec<u32> = (0..self.calls.len() as u32).collect();
        order.sort_by_key(|at| self.at(*at).map(|call| call.node));
        self.reorder(&order, |at| at);
    }

    /// Letta records the time to the first token on a span around the whole request: it is that of its first call.
    fn add_first_tokens(&mut self, capture: &Capture, tree: &Tree, briefs: &[Briefed<'_>]) {
        for &(node, span, brief) in briefs.iter().filter(|(.., brief)| brief.piece == Some(Piece::Request)) {
            let Some(waited) = brief.first_token() else { continue };
            let head = capture.head(span);
            if let Some(call) = beside::first_call(tree, &mut self.calls, node, head.start..=head.end) {
                call.first_token.get_or_insert(waited);
            }
        }
    }

    fn settle(&mut self, capture: &Capture, tree: &Tree, prices: &Prices, briefs: &[Briefed<'_>]) {
        for call in &mut self.calls {
            price(capture, prices, call);
            if let Some(own) = self.own.get_mut(call.node) {
                own.add_call(call);
            }
        }
        retries(tree, &mut self.calls);
        self.sum(capture, tree, prices, briefs);
    }

    /// Adds up from the leaves. What an agent or a tool reports counts only where nothing below it reports anything.
    fn sum(&mut self, capture: &Capture, tree: &Tree, prices: &Prices, briefs: &[Briefed<'_>]) {
        self.total.clone_from(&self.own);
        let mut inclusive = briefs.iter().rev().filter(|(.., brief)| is_inclusive(brief)).peekable();
        for node in (0..self.total.len()).rev() {
            let Some(total) = self.total.get_mut(node) else { continue };
            if let Some(briefed) = inclusive.next_if(|(at, ..)| *at == node)
                && total.tokens() == 0
                && total.cost_usd.is_none()
                && let Some(report) = report(capture, prices, *briefed)
            {
                total.add_spending(&report);
                self.own.get_mut(node).into_iter().for_each(|own| own.add_spending(&report));
                self.reports.push(report);
            }
            let total = *total;
            if let Some(above) = tree.parent(node).and_then(|parent| self.total.get_mut(parent)) {
                above.add(&total);
            }
        }
        self.reports.reverse();
    }
}

/// The places of the calls among some nodes.
pub(super) fn range(calls: &[Call], nodes: Range<usize>) -> Range<usize> {
    let before = |node: usize| calls.partition_point(|call| call.node < node);
    before(nodes.start)..before(nodes.end)
}

/// What a span reports of everything below it.
fn report(capture: &Capture, prices: &Prices, (node, span, brief): Briefed<'_>) -> Option<Call> {
    let (tokens, cost) = (whole(Kind::Model, brief.tokens()), brief.cost().map(Money));
    let mut report = Call { tokens, cost, arguments: None, ..Call::of(capture, span, node, Kind::Model, brief) };
    price(capture, prices, &mut report);
    (report.is_metered() || cost.is_some()).then_some(report)
}

/// What a call cost, where its tokens are known and the model has a price.
fn price(capture: &Capture, prices: &Prices, call: &mut Call) {
    let known = call.tokens.input.is_some() || call.tokens.output.is_some();
    if call.cost.is_none() && known {
        let batch = capture.brief(call.span).is_some_and(|brief| brief.batch);
        let price = [call.answered, call.name].into_iter().find_map(|name| prices.of(capture.text(name)));
        call.cost = price.map(|price| price.cost(&call.tokens, batch));
    }
}

/// Finds the calls that were made because one before them failed, and was over.
fn retries(tree: &Tree, calls: &mut [Call]) {
    let mut failed: HashMap<_, u64> = HashMap::new();
    let mut order: Vec<usize> = (0..calls.len()).collect();
    order.sort_by_key(|at| calls.get(*at).map(|call| (call.start, call.node)));
    for at in order {
        let Some(call) = calls.get_mut(at) else { continue };
        // Another model after one that failed is a retry as well.
        let name = if call.kind == Kind::Tool { call.name } else { NameId::default() };
        let key = (tree.parent(call.node), call.kind, name);
        let before = failed.get(&key).is_some_and(|end| *end <= call.start);
        call.retry = before;
        if before {
            failed.remove(&key);
        }
        if call.failed {
            failed.insert(key, call.start.saturating_add(call.duration_ns));
        }
    }
}

/// Calls whose subtrees have not ended yet, by kind, the innermost last.
#[derive(Default)]
struct Open([Vec<(u32, usize)>; 4]);

impl Open {
    /// The nearest call of this kind above a node.
    fn above(&mut self, node: usize, kind: Kind) -> Option<u32> {
        let open = self.0.get_mut(kind as usize)?;
        while open.pop_if(|(_, after)| *after <= node).is_some() {}
        open.last().map(|(call, _)| *call)
    }

    fn push(&mut self, kind: Kind, call: u32, after: usize) {
        if let Some(open) = self.0.get_mut(kind as usize) {
            open.push((call, after));
        }
    }
}

/// The nodes of a tree that say something about a run.
pub(super) fn briefs<'c>(capture: &'c Capture, tree: &'c Tree) -> impl Iterator<Item = Briefed<'c>> + 'c {
    briefs_of(capture, tree, 0..tree.nodes().len())
}

/// Those among some nodes. What was recorded several times, in different words or files, is there once.
pub(super) fn briefs_of<'c>(
    capture: &'c Capture,
    tree: &'c Tree,
    nodes: Range<usize>,
) -> impl Iterator<Item = Briefed<'c>> + 'c {
    let mut seen = HashSet::new();
    nodes.filter_map(move |at| {
        let node = tree.nodes().get(at)?;
        let span = node.span?;
        let brief = capture.brief(span)?;
        (!node.flags.has(Flags::DUPLICATE) || seen.insert(node.id)).then_some((at, span, brief))
    })
}

/// Whether a span repeats what those below it report.
fn is_inclusive(brief: &Brief) -> bool {
    matches!(brief.role, Some(Role::Agent | Role::Workflow | Role::Step | Role::Tool | Role::Mcp))
}

/// What a span calls, if it is a call.
fn kind(brief: &Brief) -> Option<Kind> {
    match (brief.role, brief.piece) {
        (Some(Role::Llm), _) => Some(Kind::Model),
        (Some(Role::Embedding), _) => Some(Kind::Embedding),
        (Some(Role::Rerank), _) => Some(Kind::Rerank),
        (Some(Role::Tool), _) | (None, Some(Piece::InnerTool)) => Some(Kind::Tool),
        _ => None,
    }
}

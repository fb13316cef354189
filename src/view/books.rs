//! What the spans of a trace say about calls to models and tools, for the rows that are shown.
//!
//! Comes in: a tree and prices. Goes out: facts of single nodes and sums of subtrees. A trace without such spans has no books.

use hashbrown::HashMap;

use super::facts::Facts;
use super::steps::steps;
use crate::agent::{Convention, Piece, Role};
use crate::capture::{Brief, Capture, NameId, SpanRef};
use crate::forest::Tree;
use crate::ledger::{Account, Call, Kind, Prices, Sums};
use crate::model::Outcome;

/// The books of one trace.
#[derive(Debug)]
pub struct Books {
    account: Account,
    /// Numbers of the nodes that steps begin with.
    steps: HashMap<usize, u32>,
    /// By the node of a call: the first copy of it that tells what the tool was given.
    told: HashMap<usize, SpanRef>,
}

impl Books {
    /// Draws up the books; `None` where no span of the trace takes part in an agent's run.
    pub(super) fn of(capture: &Capture, tree: &Tree, prices: &Prices) -> Option<Self> {
        let takes_part = |span: SpanRef| capture.head(span).marks.brief();
        if !capture.has_briefs() || !tree.nodes().iter().filter_map(|node| node.span).any(takes_part) {
            return None;
        }
        let account = Account::of(capture, tree, prices);
        let mut told = HashMap::new();
        for (at, node) in tree.nodes().iter().enumerate() {
            let copied = account.call(at).filter(|(_, counted)| !counted);
            let (Some((call, _)), Some(span)) = (copied, node.span) else { continue };
            if capture.brief(span).is_some_and(|brief| brief.arguments.is_some()) {
                told.entry(call.node).or_insert(span);
            }
        }
        Some(Self { steps: steps(capture, tree, &account), account, told })
    }

    /// What the whole trace took.
    pub fn totals(&self, tree: &Tree) -> Sums {
        let mut sums = Sums::default();
        tree.tops().for_each(|top| sums.add(&self.account.total(top)));
        sums
    }

    /// What some siblings and all beneath them took; nothing where nothing was called.
    pub(super) fn total(&self, nodes: impl Iterator<Item = usize>) -> Option<Sums> {
        let mut sums = Sums::default();
        nodes.for_each(|node| sums.add(&self.account.total(node)));
        Some(sums).filter(has_calls)
    }

    /// What a node rolls up: of a call what is beneath it, of anything else what it and all beneath it took.
    pub(super) fn beneath(&self, tree: &Tree, node: usize) -> Option<Sums> {
        if self.is_call(node) { self.total(tree.children(node)) } else { self.total(std::iter::once(node)) }
    }

    /// Whether a node is the one that a call is counted at.
    pub(super) fn is_call(&self, node: usize) -> bool {
        self.account.call(node).is_some_and(|(_, counted)| counted)
    }

    /// Whether a node records a call once more.
    pub(super) fn is_copy(&self, node: usize) -> bool {
        self.account.call(node).is_some_and(|(_, counted)| !counted)
    }

    /// Whether the call that is counted at a node failed, by whatever copy of it says so.
    pub(super) fn has_failed(&self, node: usize) -> bool {
        self.account.call(node).is_some_and(|(call, counted)| counted && call.failed)
    }

    /// Whether calls to models began in a time and all of these have ended in it, or hardly later.
    pub(super) fn covers_calls(&self, start: u64, end: u64) -> bool {
        let late = end.saturating_add(end.saturating_sub(start) / 100);
        let began = |call: &&Call| call.kind == Kind::Model && (start..=end).contains(&call.start);
        let mut calls = self.account.calls().iter().filter(began).peekable();
        calls.peek().is_some() && calls.all(|call| call.start.saturating_add(call.duration_ns) <= late)
    }

    /// Which step begins with a node.
    pub(super) fn step(&self, node: usize) -> Option<u32> {
        self.steps.get(&node).copied()
    }

    /// The span that tells what the tool of a node was given: its own, or that of a copy.
    pub(super) fn given(&self, capture: &Capture, node: usize, span: SpanRef) -> Option<SpanRef> {
        let own = capture.brief(span).filter(|_| !self.is_copy(node));
        let own = own.filter(|brief| brief.failed == Some(true) || is_tool(brief) && brief.arguments.is_some());
        own.map(|_| span).or_else(|| self.told.get(&node).copied())
    }

    /// What a node says; `None` where it is no part of an agent's run and nothing was called beneath it.
    pub fn facts<'c>(&self, capture: &'c Capture, tree: &Tree, node: usize) -> Option<Facts<'c>> {
        let totals = self.total(std::iter::once(node));
        let Some(brief) = capture.brief(tree.nodes().get(node)?.span?) else {
            let convention = Convention::Other.name();
            return totals.map(|sums| Facts { convention, totals: Some(sums), ..Facts::default() });
        };
        let text = |name: NameId| capture.text(name);
        let mut facts = Facts {
            role: brief.role,
            convention: brief.convention.name(),
            provider: text(brief.provider),
            model: text(brief.model),
            agent: text(brief.agent),
            tool: text(brief.tool),
            conversation: text(brief.conversation),
            run: text(brief.run),
            streaming: brief.streaming,
            finish_reasons: Some(text(brief.finish))
                .filter(|why| !why.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            error_type: text(brief.error),
            tool_failed: brief.failed.filter(|_| is_tool(brief)),
            failed: brief.failed.filter(|_| !is_tool(brief)),
            step: self.step(node),
            totals,
            ..Facts::default()
        };
        match self.account.call(node) {
            Some((call, true)) => {
                let tool = call.kind == Kind::Tool;
                // The name that rows of calls go by.
                match tool {
                    true if facts.tool.is_empty() => facts.tool = text(call.name),
                    true => {}
                    false => facts.model = text(call.name),
                }
                facts.role = facts.role.or(Some(call.kind.role()));
                facts.provider = if facts.provider.is_empty() { text(call.provider) } else { facts.provider };
                (facts.input_tokens, facts.output_tokens) = (call.tokens.input, call.tokens.output);
                (facts.cache_read_tokens, facts.cache_write_tokens) = (call.tokens.cache_read, call.tokens.cache_write);
                (facts.reasoning_tokens, facts.total_tokens) = (call.tokens.reasoning, call.tokens.total);
                facts.first_token_ns = call.first_token;
                (facts.cost_usd, facts.unpriced) = (call.cost, call.is_unpriced());
                let well = tree.nodes().get(node).is_some_and(|node| node.outcome == Outcome::Ok);
                facts.tool_failed = if tool && well && call.failed { Some(true) } else { facts.tool_failed };
            }
            Some((call, false)) => {
                facts.duplicate = true;
                facts.duplicate_of = tree.nodes().get(call.node).map(|node| node.id.to_string());
            }
            None if brief.piece == Some(Piece::Request) => facts.first_token_ns = brief.first_token(),
            None => {}
        }
        Some(facts)
    }
}

/// Whether anything was called, or took tokens without saying so.
pub(super) fn has_calls(sums: &Sums) -> bool {
    sums.calls() > 0 || sums.tokens() > 0
}

pub(super) fn is_tool(brief: &Brief) -> bool {
    matches!(brief.role, Some(Role::Tool | Role::Mcp)) || brief.piece == Some(Piece::InnerTool)
}

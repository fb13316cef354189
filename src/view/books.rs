//! What the spans of a trace say about calls to models and tools, for the rows that are shown.
//!
//! Comes in: a tree and prices. Goes out: facts of single nodes and sums of subtrees. A trace without such spans has no books, and
//! only rows that are shown are read again.

use hashbrown::HashMap;
use serde::Serialize;

use crate::agent::{Role, act, python_json};
use crate::capture::{Brief, Capture, NameId, SpanRef};
use crate::forest::Tree;
use crate::input::InputError;
use crate::ledger::{Account, Kind, Money, Prices, Sums, is_step};
use crate::redact;

/// What a span says about a call, and what it took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts<'c> {
    /// What it does.
    #[serde(skip)]
    pub role: Option<Role>,
    /// The convention it is recorded in.
    pub convention: &'static str,
    /// Who answers.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub provider: &'c str,
    /// The model.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub model: &'c str,
    /// The agent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub agent: &'c str,
    /// The tool.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub tool: &'c str,
    /// The conversation or session.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub conversation: &'c str,
    /// Tokens of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Tokens of both together, as the span says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// How long it took to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ns: Option<u64>,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Money>,
    /// It took tokens, and nobody knows their price.
    pub unpriced: bool,
    /// It records a call once more that another span stands for.
    pub duplicate: bool,
    /// The tool's own word for whether it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_failed: Option<bool>,
    /// Which step of its run it is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What everything below took, for agents and workflows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Sums>,
    /// What the tool was given, on one line; only for rows that people see.
    #[serde(skip)]
    pub arguments: String,
}

/// The books of one trace.
#[derive(Debug)]
pub struct Books {
    account: Account,
    steps: HashMap<usize, u32>,
}

impl Books {
    /// Draws up the books; `None` where no span of the trace takes part in an agent's run.
    pub(super) fn of(capture: &Capture, tree: &Tree, prices: &Prices) -> Option<Self> {
        let takes_part = |span: SpanRef| capture.head(span).marks.brief();
        if !capture.has_briefs() || !tree.nodes().iter().filter_map(|node| node.span).any(takes_part) {
            return None;
        }
        Some(Self { account: Account::of(capture, tree, prices), steps: steps(capture, tree) })
    }

    /// What the whole trace took.
    pub fn totals(&self, tree: &Tree) -> Sums {
        let mut sums = Sums::default();
        tree.tops().for_each(|top| sums.add(&self.account.total(top)));
        sums
    }

    /// What some siblings and all below them took; nothing where nothing was called.
    pub(super) fn total(&self, nodes: impl Iterator<Item = usize>) -> Option<Sums> {
        let mut sums = Sums::default();
        nodes.for_each(|node| sums.add(&self.account.total(node)));
        (sums.calls() > 0 || sums.tokens() > 0).then_some(sums)
    }

    /// What a node says.
    pub fn facts<'c>(&self, capture: &'c Capture, tree: &Tree, node: usize) -> Option<Facts<'c>> {
        let brief = capture.brief(tree.nodes().get(node)?.span?)?;
        let text = |name: NameId| capture.text(name);
        let mut facts = Facts {
            role: brief.role,
            convention: brief.convention.name(),
            provider: text(brief.provider),
            model: text(brief.model),
            agent: text(brief.agent),
            tool: text(brief.tool),
            conversation: text(brief.conversation),
            tool_failed: brief.failed,
            step: self.steps.get(&node).copied(),
            ..Facts::default()
        };
        if matches!(brief.role, Some(Role::Agent | Role::Workflow)) {
            facts.totals = self.total(std::iter::once(node));
        }
        match self.account.call(node) {
            Some((call, true)) => {
                // The name that rows of calls go by.
                facts.model = if call.kind == Kind::Tool { facts.model } else { text(call.name) };
                (facts.input_tokens, facts.output_tokens) = (call.tokens.input, call.tokens.output);
                facts.total_tokens = call.tokens.total;
                facts.first_token_ns = call.first_token;
                (facts.cost_usd, facts.unpriced) = (call.cost, call.is_unpriced());
            }
            Some((_, false)) => facts.duplicate = true,
            None => {}
        }
        Some(facts)
    }
}

/// Steps by number within their run: the agent around them, or the trace.
fn steps(capture: &Capture, tree: &Tree) -> HashMap<usize, u32> {
    let mut steps = HashMap::new();
    let mut counted: HashMap<Option<usize>, u32> = HashMap::new();
    let role = |node: usize| capture.head(tree.nodes().get(node)?.span?).marks.role();
    for node in 0..tree.nodes().len() {
        if is_step(capture, tree, node) {
            let run = std::iter::successors(tree.parent(node), |at| tree.parent(*at))
                .take(64)
                .find(|at| matches!(role(*at), Some(Role::Agent)));
            let count = counted.entry(run).or_default();
            *count += 1;
            steps.insert(node, *count);
        }
    }
    steps
}

/// Characters of arguments that are kept for a row.
const ARGUMENTS: usize = 300;

/// Reads what the tools of some rows were given.
pub(super) fn read_arguments(
    capture: &Capture,
    wanted: &[SpanRef],
    each: &mut dyn FnMut(usize, String),
) -> Result<(), InputError> {
    if wanted.is_empty() {
        return Ok(());
    }
    capture.again(wanted, &mut |number, raw| {
        let role = wanted.get(number).and_then(|span| capture.head(*span).marks.role());
        let Some(given) = act(raw, role).and_then(|act| act.tool?.arguments) else { return };
        let given = python_json(&given).unwrap_or_else(|| given.into_owned());
        let inner = given.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(&given).trim();
        let shown: String = redact::text(inner).chars().take(ARGUMENTS).collect();
        each(number, shown.split_whitespace().collect::<Vec<_>>().join(" "));
    })
}

/// Whether a span was given something that a row of it can show.
pub(super) fn has_arguments(brief: &Brief) -> bool {
    matches!(brief.role, Some(Role::Tool | Role::Mcp)) && brief.arguments.is_some()
}

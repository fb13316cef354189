//! Runs of agents: what one question to an agent took, from the topmost span that is one.
//!
//! Comes in: a tree and its account. Goes out: a record a run. A run whose streamed answer outlives its request is that of the
//! request, since everything hangs below it.

use super::account::{Account, briefs, briefs_of};
use super::sums::Sums;
use super::waste::waste;
use crate::agent::{Convention, Piece, Role, is_agent_class, outcome_of_stop};
use crate::capture::{Brief, Capture, NameId, SpanRef};
use crate::forest::{Node, Tree};
use crate::model::Outcome;

/// So many spans above one are asked for what it does not say itself.
const FAR: usize = 64;

/// A run of an agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// The span it begins with.
    pub span: SpanRef,
    /// The node of that span.
    pub node: usize,
    /// The agent's name; empty where nothing says it.
    pub agent: NameId,
    /// The agent's id; empty where nothing says it.
    pub agent_id: NameId,
    /// The conversation, or else the run by its own id; empty where nothing says it.
    pub conversation: NameId,
    /// Why it stopped, as it says itself; empty where nothing says it.
    pub stop: NameId,
    /// Steps: spans that are steps, or else calls to models.
    pub steps: u64,
    /// What it took.
    pub sums: Sums,
    /// Calls to a tool with the same arguments as one before it of the same agent.
    pub repeated_calls: u64,
    /// Calls that follow a failed one of the same name.
    pub retries: u64,
    /// Tokens of calls that failed, that asked a model the same again, or that only asked for tools to be called as before.
    pub wasted_tokens: u64,
    /// Unix nanoseconds.
    pub start: u64,
    /// From its start to its last end.
    pub duration_ns: u64,
    /// Nanoseconds from its start to the first token.
    pub first_token: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Run {
    /// What tells its agent from others: its name, or its id where the name is that of a class that many share.
    pub fn who(&self, capture: &Capture) -> NameId {
        who(capture, self.agent, self.agent_id)
    }
}

/// What tells an agent from others, by its name and its id.
pub fn who(capture: &Capture, name: NameId, id: NameId) -> NameId {
    let shared = name.is_empty() || is_agent_class(capture.text(name));
    if shared && !id.is_empty() { id } else { name }
}

/// Whether a span is a step of its run: one that is neither a part of another step, as frameworks record what goes on inside one, nor
/// the chain as a whole.
pub fn is_step(capture: &Capture, tree: &Tree, node: usize) -> bool {
    let brief = |at: usize| capture.brief(tree.nodes().get(at)?.span?);
    let Some(own) = brief(node).filter(|brief| brief.role == Some(Role::Step)) else { return false };
    let above = std::iter::successors(tree.parent(node), |at| tree.parent(*at)).take(FAR).filter_map(brief);
    let mut named =
        above.filter(|brief| matches!(brief.role, Some(Role::Agent | Role::Workflow | Role::Step | Role::Tool)));
    match (named.next(), named.next()) {
        (None, _) => !is_link(own),
        (Some(outer), None) => outer.role != Some(Role::Step) || is_link(outer),
        (Some(outer), Some(_)) => outer.role != Some(Role::Step),
    }
}

/// Whether it is a link of a chain: the first one is the chain as a whole.
fn is_link(brief: &Brief) -> bool {
    brief.role == Some(Role::Step) && matches!(brief.convention, Convention::OpenInference | Convention::Langfuse)
}

/// The runs of a trace, in the order of the tree.
pub fn runs(capture: &Capture, tree: &Tree, account: &Account) -> Vec<Run> {
    let agents = Agents::of(capture, tree);
    let mut tops: Vec<usize> = Vec::new();
    let mut after = 0;
    for (node, _, brief) in briefs(capture, tree) {
        if node >= after && begins(brief) && is_run(tree, account, &agents, node, brief.role) {
            tops.push(node);
            after = tree.after(node);
        }
    }
    let holds_run =
        |top: usize| tops.get(tops.partition_point(|run| *run < top)).is_some_and(|run| *run < tree.after(top));
    let others = tree.tops().filter(|top| account.total(*top).llm_calls > 0 && !holds_run(*top));
    let mut all: Vec<usize> = others.filter_map(|top| first_span(tree, top)).collect();
    all.append(&mut tops);
    all.sort_unstable();
    let mut runs: Vec<Run> = all.into_iter().filter_map(|node| run(capture, tree, account, node)).collect();
    leave_out_callers(tree, &mut runs);
    runs
}

/// Leaves out what a caller recorded of a run that is there itself, but whose parent was lost: nothing is below it, and the run goes on
/// within its time.
fn leave_out_callers(tree: &Tree, runs: &mut Vec<Run>) {
    let is_empty = |run: &Run| run.steps == 0 && run.sums.calls() == 0 && run.sums.tokens() == 0;
    if runs.len() < 2 || !runs.iter().any(is_empty) {
        return;
    }
    let tops: Vec<usize> = tree.tops().collect();
    let is_lost = |run: &&Run| {
        let top = tops.get(tops.partition_point(|top| *top <= run.node).wrapping_sub(1));
        top.and_then(|top| tree.nodes().get(*top)).is_some_and(|top| top.span.is_none())
    };
    let time = |run: &Run| run.start..=run.start.saturating_add(run.duration_ns);
    let mut lost: Vec<_> = runs.iter().filter(|run| !is_empty(run)).filter(is_lost).map(time).collect();
    lost.sort_unstable_by_key(|time| *time.start());
    runs.retain(|run| {
        let own = time(run);
        let first = lost.get(lost.partition_point(|time| time.start() < own.start()));
        !is_empty(run) || !first.is_some_and(|time| own.contains(time.end()))
    });
}

/// Whether a run may begin here. The first link of a chain is a step where something else called it.
fn begins(brief: &Brief) -> bool {
    matches!(brief.role, Some(Role::Agent | Role::Workflow)) || is_link(brief)
}

/// A placeholder is no span: what comes first below it stands for it.
fn first_span(tree: &Tree, top: usize) -> Option<usize> {
    (top..tree.after(top)).find(|at| tree.nodes().get(*at).is_some_and(|node| node.span.is_some()))
}

/// A workflow is a run only where an agent or a call is below it.
fn is_run(tree: &Tree, account: &Account, agents: &Agents, node: usize, role: Option<Role>) -> bool {
    let sums = account.total(node);
    role == Some(Role::Agent) || sums.llm_calls + sums.tool_calls > 0 || !agents.below(tree, node).is_empty()
}

/// The nodes that are agents, in order.
struct Agents(Vec<usize>);

impl Agents {
    fn of(capture: &Capture, tree: &Tree) -> Self {
        let agent = |span: SpanRef| capture.head(span).marks.role() == Some(Role::Agent);
        let nodes = tree.nodes().iter().enumerate().filter(|(_, node)| node.span.is_some_and(agent));
        Self(nodes.map(|(at, _)| at).collect())
    }

    fn below(&self, tree: &Tree, node: usize) -> &[usize] {
        let place = |at: usize| self.0.partition_point(|agent| *agent < at);
        self.0.get(place(node + 1)..place(tree.after(node))).unwrap_or_default()
    }
}

fn run(capture: &Capture, tree: &Tree, account: &Account, node: usize) -> Option<Run> {
    let top = tree.nodes().get(node)?;
    let span = top.span?;
    let calls = account.calls_of(tree, node);
    let (repeated_calls, wasted_tokens) = waste(capture, tree, calls, node);
    let mut run = Run {
        span,
        node,
        agent: NameId::default(),
        agent_id: NameId::default(),
        conversation: NameId::default(),
        stop: NameId::default(),
        steps: 0,
        sums: account.total(node),
        repeated_calls,
        retries: calls.iter().filter(|call| call.retry).count() as u64,
        wasted_tokens,
        start: top.start,
        duration_ns: 0,
        first_token: None,
        outcome: top.outcome,
    };
    let last =
        (node..tree.after(node)).filter_map(|at| tree.nodes().get(at)).map(Node::last_ns).max().unwrap_or(top.end);
    run.duration_ns = if top.start == 0 { 0 } else { last.saturating_sub(top.start) };
    details(capture, tree, &mut run);
    run.steps = if run.steps > 0 { run.steps } else { run.sums.llm_calls };
    let first = calls.iter().find_map(|call| call.start.checked_sub(top.start)?.checked_add(call.first_token?));
    run.first_token = run.first_token.or(first);
    run.outcome = outcome(capture, tree, &run);
    Some(run)
}

/// What spans of the run, and those above it, say of it as a whole.
fn details(capture: &Capture, tree: &Tree, run: &mut Run) {
    let (mut steps, mut begun) = (0, 0);
    let mut id = NameId::default();
    let fill = |slot: &mut NameId, name: NameId| *slot = if slot.is_empty() { name } else { *slot };
    for (node, _, brief) in briefs_of(capture, tree, run.node..tree.after(run.node)) {
        steps += u64::from(brief.role == Some(Role::Step) && is_step(capture, tree, node));
        begun += u64::from(brief.piece == Some(Piece::StepStart));
        fill(&mut run.agent, brief.agent);
        fill(&mut run.agent_id, brief.agent_id);
        fill(&mut run.conversation, brief.conversation);
        fill(&mut id, brief.run);
        if !brief.stop.is_empty() {
            run.stop = brief.stop;
        }
        if brief.piece == Some(Piece::Request) {
            run.first_token = run.first_token.or(brief.first_token());
        }
    }
    let above = std::iter::successors(Some(run.node), |at| tree.parent(*at)).take(FAR);
    for span in above.filter_map(|at| tree.nodes().get(at)?.span) {
        fill(&mut run.conversation, capture.conversation(span));
        let Some(brief) = capture.brief(span) else { continue };
        fill(&mut run.agent_id, brief.agent_id);
        fill(&mut id, brief.run);
    }
    fill(&mut run.conversation, id);
    // A step that failed or was cancelled never exports its own span.
    run.steps = steps.max(begun);
}

/// How a run ended: as its span says, unless the last agent in it or the reason it gives says worse. A request that is answered
/// by a stream is fine long before its agent is.
fn outcome(capture: &Capture, tree: &Tree, run: &Run) -> Outcome {
    let own = match run.outcome {
        Outcome::Ok | Outcome::Unfinished => last_agent(capture, tree, run.node).unwrap_or(run.outcome),
        worse => worse,
    };
    match own {
        Outcome::Ok | Outcome::Unfinished => outcome_of_stop(capture.text(run.stop)).unwrap_or(own),
        worse => worse,
    }
}

/// How the last of the topmost agents below a node ended.
fn last_agent(capture: &Capture, tree: &Tree, node: usize) -> Option<Outcome> {
    let (mut after, mut last): (usize, Option<(u64, Outcome)>) = (node + 1, None);
    for at in node + 1..tree.after(node) {
        let Some(below) = tree.nodes().get(at).filter(|_| at >= after) else { continue };
        if below.span.is_some_and(|span| capture.head(span).marks.role() == Some(Role::Agent)) {
            after = tree.after(at);
            if last.is_none_or(|(start, _)| start <= below.start) {
                last = Some((below.start, below.outcome));
            }
        }
    }
    last.map(|(_, outcome)| outcome)
}

//! Runs of agents as the report tells them: sums over all, and a row a run where they are asked for.
//!
//! Comes in: trees. Goes out: sums and rows. Traces in which no span says anything about an agent cost nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calls::{Kept, Owner, key};
use super::group::Groups;
use super::operation::Tokens;
use super::{Question, Sort};
use crate::agent::Role;
use crate::capture::{Capture, NameId, SpanRef};
use crate::forest::Tree;
use crate::ledger::{Account, Call, Run, Sums, runs, who};
use crate::model::Outcome;
use crate::query::Filter;

/// What all runs took together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agents {
    /// Runs.
    pub runs: u64,
    /// Those that failed.
    pub failed_runs: u64,
    /// Those that were cancelled.
    pub cancelled_runs: u64,
    /// Steps of all runs.
    pub steps: u64,
    /// All calls, in a run or not.
    #[serde(flatten)]
    pub sums: Sums,
    /// Calls to a tool with the same arguments as one before it of the same agent.
    pub repeated_calls: u64,
    /// Calls that follow a failed one of the same name.
    pub retries: u64,
    /// Tokens of calls that failed, that asked a model the same again, or that only asked for tools to be called as before.
    pub wasted_tokens: u64,
    /// A row a run, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<RunRow>>,
    /// How many runs `--top` left out of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<usize>,
    /// How many of these failed or were cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_failed: Option<usize>,
}

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunRow {
    /// The trace.
    pub trace_id: String,
    /// The span it begins with.
    pub span_id: String,
    /// The name of that span.
    pub name: String,
    /// Its service.
    pub service: String,
    /// The agent's name; empty where nothing says it.
    pub agent: String,
    /// The agent's id; empty where nothing says it.
    pub agent_id: String,
    /// The conversation, or else the run by its own id; empty where nothing says it.
    pub session: String,
    /// Unix nanoseconds, as a string.
    pub start_unix_nano: String,
    /// From its start to its last end.
    pub duration_ns: u64,
    /// From its start to the first token.
    pub first_token_ns: Option<u64>,
    /// Steps: spans that are steps, or else calls to models.
    pub steps: u64,
    /// What it took.
    #[serde(flatten)]
    pub sums: Sums,
    /// Calls to a tool with the same arguments as one before it of the same agent.
    pub repeated_calls: u64,
    /// Calls that follow a failed one of the same name.
    pub retries: u64,
    /// Tokens of calls that failed, that asked a model the same again, or that only asked for tools to be called as before.
    pub wasted_tokens: u64,
    /// How it ended: ok, error, cancelled or unfinished.
    pub outcome: &'static str,
    /// Why it stopped, as it says itself; empty where nothing says it.
    pub stop_reason: String,
}

/// What one thread has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    agents: Agents,
    runs: Vec<Run>,
    pub(super) calls: Vec<Kept>,
    /// Tokens by the number of the row.
    tokens: BTreeMap<u32, Tokens>,
}

impl Found {
    /// Draws up the account of a trace; only spans that are in a group count, and runs that the filter lets pass.
    pub(super) fn tree(
        &mut self,
        capture: &Capture,
        tree: &Tree,
        groups: &Groups,
        (filter, question): (&Filter, &Question),
    ) {
        let briefed = |span: SpanRef| capture.head(span).marks.brief();
        if !tree.nodes().iter().any(|node| node.span.is_some_and(briefed)) {
            return;
        }
        let account = Account::of(capture, tree, &question.prices);
        let runs = runs(capture, tree, &account);
        self.calls(capture, tree, groups, question, &account, &runs);
        for (at, node) in tree.nodes().iter().enumerate() {
            if node.span.is_some_and(|span| groups.get(span).is_some()) {
                self.agents.sums.add(&account.own(at));
            }
        }
        let open = filter.is_open();
        // A run may end worse than the span it begins with.
        for run in runs.into_iter().filter(|run| open || filter.admits(capture, run.span, run.outcome)) {
            let agents = &mut self.agents;
            agents.runs += 1;
            agents.failed_runs += u64::from(run.outcome == Outcome::Error);
            agents.cancelled_runs += u64::from(run.outcome == Outcome::Cancelled);
            agents.steps += run.steps;
            agents.repeated_calls += run.repeated_calls;
            agents.retries += run.retries;
            agents.wasted_tokens = agents.wasted_tokens.saturating_add(run.wasted_tokens);
            if question.runs {
                self.runs.push(run);
            }
        }
    }

    /// Puts the calls, and what is reported of others, where they belong.
    fn calls(
        &mut self,
        capture: &Capture,
        tree: &Tree,
        groups: &Groups,
        question: &Question,
        account: &Account,
        runs: &[Run],
    ) {
        let calls = account.calls().iter().map(|call| (call, true));
        for (call, counts) in calls.chain(account.reports().iter().map(|report| (report, false))) {
            let Some(group) = groups.get(call.span) else { continue };
            let group = group as u32;
            self.add_tokens(group, Tokens::of(call));
            let row = match question.is_of_calls() {
                true => {
                    let run = runs.get(runs.partition_point(|run| run.node <= call.node).wrapping_sub(1));
                    let run = run.filter(|run| call.node < tree.after(run.node));
                    key(call, owner(capture, tree, call, run), &question.by).map(|name| name.0)
                }
                false => question.wants_calls().then_some(group),
            };
            self.calls.extend(row.map(|row| Kept { row, call: *call, counts }));
        }
    }

    /// The tokens of each row.
    pub(super) fn tokens(&self, rows: usize) -> impl Iterator<Item = Option<Tokens>> {
        (0..rows as u32).map(|row| self.tokens.get(&row).copied())
    }

    fn add_tokens(&mut self, row: u32, more: Option<Tokens>) {
        if let Some(more) = more {
            self.tokens.entry(row).and_modify(|tokens| *tokens = tokens.plus(more)).or_insert(more);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        let (a, b) = (&mut self.agents, other.agents);
        a.runs += b.runs;
        a.failed_runs += b.failed_runs;
        a.cancelled_runs += b.cancelled_runs;
        a.steps += b.steps;
        a.sums.add(&b.sums);
        a.repeated_calls += b.repeated_calls;
        a.retries += b.retries;
        a.wasted_tokens = a.wasted_tokens.saturating_add(b.wasted_tokens);
        self.runs.extend(other.runs);
        self.calls.extend(other.calls);
        for (row, tokens) in other.tokens {
            self.add_tokens(row, Some(tokens));
        }
    }

    /// What the report tells; nothing where there are neither runs nor calls.
    pub(super) fn report(mut self, capture: &Capture, question: &Question) -> Option<Agents> {
        let sums = &self.agents.sums;
        if self.agents.runs == 0 && sums.calls() == 0 && sums.tokens() == 0 && sums.cost_usd.is_none() {
            return None;
        }
        if question.runs {
            sort(&mut self.runs, capture, question.sort);
            let kept = question.top.unwrap_or(self.runs.len()).min(self.runs.len());
            let left_out = self.runs.split_off(kept);
            let failed = |run: &&Run| matches!(run.outcome, Outcome::Error | Outcome::Cancelled);
            self.agents.left_out = Some(left_out.len());
            self.agents.left_out_failed = Some(left_out.iter().filter(failed).count());
            self.agents.list = Some(self.runs.iter().map(|run| RunRow::of(capture, run)).collect());
        }
        Some(self.agents)
    }
}

/// The largest first; equal runs in the order they began.
fn sort(runs: &mut [Run], capture: &Capture, sort: Sort) {
    let key = |run: &Run| match sort {
        Sort::Errors => (u64::from(run.outcome == Outcome::Error), run.sums.failed_calls, 0),
        Sort::Cancelled => (u64::from(run.outcome == Outcome::Cancelled), 0, 0),
        Sort::Count => (run.sums.calls(), 0, 0),
        Sort::Cost => (run.sums.cost_usd.map_or(0, |cost| cost.0), run.sums.tokens(), run.duration_ns),
        Sort::Name => (0, 0, 0),
        _ => (run.duration_ns, 0, 0),
    };
    let name = |run: &Run| if sort == Sort::Name { capture.text(run.who(capture)) } else { "" };
    runs.sort_by(|a, b| {
        let order = key(b).cmp(&key(a)).then_with(|| name(a).cmp(name(b)));
        order.then_with(|| (a.start, a.span).cmp(&(b.start, b.span)))
    });
}

/// The agent and the conversation of a call: of the spans above it the nearest that says so, or else its run.
fn owner(capture: &Capture, tree: &Tree, call: &Call, run: Option<&Run>) -> Owner {
    /// So far up is looked.
    const FAR: usize = 64;
    let (mut agent, mut id, mut session) = (NameId::default(), NameId::default(), NameId::default());
    let fill = |slot: &mut NameId, name: NameId| *slot = if slot.is_empty() { name } else { *slot };
    let above = std::iter::successors(Some(call.node), |at| tree.parent(*at)).take(FAR);
    for span in above.filter_map(|at| tree.nodes().get(at)?.span) {
        fill(&mut session, capture.conversation(span));
        let Some(brief) = capture.brief(span) else { continue };
        if matches!(brief.role, Some(Role::Agent | Role::Workflow)) {
            fill(&mut agent, brief.agent);
        }
        fill(&mut id, brief.agent_id);
    }
    if let Some(run) = run {
        fill(&mut agent, run.agent);
        fill(&mut id, run.agent_id);
        fill(&mut session, run.conversation);
    }
    Owner { agent: who(capture, agent, id), session }
}

impl RunRow {
    fn of(capture: &Capture, run: &Run) -> Self {
        let head = capture.head(run.span);
        let text = |name: NameId| capture.text(name).to_owned();
        Self {
            trace_id: head.trace.to_string(),
            span_id: head.id.to_string(),
            name: text(head.name),
            service: capture.service(run.span).to_owned(),
            agent: text(run.agent),
            agent_id: text(run.agent_id),
            session: text(run.conversation),
            start_unix_nano: run.start.to_string(),
            duration_ns: run.duration_ns,
            first_token_ns: run.first_token,
            steps: run.steps,
            sums: run.sums,
            repeated_calls: run.repeated_calls,
            retries: run.retries,
            wasted_tokens: run.wasted_tokens,
            outcome: run.outcome.name(),
            stop_reason: text(run.stop),
        }
    }
}

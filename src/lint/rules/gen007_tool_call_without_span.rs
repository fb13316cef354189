//! GEN007: tools that a model asked for and that never ran.
//!
//! Comes in: what calls to models recorded of tools, and the tools of the trace. Goes out: one fact a call of which neither a span
//! nor a result follows.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use crate::agent::{Piece, Role};
use crate::capture::{Brief, SpanRef};
use crate::ledger::Kind;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Rule, Scope, Severity};
use crate::lint::talk::{Asked, Talk};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "GEN007",
    name: "tool-call-without-span",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "A model asked for a tool, and nothing shows that it ran",
    why: "Either the tool was never executed, or its spans are missing and nobody sees what it did.",
    when: "",
    bad: "tool_call call_abc in gen_ai.output.messages, and no span or result with that id",
    good: "execute_tool span with gen_ai.tool.call.id = call_abc",
    limits: &LIMITS,
    unit: None,
    source: "OpenTelemetry GenAI semantic conventions 1.41.1, messages",
    url: "https://github.com/open-telemetry/semantic-conventions-genai",
    check: Check { trace: Some(check), needs: Needs::TALK, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words(
    "answers",
    &[],
    "tools that are never executed: a framework reads the answer out of their arguments",
)];

/// What shows that tools ran, with the last time it does.
#[derive(Default)]
struct Shown<'a> {
    ids: HashMap<u64, u64>,
    /// Tools whose spans do not tell the id of the call.
    names: HashMap<&'a str, u64>,
    /// Agents, by name.
    agents: BTreeMap<String, u64>,
    /// Calls to models whose answers were recorded, by node.
    answers: HashSet<usize>,
    /// Answers that were recorded beside their calls.
    payloads: u64,
}

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 {
        return;
    }
    let mut talks: Vec<(u64, SpanRef, &Talk)> = Vec::new();
    let mut shown = Shown::default();
    for (at, node, span) in look.nodes() {
        let Some(brief) = look.capture.brief(span) else { continue };
        shown.add(look, brief, node.start);
        if let Some(talk) = look.known().talk(span) {
            shown.answer(look, at, talk);
            talks.push((node.start, span, talk));
            talk.answered.iter().for_each(|id| last(shown.ids.entry(*id).or_default(), node.start));
        }
    }
    shown.count_unknown(look, sink);
    talks.sort_by_key(|(start, span, _)| (*start, look.head(*span).id));
    // The run goes on with its next call to a model, whatever that records.
    let calls = look.account().calls().iter().filter(|call| call.kind == Kind::Model);
    let end = calls.map(|call| call.start).chain(talks.last().map(|(start, ..)| *start)).max().unwrap_or(0);
    let mut seen = HashSet::new();
    for (start, span, talk) in talks {
        for asked in talk.asked.iter().filter(|asked| !asked.hosted) {
            // The same call may be recorded by several spans.
            let new = asked.id.is_none_or(|id| seen.insert(id));
            let name = look.known().word(asked.name);
            if new && !shown.shows(*asked, name, start) && !look.words(0).iter().any(|word| word == name) {
                let confidence = if start < end { Confidence::Proven } else { Confidence::Likely };
                let class = if start < end { "went on" } else { "ended" };
                let note = name.into();
                sink.found_at(
                    span,
                    Fact { class, apart: name.into(), note, confidence: Some(confidence), ..Fact::default() },
                );
            }
        }
    }
}

fn last(time: &mut u64, start: u64) {
    *time = start.max(*time);
}

impl<'a> Shown<'a> {
    fn add(&mut self, look: &TraceLook<'a>, brief: &Brief, start: u64) {
        if brief.role == Some(Role::Agent) && !brief.agent.is_empty() {
            last(self.agents.entry(folded(look.capture.text(brief.agent))).or_default(), start);
        }
        if !matches!(brief.role, Some(Role::Tool | Role::Mcp)) && brief.piece != Some(Piece::InnerTool) {
            return;
        }
        match brief.call_id {
            Some(id) => last(self.ids.entry(id.get()).or_default(), start),
            None => last(self.names.entry(look.capture.text(brief.tool)).or_default(), start),
        }
    }

    /// Notes whose answer was recorded: that of the call that a span is or repeats, or that a payload beside it holds.
    fn answer(&mut self, look: &TraceLook<'a>, at: usize, talk: &Talk) {
        match look.account().call(at) {
            _ if !talk.answers => {}
            Some((call, _)) => {
                self.answers.insert(call.node);
            }
            None => self.payloads += 1,
        }
    }

    /// Says how many calls to models there are whose answers nobody can see.
    fn count_unknown(&self, look: &TraceLook<'a>, sink: &mut Sink<'_>) {
        let calls = look.account().calls().iter().filter(|call| call.kind == Kind::Model);
        let silent = calls.filter(|call| !call.failed && !call.cancelled && !self.answers.contains(&call.node));
        let unknown = (silent.count() as u64).saturating_sub(self.payloads);
        if unknown > 0 {
            sink.not_checked("what the models answered was not recorded", unknown);
        }
    }

    fn shows(&self, asked: Asked, name: &str, since: u64) -> bool {
        let later = |time: Option<&u64>| time.is_some_and(|time| *time >= since);
        let by_id = match asked.id {
            Some(id) => later(self.ids.get(&id)),
            None => later(self.ids.values().max()),
        };
        // Work that is handed on to an agent is a tool in its own way: transfer_to_billing.
        let wanted = folded(name);
        let agent = |(agent, time): (&String, &u64)| wanted.ends_with(agent.as_str()) && *time >= since;
        by_id || later(self.names.get(name)) || later(self.names.get("")) || self.agents.iter().any(agent)
    }
}

/// A name without what names of tools and of agents are spelled apart by.
fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn tell(told: &Told<'_>) -> Words {
    let tool = if told.note.is_empty() { "a tool" } else { told.note };
    let then = if told.class == "went on" { "the run went on without it" } else { "the trace ends there" };
    Words::new(
        format!("{} asked for {tool}, which never ran: {then}", told.span_name),
        "execute every call the model asks for, or answer it with an error; give each execution a span with the id of the call",
    )
}

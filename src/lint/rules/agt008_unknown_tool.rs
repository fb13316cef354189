//! AGT008: tools that are called and that nobody defined.
//!
//! Comes in: what calls to models recorded of tools, and the tools of the trace. Goes out: one fact a tool that the model before
//! it was not offered.

use super::owners::Owners;
use crate::agent::Role;
use crate::capture::{NameId, SpanRef};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Needs, Rule, Scope, Severity};
use crate::lint::talk::{Talk, names};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT008",
    name: "unknown-tool",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A tool is called that the model was not offered",
    why: "The model made the name up: the call fails, or something runs that nobody meant to give it.",
    when: "",
    bad: "called \"serach\"; defined: search, fetch",
    good: "only tools of gen_ai.tool.definitions are called",
    limits: &[],
    unit: None,
    source: "TRAIL tool hallucination; tracelint R7",
    url: "https://arxiv.org/abs/2505.08638",
    check: Check { trace: Some(check), needs: Needs::TALK, ..Check::NONE },
    tell,
};

/// How many names of tools a message tells.
const TOLD: usize = 8;

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 || !look.known().has_offers() {
        return;
    }
    let mut talks: Vec<(u64, usize, SpanRef, &Talk)> = Vec::new();
    for (at, node, span) in look.nodes() {
        let Some(talk) = look.known().talk(span) else { continue };
        talks.push((node.start, at, span, talk));
        let Some(offered) = talk.offered().map(|word| look.known().word(word)) else { continue };
        for name in talk.asked.iter().map(|asked| look.known().word(asked.name)) {
            judge(name, offered, span, sink);
        }
    }
    talks.sort_by_key(|(start, _, span, _)| (*start, look.head(*span).id));
    if talks.iter().any(|(.., talk)| talk.offered().is_some()) {
        called(look, &talks, sink);
    }
}

/// Tools that ran although the model before them, whose answer was not recorded, was not offered them.
fn called(look: &TraceLook<'_>, talks: &[(u64, usize, SpanRef, &Talk)], sink: &mut Sink<'_>) {
    let owners = Owners::of(look);
    for (at, node, span) in look.nodes().filter(|(.., span)| look.head(*span).marks.role() == Some(Role::Tool)) {
        let before = talks.partition_point(|(start, ..)| *start <= node.start);
        let same = |(_, of, ..): &&(u64, usize, SpanRef, &Talk)| owners.owner(*of) == owners.owner(at);
        let Some((.., talk)) = talks.get(..before).and_then(|before| before.iter().rev().find(same)) else { continue };
        let tool = look.capture.brief(span).map_or(NameId::default(), |brief| brief.tool);
        if let (Some(offered), false) = (talk.offered(), talk.answers) {
            judge(look.capture.text(tool), look.known().word(offered), span, sink);
        }
    }
}

fn judge(name: &str, offered: &str, span: SpanRef, sink: &mut Sink<'_>) {
    if name.is_empty() || names(offered).any(|known| known == name) {
        return;
    }
    let all: Vec<&str> = names(offered).collect();
    let more = all.len().saturating_sub(TOLD);
    let mut listed = all.get(..TOLD).unwrap_or(&all).join(", ");
    if more > 0 {
        listed.push_str(&format!(" and {more} more"));
    }
    let note = format!("{name}\n{listed}").into();
    sink.found_at(span, Fact { class: "unknown", note, ..Fact::default() });
}

fn tell(told: &Told<'_>) -> Words {
    let (name, listed) = told.note.split_once('\n').unwrap_or((told.note, ""));
    Words::new(
        format!("called {name:?}; defined: {listed}"),
        "answer calls of unknown tools with an error that names the known ones",
    )
}

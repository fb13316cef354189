//! AGT008: tools that are called and that nobody defined.
//!
//! Comes in: what calls to models recorded of tools, and the tools of the trace. Goes out: one fact a tool that the model before
//! it was not offered.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::owners::Owners;
use crate::agent::Role;
use crate::capture::SpanRef;
use crate::ledger::{Call, Kind};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Needs, Rule, Scope, Severity};
use crate::lint::talk::{Asked, Talk, names};

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
    if look.brief.acts == 0 {
        return;
    }
    let mut talks: Vec<(u64, usize, SpanRef, &Talk)> = Vec::new();
    let mut seen = HashSet::new();
    for (at, node, span) in look.nodes() {
        let Some(talk) = look.known().talk(span) else { continue };
        talks.push((node.start, at, span, talk));
        let Some(offered) = talk.offered().map(|word| look.known().word(word)) else { continue };
        // The same call may be recorded by several spans.
        let new = talk.asked.iter().filter(|asked| !asked.hosted && asked.id.is_none_or(|id| seen.insert(id)));
        let offered = Offered::of(offered);
        new.for_each(|asked| offered.judge(look.known().word(asked.name), span, sink));
    }
    talks.sort_by_key(|(start, _, span, _)| (*start, look.head(*span).id));
    // A call that another span judges, or that is only part of what was said before, is known all the same.
    let is_new = |asked: &Asked| !asked.hosted && asked.id.is_none_or(|id| !seen.contains(&id));
    let without_offer = talks.iter().filter(|(.., talk)| talk.offered().is_none());
    let mut unknown = without_offer.filter(|(.., talk)| talk.asked.iter().any(is_new)).count() as u64;
    unknown += called(look, &talks, sink);
    if unknown > 0 {
        sink.not_checked("the tools that the model was offered were not recorded", unknown);
    }
}

/// Tools that ran although the model before them, whose answer was not recorded, was not offered them. Goes out: for how many of
/// them nobody can tell.
fn called(look: &TraceLook<'_>, talks: &[(u64, usize, SpanRef, &Talk)], sink: &mut Sink<'_>) -> u64 {
    let tools: Vec<&Call> = look.account().calls().iter().filter(|call| call.kind == Kind::Tool).collect();
    let owners = Owners::of(look);
    // The talks of each owner, in order.
    let mut of_owner: BTreeMap<usize, Vec<(u64, &Talk)>> = BTreeMap::new();
    for (start, at, span, talk) in talks {
        // What tells of a call once more and says nothing of tools hides nothing.
        let is_call = look.head(*span).marks.role() == Some(Role::Llm);
        if !is_call && talk.offered().is_none() && talk.asked.is_empty() {
            continue;
        }
        of_owner.entry(owners.owner(*at)).or_default().push((*start, talk));
    }
    let mut unknown = 0;
    // Calls of one agent mostly were offered the same.
    let mut last: Option<(u32, Offered<'_>)> = None;
    for call in tools {
        let own = of_owner.get(&owners.owner(call.node)).map(Vec::as_slice).unwrap_or_default();
        let before = own.partition_point(|(start, _)| *start <= call.start);
        let talk = before.checked_sub(1).and_then(|at| own.get(at)).map(|(_, talk)| *talk);
        match talk.and_then(|talk| Some((talk, talk.offered()?))) {
            // What a call asked for is counted there.
            None => unknown += u64::from(talk.is_none_or(|talk| talk.asked.is_empty())),
            Some((talk, offered)) if talk.asked.is_empty() && !talk.answers => {
                if last.as_ref().is_none_or(|(number, _)| *number != offered) {
                    last = Some((offered, Offered::of(look.known().word(offered))));
                }
                let name = look.capture.text(call.name);
                last.iter().for_each(|(_, offered)| offered.judge(name, call.span, sink));
            }
            Some(_) => {}
        }
    }
    unknown
}

/// The tools that a model was offered.
struct Offered<'w> {
    word: &'w str,
    names: HashSet<&'w str>,
}

impl<'w> Offered<'w> {
    fn of(word: &'w str) -> Self {
        Self { word, names: names(word).collect() }
    }

    fn judge(&self, name: &str, span: SpanRef, sink: &mut Sink<'_>) {
        if name.is_empty() || self.names.contains(name) {
            return;
        }
        let mut listed = names(self.word).take(TOLD).collect::<Vec<_>>().join(", ");
        let more = names(self.word).count().saturating_sub(TOLD);
        if more > 0 {
            listed.push_str(&format!(" and {more} more"));
        }
        let note = format!("{name}\n{listed}").into();
        sink.found_at(span, Fact { class: "unknown", apart: name.into(), note, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let (name, listed) = told.note.split_once('\n').unwrap_or((told.note, ""));
    Words::new(
        format!("called {name:?}; defined: {listed}"),
        "answer calls of unknown tools with an error that names the known ones",
    )
}

//! What calls to models recorded of tools: which they were offered, which they asked for, whose results they were given.
//!
//! Comes in: the messages of a span. Goes out: a small record, names by number and ids as fingerprints. No text is kept.

use super::hints::Hints;
use super::note::Texts;
use crate::agent::{Act, Conversation, Part, Piece, Role, ToolCall, fingerprint, messages};
use crate::otlp::RawSpan;

/// Attributes that have to hold messages or definitions as JSON.
pub(super) const KEYS: [&str; 4] =
    ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions"];

/// What stands between the names of the tools that were offered.
const BETWEEN: char = '\0';

/// What a call to a model recorded of tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talk {
    /// The names of the tools it was offered, as one word; zero where that was not recorded.
    offered: u32,
    /// The tools it asked for.
    pub asked: Box<[Asked]>,
    /// Fingerprints of the ids of calls whose results it was given.
    pub answered: Box<[u64]>,
    /// Its answer was recorded.
    pub answers: bool,
}

/// A tool that a model asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// A fingerprint of the id of the call.
    pub id: Option<u64>,
    /// The number of its name.
    pub name: u32,
}

/// The messages of a span, where rules are about them.
pub(super) fn read(span: &RawSpan<'_>, act: &Act<'_>, hints: Hints) -> Option<Conversation> {
    let keyed = || hints.has(Hints::GEN_AI) && KEYS.iter().any(|key| span.attribute(key).is_some());
    (is_call(act) || keyed()).then(|| messages(span, act.role)).flatten()
}

/// Whether it is a call to a model, or the record of one.
pub(super) fn is_call(act: &Act<'_>) -> bool {
    match act.role {
        Some(role) => role == Role::Llm,
        None => matches!(act.piece, None | Some(Piece::Payloads)),
    }
}

/// A fingerprint of the id of a call.
pub(super) fn print(id: &str) -> u64 {
    fingerprint(id) | 1
}

impl Talk {
    /// The record of a call; `None` where there is nothing in it.
    pub(super) fn of(act: &Act<'_>, said: &Conversation, words: &mut Texts) -> Option<Self> {
        if !is_call(act) {
            return None;
        }
        let ids = said.input.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::Result(result) => result.id.as_deref().map(print),
            _ => None,
        });
        let answered: Box<[u64]> = ids.collect();
        let asked = said.calls().map(|call| Asked { id: id(call), name: words.number(&call.name) }).collect();
        let names: Vec<&str> = said.tools.iter().map(|tool| tool.name.as_str()).collect();
        let offered = words.number(&names.join(&BETWEEN.to_string()));
        let nothing = offered == 0 && answered.is_empty() && said.calls().next().is_none();
        (!nothing).then_some(Self { offered, asked, answered, answers: !said.output.is_empty() })
    }

    /// The same with other numbers for its words.
    pub(super) fn renamed(mut self, mut number: impl FnMut(u32) -> u32) -> Self {
        self.offered = number(self.offered);
        for asked in &mut self.asked {
            asked.name = number(asked.name);
        }
        self
    }

    /// The number of the word for the tools it was offered; `None` where that was not recorded.
    pub fn offered(&self) -> Option<u32> {
        (self.offered != 0).then_some(self.offered)
    }
}

fn id(call: &ToolCall) -> Option<u64> {
    call.id.as_deref().filter(|id| !id.is_empty()).map(print)
}

/// The names in the word for tools that were offered.
pub(super) fn names(word: &str) -> impl Iterator<Item = &str> {
    word.split(BETWEEN)
}

//! What calls to models recorded of tools: which they were offered, which they asked for, whose results they were given.
//!
//! Comes in: the outline of a span's messages. Goes out: a small record, names by number and ids as fingerprints. No text is kept.

use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;

use super::hints::Hints;
use super::note::Texts;
use crate::agent::{
    Act, Message, Offer, Offers, Outline, Part, Piece, Role, ToolCall, fingerprint, outline, records_answer,
};
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
    /// The number of the offer and one more; zero for none.
    offer: u32,
    /// The tools it asked for.
    pub asked: Box<[Asked]>,
    /// Fingerprints of the ids of calls whose results it was given, or that the provider executed itself.
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
    /// Its arguments were recorded.
    pub arguments: bool,
    /// The provider executes it.
    pub hosted: bool,
}

/// The outline of a span's messages, where rules are about them: those in OpenTelemetry's keys have a schema, and those of calls
/// to models may tell of tools.
pub(super) fn read(span: &RawSpan<'_>, act: &Act<'_>, hints: Hints, offers: &mut Offers) -> Option<Outline> {
    (hints.has(Hints::MESSAGES) || (is_call(act) && may_tell_of_tools(span.raw)))
        .then(|| outline(span, act.role, offers))
        .flatten()
}

/// Whether bytes may tell of a call to a tool, in any dialect: `tool_calls`, `toolUse`, `function_call`, a result by its role.
fn may_tell_of_tools(raw: &[u8]) -> bool {
    static WORDS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["tool", "unction", "ipython"].map(Finder::new));
    WORDS.iter().any(|word| word.find(raw).is_some())
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
    /// The record of a call; `None` where there is nothing in it. New offers are put among those of the batch.
    pub(super) fn of(
        span: &RawSpan<'_>,
        act: &Act<'_>,
        outline: Option<&Outline>,
        words: &mut Texts,
        offers: &mut Vec<Arc<Offer>>,
    ) -> Option<Self> {
        if !is_call(act) {
            return None;
        }
        let Some(Outline { said, offer }) = outline else {
            return records_answer(span).then_some(Self { answers: true, ..Self::default() });
        };
        let answered: Box<[u64]> = results(&said.input).chain(results(&said.output)).collect();
        let asked: Box<[Asked]> = said
            .calls()
            .map(|call| Asked {
                id: id(call),
                name: words.number(&call.name),
                arguments: !call.arguments.trim().is_empty(),
                hosted: call.hosted,
            })
            .collect();
        let answers = !said.output.is_empty();
        let (mut offered, mut number) = (0, 0);
        if let Some(offer) = offer {
            let names: Vec<&str> = offer.tools.iter().map(|tool| tool.name.as_str()).collect();
            offered = words.number(&names.join(&BETWEEN.to_string()));
            number = numbered(offers, offer) + 1;
        }
        let nothing = offered == 0 && answered.is_empty() && asked.is_empty() && !answers;
        (!nothing).then_some(Self { offered, offer: number, asked, answered, answers })
    }

    /// The same with other numbers for its words and its offer.
    pub(super) fn renamed(mut self, mut word: impl FnMut(u32) -> u32, offer: impl Fn(u32) -> u32) -> Self {
        self.offered = word(self.offered);
        for asked in &mut self.asked {
            asked.name = word(asked.name);
        }
        self.offer = self.offer.checked_sub(1).map_or(0, |number| offer(number) + 1);
        self
    }

    /// The number of the word for the tools it was offered; `None` where that was not recorded.
    pub fn offered(&self) -> Option<u32> {
        (self.offered != 0).then_some(self.offered)
    }

    /// The number of the offer; `None` where that was not recorded.
    pub fn offer(&self) -> Option<u32> {
        self.offer.checked_sub(1)
    }
}

/// The number of an offer among others, which it joins where it is a new one. Calls of one agent share theirs.
pub(super) fn numbered(offers: &mut Vec<Arc<Offer>>, offer: &Arc<Offer>) -> u32 {
    let known = offers.iter().rposition(|known| Arc::ptr_eq(known, offer) || known == offer);
    let at = known.unwrap_or_else(|| {
        offers.push(Arc::clone(offer));
        offers.len() - 1
    });
    at as u32
}

/// Fingerprints of the ids of calls whose results stand in messages.
fn results(messages: &[Message]) -> impl Iterator<Item = u64> {
    messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::Result(result) => result.id.as_deref().map(print),
        _ => None,
    })
}

fn id(call: &ToolCall) -> Option<u64> {
    call.id.as_deref().filter(|id| !id.is_empty()).map(print)
}

/// The names in the word for tools that were offered.
pub(super) fn names(word: &str) -> impl Iterator<Item = &str> {
    word.split(BETWEEN)
}

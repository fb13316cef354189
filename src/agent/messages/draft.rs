//! A conversation in the making.
//!
//! Comes in: messages from one source after another, the better ones first. Goes out: the conversation: what a later source says
//! again stays out.

use std::sync::Arc;

use serde_json::Value as Json;

use super::conversation::{Conversation, Message, Outline, Part, Speaker};
use super::defect::{Defect, Flaw};
use super::json::{Read, Texts};
use super::tools::{Offer, Offers};
use super::{item, tools};

/// More defects than this of one conversation are not kept.
const MOST: usize = 100;

#[derive(Default)]
pub(super) struct Draft<'o> {
    found: Conversation,
    system: Vec<Message>,
    /// Definitions of tools that were read before, where only an outline is wanted.
    offers: Option<&'o mut Offers>,
    offer: Option<Arc<Offer>>,
}

/// How closely a source has to keep to OpenTelemetry's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A list of messages with a role and parts.
    Strict,
    /// Anything that can be read.
    Free,
}

impl<'o> Draft<'o> {
    /// A draft of an outline: long texts are left out, and definitions that were read before are not read again.
    pub(super) fn outline(offers: &'o mut Offers) -> Self {
        Self { offers: Some(offers), ..Self::default() }
    }

    /// How much of long texts is to be read.
    pub(super) fn texts(&self) -> Texts {
        if self.offers.is_some() { Texts::Brief } else { Texts::Whole }
    }

    pub(super) fn wants_input(&self) -> bool {
        self.found.input.is_empty()
    }

    pub(super) fn wants_output(&self) -> bool {
        self.found.output.is_empty()
    }

    pub(super) fn wants_tools(&self) -> bool {
        self.found.tools.is_empty() && self.offer.as_ref().is_none_or(|offer| offer.tools.is_empty())
    }

    /// Keeps a flaw of a source.
    pub(super) fn flaw(&mut self, key: &str, flaw: Flaw) {
        if self.found.defects.len() < MOST {
            self.found.defects.push(Defect { key: key.to_owned(), flaw });
        }
    }

    /// Reads messages out of a source that holds a list of them.
    pub(super) fn list(&mut self, key: &str, read: &Read, speaker: Speaker, form: Form) -> Vec<Message> {
        read.flaw.iter().for_each(|flaw| self.flaw(key, flaw.clone()));
        let unread = read.json.is_string() && read.flaw.is_some();
        let mut flaws = Vec::new();
        let found = item::list(&read.json, speaker, &mut |flaw| flaws.push(flaw));
        let kept = |flaw: &Flaw| form == Form::Strict && !unread || matches!(flaw, Flaw::TooMany { .. });
        flaws.into_iter().filter(kept).for_each(|flaw| self.flaw(key, flaw));
        self.check_calls(key, &found);
        found
    }

    /// Notes tool calls whose arguments cannot be read.
    pub(super) fn check_calls(&mut self, key: &str, found: &[Message]) {
        for call in found.iter().flat_map(Message::calls).filter(|call| call.is_broken()) {
            self.flaw(key, Flaw::BadArguments { tool: call.name.clone() });
        }
    }

    pub(super) fn system(&mut self, parts: Vec<Part>) {
        let said =
            Message { speaker: Speaker::System, role: Speaker::System.name().to_owned(), parts, ..Message::default() };
        if self.system.is_empty() && !said.parts.is_empty() {
            self.system.push(said);
        }
    }

    pub(super) fn input(&mut self, found: Vec<Message>) {
        if self.wants_input() {
            self.found.input = found;
        }
    }

    pub(super) fn output(&mut self, found: Vec<Message>) {
        if self.wants_output() {
            self.found.output = found;
        }
    }

    pub(super) fn tools_of(&mut self, json: &Json) {
        if self.wants_tools() {
            self.found.tools = tools::definitions(json);
        }
    }

    /// Takes over definitions whose bytes have this fingerprint; they are read where that was not done before.
    pub(super) fn offer(&mut self, key: &str, print: u64, read: impl FnOnce() -> Offer) {
        if !self.wants_tools() {
            return;
        }
        let Some(offers) = self.offers.as_mut() else {
            let Offer { tools, flaw } = read();
            flaw.into_iter().for_each(|flaw| self.flaw(key, flaw));
            self.found.tools = tools;
            return;
        };
        let offer = Arc::clone(offers.known.entry(print).or_insert_with(|| Arc::new(read())));
        offer.flaw.iter().for_each(|flaw| self.flaw(key, flaw.clone()));
        self.offer = Some(offer);
    }

    /// The outline.
    pub(super) fn outlined(mut self) -> Option<Outline> {
        let offer = self.offer.take().filter(|offer| !offer.tools.is_empty());
        let said = self.done();
        (said.is_some() || offer.is_some()).then(|| {
            let mut said = said.unwrap_or_default();
            let tools = std::mem::take(&mut said.tools);
            let offer = offer.or_else(|| (!tools.is_empty()).then(|| Arc::new(Offer { tools, flaw: None })));
            Outline { said, offer }
        })
    }

    /// The conversation, instructions first; `None` where there is neither a message nor a defect nor a tool.
    pub(super) fn done(mut self) -> Option<Conversation> {
        if !self.found.input.iter().any(|message| message.speaker == Speaker::System) {
            self.system.append(&mut self.found.input);
            self.found.input = self.system;
        }
        let Conversation { input, output, tools, defects } = &self.found;
        let nothing = input.is_empty() && output.is_empty() && tools.is_empty() && defects.is_empty();
        (!nothing).then_some(self.found)
    }
}

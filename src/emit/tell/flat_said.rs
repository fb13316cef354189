//! What was said in a conversation, in the forms of the conventions that tell a run as one tree.
//!
//! Comes in: words, calls to tools and what they brought. Goes out: JSON, or attributes. A message is made once, and repeated by every
//! later call.

use super::flat::Flat;
use super::letta_payload::{message, tool_call};
use crate::emit::plan::Convention;
use crate::emit::sheet::{Attr, Sheet, Word};
use crate::emit::story::{Call, ToolUse};

/// Something that was said in a conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'s> {
    role: &'static str,
    text: Word,
    /// Tools it calls.
    calls: &'s [ToolUse],
    /// The call that it answers.
    answers: Option<Word>,
}

impl<'s> Said<'s> {
    /// Words of somebody.
    pub(super) fn by(role: &'static str, text: Word) -> Self {
        Self { role, text, calls: &[], answers: None }
    }

    /// What the model answered in a step.
    pub(super) fn answer(call: Call, tools: &'s [ToolUse]) -> Self {
        Self { role: "assistant", text: call.text, calls: tools, answers: None }
    }

    /// What a tool brought.
    pub(super) fn result(tool: &ToolUse) -> Self {
        Self { role: "tool", text: tool.kept, calls: &[], answers: Some(tool.call) }
    }

    /// As OpenTelemetry's conventions have it.
    pub(super) fn parts(self, sheet: &mut Sheet, finish: Option<&'static str>) {
        let put = |sheet: &mut Sheet, pieces: &[Word]| pieces.iter().for_each(|piece| sheet.append(*piece));
        put(sheet, &["{\"role\": \"".into(), self.role.into(), "\", \"parts\": [".into()]);
        match self.answers {
            Some(call) => put(
                sheet,
                &[
                    "{\"type\": \"tool_call_response\", \"id\": \"".into(),
                    call,
                    "\", \"response\": \"".into(),
                    self.text,
                    "\"}".into(),
                ],
            ),
            None => put(sheet, &["{\"type\": \"text\", \"content\": \"".into(), self.text, "\"}".into()]),
        }
        for tool in self.calls {
            put(
                sheet,
                &[
                    ", {\"type\": \"tool_call\", \"id\": \"".into(),
                    tool.call,
                    "\", \"name\": \"".into(),
                    tool.name.into(),
                    "\", \"arguments\": ".into(),
                ],
            );
            let given = sheet.read(tool.json);
            // What is no JSON goes into JSON as a string.
            if given.ends_with('}') {
                sheet.append(tool.json);
            } else {
                let given = serde_json::Value::from(given).to_string();
                sheet.write(|out| out.push_str(&given));
            }
            sheet.append("}".into());
        }
        sheet.append("]".into());
        if let Some(finish) = finish {
            put(sheet, &[", \"finish_reason\": \"".into(), finish.into(), "\"".into()]);
        }
        sheet.append("}".into());
    }

    /// As OpenAI has it, in JSON.
    pub(super) fn message(self, sheet: &mut Sheet) -> Word {
        match self.answers {
            Some(call) => {
                let members = [("role", self.role.into()), ("tool_call_id", call), ("content", self.text)];
                message(&members, &[], "\"", sheet)
            }
            None => message(&[("role", self.role.into()), ("content", self.text)], self.calls, "\"", sheet),
        }
    }

    /// As OpenInference has it, under keys that begin with `prefix`.
    pub(super) fn numbered(self, sheet: &mut Sheet, prefix: Word) -> Vec<Attr> {
        let key = |sheet: &mut Sheet, rest: &'static str| sheet.join(&[prefix, rest.into()]);
        let mut attributes = vec![
            Attr { key: key(sheet, ".role"), value: self.role.into() },
            Attr { key: key(sheet, ".content"), value: self.text.into() },
        ];
        if let Some(call) = self.answers {
            attributes.push(Attr { key: key(sheet, ".tool_call_id"), value: call.into() });
        }
        for (at, tool) in self.calls.iter().enumerate() {
            let call = sheet.word(format_args!("{at}.tool_call."));
            for (rest, value) in
                [("id", tool.call), ("function.name", tool.name.into()), ("function.arguments", tool.json)]
            {
                let key = sheet.join(&[prefix, ".tool_calls.".into(), call, rest.into()]);
                attributes.push(Attr { key, value: value.into() });
            }
        }
        attributes
    }

    /// What OpenLLMetry says beside role and content: the tools that are called, or the call that is answered.
    pub(super) fn flattened(self, sheet: &mut Sheet, prefix: Word) -> Vec<Attr> {
        let mut attributes = Vec::new();
        if let Some(call) = self.answers {
            attributes.push(Attr { key: sheet.join(&[prefix, ".tool_call_id".into()]), value: call.into() });
        }
        for (at, tool) in self.calls.iter().enumerate() {
            let call = sheet.word(format_args!(".tool_calls.{at}."));
            for (rest, value) in [("id", tool.call), ("name", tool.name.into()), ("arguments", tool.json)] {
                attributes.push(Attr { key: sheet.join(&[prefix, call, rest.into()]), value: value.into() });
            }
        }
        attributes
    }

    /// The event that it was before messages were attributes: its name, and what it says.
    fn event(self, sheet: &mut Sheet) -> (Word, Vec<Attr>) {
        let attribute = |key: &'static str, value: Word| Attr { key: key.into(), value: value.into() };
        let mut attributes = vec![attribute("content", self.text)];
        attributes.extend(self.answers.map(|call| attribute("id", call)));
        if !self.calls.is_empty() {
            let calls: Vec<Word> = self.calls.iter().map(|tool| tool_call(sheet, tool, "\"")).collect();
            let mark = sheet.mark();
            for (at, call) in calls.into_iter().enumerate() {
                sheet.append(if at > 0 { ", " } else { "[" }.into());
                sheet.append(call);
            }
            sheet.append("]".into());
            attributes.push(attribute("tool_calls", sheet.since(mark)));
        }
        let name = match self.role {
            "assistant" => "gen_ai.assistant.message",
            "tool" => "gen_ai.tool.message",
            _ => "gen_ai.user.message",
        };
        (name.into(), attributes)
    }
}

/// A message of a conversation as the convention has it: made once, and repeated by every later call.
#[derive(Debug)]
pub(super) struct Message {
    /// The whole message, where messages are one text; the event's name, where each is an event.
    pub(super) json: Word,
    /// Its attributes, where it has some of its own.
    pub(super) attributes: Vec<Attr>,
}

impl Flat<'_, '_> {
    /// A message, the one of this number behind the system's.
    pub(super) fn message(&mut self, number: usize, said: Said<'_>) -> Message {
        let events = self.has_events();
        let sheet = &mut *self.tell.sheet;
        match self.convention {
            Convention::Openinference => {
                let prefix = sheet.word(format_args!("llm.input_messages.{number}.message"));
                Message { json: said.message(sheet), attributes: said.numbered(sheet, prefix) }
            }
            Convention::Openllmetry => {
                let prefix = sheet.word(format_args!("gen_ai.prompt.{number}"));
                let mut attributes = vec![
                    Attr { key: sheet.join(&[prefix, ".role".into()]), value: said.role.into() },
                    Attr { key: sheet.join(&[prefix, ".content".into()]), value: said.text.into() },
                ];
                attributes.extend(said.flattened(sheet, prefix));
                Message { json: Word::default(), attributes }
            }
            _ if events => {
                let (json, attributes) = said.event(sheet);
                Message { json, attributes }
            }
            _ => {
                let mark = sheet.mark();
                said.parts(sheet, None);
                Message { json: sheet.since(mark), attributes: Vec::new() }
            }
        }
    }
}

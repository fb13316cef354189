//! The conversation as Letta hands it to providers: requests as Python prints them and as JSON, answers as JSON.
//!
//! Comes in: a run, step by step. Goes out: words of the sheet. Texts of ours need no escapes but those of characters beyond ASCII,
//! which Python writes in JSON.

use std::sync::LazyLock;

use super::letta::{Given, LISTED};
use crate::emit::sheet::{Sheet, Word};
use crate::emit::story::{Call, Run, Step, ToolUse};
use crate::emit::tools::{HAND_OFF, TOOLS};

/// The definitions of all tools, one after another.
static DEFINITIONS: LazyLock<String> = LazyLock::new(|| {
    let definitions: Vec<&str> = TOOLS.iter().chain([&HAND_OFF]).map(|tool| tool.definition).collect();
    definitions.join(", ")
});

/// What has been said so far, each message once.
pub(super) struct Talk {
    python: Vec<Word>,
    json: Vec<Word>,
    ids: Vec<Word>,
}

/// What the model is asked when a conversation is summarised.
pub(super) const SUM_UP: &str = "Write down what has been said and found so far, as briefly as you can.";

impl Talk {
    /// The beginning: the system's words and the question.
    pub(super) fn new(run: &Run, sheet: &mut Sheet) -> Self {
        let mut talk = Self { python: Vec::new(), json: Vec::new(), ids: Vec::new() };
        talk.begin(run, run.question, sheet);
        talk
    }

    /// Begins anew with the system's words and what somebody says.
    pub(super) fn begin(&mut self, run: &Run, text: Word, sheet: &mut Sheet) {
        self.python.clear();
        self.json.clear();
        self.ids.clear();
        self.say(&[("role", "system".into()), ("content", run.persona.system.into())], &[], sheet);
        self.say(&[("role", "user".into()), ("content", text)], &[], sheet);
    }

    /// Adds a request to sum up.
    pub(super) fn ask_for_summary(&mut self, sheet: &mut Sheet) {
        self.say(&[("role", "user".into()), ("content", SUM_UP.into())], &[], sheet);
    }

    /// The messages as a list that is never recorded: how many there are, and the ids of the first.
    pub(super) fn listed(&self) -> Given {
        let mut first = [None; LISTED];
        first.iter_mut().zip(&self.ids).for_each(|(slot, id)| *slot = Some(*id));
        Given::Listed(self.ids.len(), first)
    }

    /// The id of the message that was said last.
    pub(super) fn last_id(&self) -> Word {
        self.ids.last().copied().unwrap_or_default()
    }

    /// The messages as Python prints them: every one as its request has it.
    pub(super) fn printed(&self, sheet: &mut Sheet) -> Given {
        let mark = sheet.mark();
        sheet.append("[".into());
        list(sheet, &self.python);
        sheet.append("]".into());
        Given::Items(self.python.len(), sheet.since(mark))
    }

    /// A message of some members, and the tools that it calls.
    fn say(&mut self, members: &[(&'static str, Word)], calls: &[ToolUse], sheet: &mut Sheet) {
        let id = sheet.uuid("message-");
        self.ids.push(id);
        self.python.push(message(members, calls, "'", sheet));
        self.json.push(message(members, calls, "\"", sheet));
    }

    /// The next request: as Python prints it, and as JSON.
    pub(super) fn request(&self, run: &Run, most: u64, sheet: &mut Sheet) -> (Word, Word) {
        let most = sheet.word(format_args!("{most}"));
        let write = |sheet: &mut Sheet, quote: &'static str, messages: &[Word], tools: Option<Word>| {
            let mark = sheet.mark();
            let put = |sheet: &mut Sheet, pieces: &[Word]| pieces.iter().for_each(|piece| sheet.append(*piece));
            let key = |sheet: &mut Sheet, before: &'static str, key: &'static str| {
                put(sheet, &[before.into(), quote.into(), key.into(), quote.into(), ": ".into()]);
            };
            key(sheet, "{", "model");
            put(sheet, &[quote.into(), run.model.name.into(), quote.into()]);
            key(sheet, ", ", "messages");
            sheet.append("[".into());
            list(sheet, messages);
            sheet.append("]".into());
            key(sheet, ", ", "temperature");
            sheet.append("0.7".into());
            key(sheet, ", ", "max_tokens");
            sheet.append(most);
            key(sheet, ", ", "tool_choice");
            put(sheet, &[quote.into(), "auto".into(), quote.into()]);
            if let Some(tools) = tools {
                key(sheet, ", ", "tools");
                put(sheet, &["[".into(), tools, "]".into()]);
            }
            sheet.append("}".into());
            sheet.since(mark)
        };
        let python = write(sheet, "'", &self.python, None);
        (python, write(sheet, "\"", &self.json, Some(DEFINITIONS.as_str().into())))
    }

    /// The conversation goes on with an answer, and with what its tools bring.
    pub(super) fn go_on(&mut self, step: &Step, sheet: &mut Sheet) {
        self.say(&answer(step.call), &step.tools, sheet);
        for tool in &step.tools {
            self.say(&[("role", "tool".into()), ("tool_call_id", tool.call), ("content", tool.kept)], &[], sheet);
        }
    }
}

fn answer(call: Call) -> [(&'static str, Word); 2] {
    [("role", "assistant".into()), ("content", call.text)]
}

/// A message in JSON, or as Python prints it: they differ in their quotes and in characters beyond ASCII.
pub(super) fn message(
    members: &[(&'static str, Word)],
    calls: &[ToolUse],
    quote: &'static str,
    sheet: &mut Sheet,
) -> Word {
    let json = quote == "\"";
    let calls: Vec<Word> = calls.iter().map(|tool| tool_call(sheet, tool, quote)).collect();
    let texts: Vec<Word> = members.iter().map(|(_, text)| if json { ascii(sheet, *text) } else { *text }).collect();
    let mark = sheet.mark();
    let mut before = "{";
    for ((key, _), text) in members.iter().zip(texts) {
        for piece in [before.into(), quote.into(), (*key).into(), quote.into(), ": ".into(), quote.into(), text] {
            sheet.append(piece);
        }
        sheet.append(quote.into());
        before = ", ";
    }
    if !calls.is_empty() {
        for piece in [", ", quote, "tool_calls", quote, ": ["] {
            sheet.append(piece.into());
        }
        list(sheet, &calls);
        sheet.append("]".into());
    }
    sheet.append("}".into());
    sheet.since(mark)
}

/// A whole answer, in JSON or as Python prints it.
pub(super) fn response(run: &Run, call: Call, tools: &[ToolUse], quote: &'static str, sheet: &mut Sheet) -> Word {
    let message = message(&answer(call), tools, quote, sheet);
    let mark = sheet.mark();
    let finish = if tools.is_empty() { "stop" } else { "tool_calls" };
    let q = quote;
    for (key, value) in
        [("{id", call.id), (", object", "chat.completion".into()), (", model", run.model.version.into())]
    {
        let (before, key) = key.split_at(if key.starts_with('{') { 1 } else { 2 });
        for piece in [before.into(), q.into(), key.into(), q.into(), ": ".into(), q.into(), value, q.into()] {
            sheet.append(piece);
        }
    }
    sheet
        .word(format_args!(", {q}choices{q}: [{{{q}index{q}: 0, {q}finish_reason{q}: {q}{finish}{q}, {q}message{q}: "));
    sheet.append(message);
    sheet.word(format_args!(
        "}}], {q}usage{q}: {{{q}prompt_tokens{q}: {}, {q}completion_tokens{q}: {}, {q}total_tokens{q}: {}, {q}prompt_tokens_details{q}: {{{q}cached_tokens{q}: {}}}, {q}completion_tokens_details{q}: {{{q}reasoning_tokens{q}: {}}}}}}}",
        call.input, call.output, call.input + call.output, call.cached, call.reasoning
    ));
    sheet.since(mark)
}

/// A tool call as OpenAI has it: the arguments are JSON inside a string.
pub(super) fn tool_call(sheet: &mut Sheet, tool: &ToolUse, quote: &'static str) -> Word {
    let arguments =
        if quote == "'" { sheet.join(&["'".into(), tool.json, "'".into()]) } else { quoted(sheet, tool.json) };
    let mark = sheet.mark();
    let q = quote;
    sheet.word(format_args!("{{{q}id{q}: {q}"));
    sheet.append(tool.call);
    sheet.word(format_args!(
        "{q}, {q}type{q}: {q}function{q}, {q}function{q}: {{{q}name{q}: {q}{}{q}, {q}arguments{q}: ",
        tool.name
    ));
    sheet.append(arguments);
    sheet.append("}}".into());
    sheet.since(mark)
}

fn list(sheet: &mut Sheet, items: &[Word]) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            sheet.append(", ".into());
        }
        sheet.append(*item);
    }
}

/// JSON inside a JSON string.
fn quoted(sheet: &mut Sheet, json: Word) -> Word {
    let text = sheet.read(json).replace('\\', "\\\\").replace('"', "\\\"");
    let mark = sheet.mark();
    sheet.append("\"".into());
    let text = escaped(&text);
    sheet.write(|out| out.push_str(&text));
    sheet.append("\"".into());
    sheet.since(mark)
}

/// A text inside JSON as Python writes it: ASCII alone.
fn ascii(sheet: &mut Sheet, text: Word) -> Word {
    let plain = sheet.read(text);
    if plain.is_ascii() {
        return text;
    }
    let text = escaped(plain);
    sheet.say(&text)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::chance::Chance;

    #[test]
    fn json_is_written_as_python_does() {
        let mut sheet = Sheet::new(Chance::new(1, 1));
        let word = ascii(&mut sheet, "\"Zürich 😀\"".into());
        assert_eq!(sheet.read(word), "\"Z\\u00fcrich \\ud83d\\ude00\"");
        let inner = sheet.say("{\"city\": \"Zürich\"}");
        let word = quoted(&mut sheet, inner);
        let outer: String = serde_json::from_str(sheet.read(word)).unwrap();
        assert_eq!(outer, "{\"city\": \"Zürich\"}");
    }
}

//! The conversation as Letta hands it to providers: requests as Python prints them and as JSON, answers as JSON.
//!
//! Comes in: a run, step by step. Goes out: words of the sheet. Texts of ours need no escapes but those of characters beyond ASCII,
//! which Python writes in JSON.

use std::fmt::Write as _;
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
    let calls: Vec<Word> = calls.iter().map(|tool| tool_call(sheet, tool, quote)).collect();
    let mut texts = [Word::default(); 3];
    for (place, (_, text)) in texts.iter_mut().zip(members) {
        *place = if quote == "\"" { ascii(sheet, *text) } else { *text };
    }
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
    let put = |sheet: &mut Sheet, json, value: Word| {
        put(sheet, quote, json);
        sheet.append(value);
    };
    put(sheet, "{\"id\": \"", call.id);
    put(sheet, "\", \"object\": \"chat.completion\", \"model\": \"", run.model.version.into());
    put(sheet, "\", \"choices\": [{\"index\": 0, \"finish_reason\": \"", finish.into());
    put(sheet, "\", \"message\": ", message);
    let mut count = |json, number: u64| {
        put(sheet, json, Word::default());
        sheet.number(number);
    };
    count("}], \"usage\": {\"prompt_tokens\": ", call.input);
    count(", \"completion_tokens\": ", call.output);
    count(", \"total_tokens\": ", call.input + call.output);
    count(", \"prompt_tokens_details\": {\"cached_tokens\": ", call.cached);
    count("}, \"completion_tokens_details\": {\"reasoning_tokens\": ", call.reasoning);
    sheet.append("}}}".into());
    sheet.since(mark)
}

/// A tool call as OpenAI has it: the arguments are JSON inside a string.
pub(super) fn tool_call(sheet: &mut Sheet, tool: &ToolUse, quote: &'static str) -> Word {
    let arguments =
        if quote == "'" { sheet.join(&["'".into(), tool.json, "'".into()]) } else { quoted(sheet, tool.json) };
    let mark = sheet.mark();
    for (json, value) in [
        ("{\"id\": \"", tool.call),
        ("\", \"type\": \"function\", \"function\": {\"name\": \"", tool.name.into()),
        ("\", \"arguments\": ", arguments),
    ] {
        put(sheet, quote, json);
        sheet.append(value);
    }
    sheet.append("}}".into());
    sheet.since(mark)
}

/// A piece of JSON, or of the same as Python prints it: with another quote.
fn put(sheet: &mut Sheet, quote: &'static str, json: &'static str) {
    if quote == "\"" {
        return sheet.append(json.into());
    }
    for (at, piece) in json.split('"').enumerate() {
        if at > 0 {
            sheet.append(quote.into());
        }
        sheet.append(piece.into());
    }
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
    let text = escaped(sheet.read(json), true);
    sheet.write(|out| {
        out.push('"');
        out.push_str(&text);
        out.push('"');
    })
}

/// A text inside JSON as Python writes it: ASCII alone.
fn ascii(sheet: &mut Sheet, text: Word) -> Word {
    let plain = sheet.read(text);
    if plain.is_ascii() {
        return text;
    }
    let text = escaped(plain, false);
    sheet.say(&text)
}

/// Everything beyond ASCII in `\u` escapes, and quotes and backslashes behind a backslash where that is wanted.
fn escaped(text: &str, quotes: bool) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|c| !c.is_ascii() || quotes && (c == b'"' || c == b'\\')) {
        let (plain, tail) = rest.split_at(at);
        let Some(c) = tail.chars().next() else { break };
        out.push_str(plain);
        if c.is_ascii() {
            out.push('\\');
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // A string takes everything.
                let _: std::fmt::Result = write!(out, "\\u{unit:04x}");
            }
        }
        rest = tail.get(c.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
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

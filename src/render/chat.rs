//! A conversation as a readable chat.
//!
//! Comes in: calls and what was said in them. Goes out: a line for each call, who speaks in a column of its own, words wrapped beside
//! it, tool calls with what they brought. Long contents are shortened and say by how much, unless all is wanted.

use std::io;

use super::chat_text::{Shown, compact, result_text, shown, spelled};
use super::tree_signs::signs;
use super::{Ink, Render, Tone};
use crate::agent::Speaker;
use crate::model::{ByteSize, Nanos};
use crate::show::{Bit, Brought, Chat, ChatCall, Said};

/// A conversation, long contents whole or shortened.
#[derive(Clone, Copy, Debug)]
pub struct ChatText<'r> {
    /// What to show.
    pub chat: &'r Chat,
    /// Whether nothing is shortened.
    pub full: bool,
}

/// The column where words begin.
const WORDS: usize = 11;
/// Lines that are shown of what is said, of what tools are given and bring, and of what was thought.
const SAID: usize = 12;
const TOLD: usize = 6;

impl Render for ChatText<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let said = self.chat.calls.iter().flat_map(|call| &call.messages).filter(|said| said.direction != "span");
        let asked = said.flat_map(|said| &said.parts).any(|bit| matches!(bit, Bit::ToolCall { .. }));
        let mut page = Sheet { ink, full: self.full, asked };
        page.heading(self.chat)?;
        page.before(self.chat)?;
        for (number, call) in self.chat.calls.iter().enumerate() {
            page.call(number + 1, call)?;
        }
        page.remarks(self.chat)
    }
}

struct Sheet<'i, 'w> {
    ink: &'i mut Ink<'w>,
    full: bool,
    /// Messages tell which tools were asked for.
    asked: bool,
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `25→9 tokens`; nothing where neither is known.
fn tokens(input: Option<u64>, output: Option<u64>) -> Option<String> {
    let number = |tokens: Option<u64>| tokens.map_or_else(|| "?".to_owned(), |tokens| tokens.to_string());
    (input.is_some() || output.is_some()).then(|| format!("{}→{} tokens", number(input), number(output)))
}

/// The tone for how a call ended, where it did not end well.
fn bad(call: &ChatCall) -> Tone {
    match call.outcome {
        "error" => Tone::Error,
        "cancelled" => Tone::Cancelled,
        _ => Tone::Odd,
    }
}

impl Sheet<'_, '_> {
    fn heading(&mut self, chat: &Chat) -> io::Result<()> {
        if chat.calls.len() == 1 {
            return Ok(());
        }
        let (input, output) = chat.tokens();
        let facts = [Some(counted(chat.calls.len(), "call")), Some(counted(chat.tool_calls(), "tool call"))];
        let rest = [tokens(input, output), Some(Nanos(chat.duration_ns).to_string())];
        let facts: Vec<String> = facts.into_iter().chain(rest).flatten().collect();
        let (facts, width) = (facts.join(", "), self.ink.page().width);
        self.ink.put_fit(Tone::Title, &format!("trace {}", chat.trace_id), width)?;
        if self.ink.column() + 2 + super::width(&facts) <= width {
            self.ink.put(Tone::Quiet, format_args!("  {facts}"))?;
            self.ink.line()?;
        } else {
            self.ink.line()?;
            self.block(Tone::Quiet, &facts, usize::MAX, 2)?;
        }
        self.ink.line()
    }

    /// Tools that ran before any call.
    fn before(&mut self, chat: &Chat) -> io::Result<()> {
        if chat.tools.is_empty() {
            return Ok(());
        }
        if !chat.calls.is_empty() {
            let rule = if self.ink.page().unicode { "──" } else { "--" };
            self.ink.put(Tone::Quiet, format_args!("{rule} before any call to a model"))?;
            self.ink.line()?;
        }
        chat.tools.iter().try_for_each(|said| self.said(said))?;
        self.ink.line()
    }

    fn call(&mut self, number: usize, call: &ChatCall) -> io::Result<()> {
        if number > 1 {
            self.ink.line()?;
        }
        self.call_line(number, call)?;
        if call.repeated > 0 && call.messages.iter().any(|said| said.direction == "input") {
            self.remark(Tone::Quiet, &format!("after {} shown above", counted(call.repeated, "message")))?;
        }
        let of_spans = call.messages.iter().position(|said| said.direction == "span").unwrap_or(call.messages.len());
        let (told, ran) = call.messages.split_at(of_spans);
        told.iter().try_for_each(|said| self.said(said))?;
        if !call.error_type.is_empty() || !call.error_message.is_empty() {
            self.failure(call)?;
        } else if call.captured && !call.messages.iter().any(|said| said.direction == "output") {
            self.remark(Tone::Quiet, "no answer is recorded")?;
        }
        ran.iter().try_for_each(|said| self.said(said))?;
        for defect in &call.defects {
            self.remark(Tone::Odd, defect)?;
        }
        Ok(())
    }

    /// `✗ RateLimitError: slow down`
    fn failure(&mut self, call: &ChatCall) -> io::Result<()> {
        let signs = signs(self.ink);
        let sign = if call.outcome == "cancelled" { signs.cancelled } else { signs.error };
        let kind = call.error_type.rsplit(['.', ':']).next().unwrap_or_default();
        let said: Vec<&str> = [kind, &call.error_message].into_iter().filter(|text| !text.is_empty()).collect();
        self.ink.pad_to(WORDS)?;
        self.ink.put(bad(call), format_args!("{sign} "))?;
        self.block(bad(call), &said.join(": "), TOLD, WORDS + 2)
    }

    /// `1  gpt-4o · support · 25→9 tokens · ttft 300 ms · 1.2 s · tool_calls`: what does not fit goes to a second line.
    fn call_line(&mut self, number: usize, call: &ChatCall) -> io::Result<()> {
        let unicode = self.ink.page().unicode;
        let (rule, dot) = if unicode { ("── ", " · ") } else { ("-- ", " - ") };
        self.ink.put(Tone::Quiet, format_args!("{rule}{number} "))?;
        let model = if call.model.is_empty() { &call.name } else { &call.model };
        let room = self.ink.page().width.saturating_sub(self.ink.column()).max(16);
        self.ink.put_fit(Tone::Title, model, room)?;
        let mut facts = vec![(Tone::Service, Some(call.agent.clone()).filter(|agent| !agent.is_empty()))];
        facts.push((Tone::Plain, tokens(call.input_tokens, call.output_tokens)));
        facts.push((Tone::Quiet, call.first_token_ns.map(|first| format!("ttft {}", Nanos(first)))));
        facts.push((Tone::Quiet, Some(Nanos(call.duration_ns).to_string())));
        facts.push((Tone::Quiet, Some(call.finish_reasons.join(", ")).filter(|reasons| !reasons.is_empty())));
        facts.push((Tone::Quiet, Some(counted(call.tools.len(), "tool")).filter(|_| !call.tools.is_empty())));
        let silent = !call.captured;
        facts.push((Tone::Quiet, silent.then(|| format!("span {}", call.span_id))));
        facts.push((bad(call), Some(call.outcome.to_owned()).filter(|outcome| outcome != "ok")));
        for (tone, fact) in facts.into_iter().filter_map(|(tone, fact)| Some((tone, fact?))) {
            let needed = super::width(dot) + super::width(&fact);
            if self.ink.column() + needed > self.ink.page().width && self.ink.column() > WORDS {
                self.ink.line()?;
                self.ink.pad_to(2)?;
            }
            self.ink.put(Tone::Quiet, dot)?;
            self.ink.put(tone, fact)?;
        }
        self.ink.line()
    }

    fn said(&mut self, said: &Said) -> io::Result<()> {
        let tone = match said.speaker {
            Speaker::System => Tone::Quiet,
            Speaker::User => Tone::Name,
            Speaker::Assistant => Tone::Good,
            Speaker::Tool => Tone::Service,
            Speaker::Other => Tone::Odd,
        };
        let role =
            if said.speaker == Speaker::Other && !said.role.is_empty() { &said.role } else { said.speaker.name() };
        let words = if said.speaker == Speaker::System { Tone::Quiet } else { Tone::Plain };
        if let Some(name) = said.name.as_deref().filter(|name| !name.is_empty()) {
            self.label(tone, role)?;
            self.block(Tone::Quiet, name, 1, WORDS)?;
        }
        for bit in &said.parts {
            match bit {
                Bit::Text { text } => {
                    self.label(tone, role)?;
                    self.block(words, text, SAID, WORDS)?;
                }
                Bit::Reasoning { text } => {
                    self.label(Tone::Quiet, "reasoning")?;
                    let text = if text.is_empty() { "(withheld)" } else { text };
                    self.block(Tone::Quiet, text, TOLD, WORDS)?;
                }
                Bit::ToolCall { name, arguments, broken, result, .. } => {
                    self.tool_call(name, arguments, *broken)?;
                    match result {
                        Some(brought) => self.brought(brought)?,
                        None => self.remark(Tone::Odd, "no result is recorded")?,
                    }
                    if said.direction == "span" && self.asked {
                        self.remark(Tone::Odd, "no message asks for it")?;
                    }
                }
                Bit::ToolResult(brought) => {
                    self.label(Tone::Service, "result")?;
                    let of = brought.name.as_deref().or(brought.id.as_deref()).unwrap_or("of a call not recorded");
                    self.block(Tone::Quiet, of, 1, WORDS)?;
                    self.brought(brought)?;
                }
                Bit::Media { kind, bytes, uri } => {
                    self.label(tone, role)?;
                    let size = bytes.map(|bytes| format!(", {}", ByteSize(bytes))).unwrap_or_default();
                    let place = uri.as_deref().map(|uri| format!(", {uri}")).unwrap_or_default();
                    self.block(Tone::Quiet, &format!("[{kind}{size}{place}]"), 2, WORDS)?;
                }
                Bit::Other { text } => {
                    self.label(tone, role)?;
                    self.block(Tone::Odd, text, TOLD, WORDS)?;
                }
            }
        }
        Ok(())
    }

    fn tool_call(&mut self, name: &str, arguments: &str, broken: bool) -> io::Result<()> {
        self.label(Tone::Service, "tool call")?;
        let name = if name.is_empty() { "(no name)" } else { name };
        let arguments = &spelled(arguments);
        let room = self.ink.page().width.saturating_sub(WORDS).max(16);
        let known = !arguments.trim().is_empty();
        let shown = match (known, self.ink.page().unicode) {
            (true, _) => compact(arguments),
            (false, true) => "…",
            (false, false) => "...",
        };
        let line = format!("{name}({shown})");
        if super::width(&super::clean(&line)) <= room && !line.contains('\n') {
            self.ink.put(Tone::Name, name)?;
            self.ink.say(line.get(name.len()..).unwrap_or_default())?;
            self.ink.line()?;
        } else {
            self.ink.put_fit(Tone::Name, name, room)?;
            self.ink.line()?;
            self.block(Tone::Plain, arguments, TOLD, WORDS + 2)?;
        }
        if !known {
            self.remark(Tone::Quiet, "arguments not recorded")?;
        }
        if broken {
            self.remark(Tone::Odd, "the arguments are not JSON")?;
        }
        Ok(())
    }

    fn brought(&mut self, brought: &Brought) -> io::Result<()> {
        let failed = brought.failed == Some(true);
        let took = brought.duration_ns.map(|took| format!("{} ", Nanos(took)));
        let (how, tone) = match (brought.cancelled, failed) {
            (true, _) => ("cancelled ", Tone::Cancelled),
            (_, true) => ("failed ", Tone::Error),
            _ => ("", Tone::Quiet),
        };
        self.ink.pad_to(WORDS)?;
        self.ink.put(tone, format_args!("→ {how}{}", took.as_deref().unwrap_or_default()))?;
        let result = brought.result.as_deref().map(result_text);
        let text = result.as_deref().unwrap_or("(nothing recorded)");
        let tone = if failed {
            Tone::Error
        } else if brought.result.is_none() {
            Tone::Quiet
        } else {
            Tone::Plain
        };
        self.block(tone, if text.is_empty() { "(empty)" } else { text }, TOLD, WORDS + 2)
    }

    /// Who speaks, at the beginning of a line.
    fn label(&mut self, tone: Tone, role: &str) -> io::Result<()> {
        self.ink.put_fit(tone, role, WORDS - 1)?;
        self.ink.pad_to(WORDS)
    }

    /// A text beside its label, wrapped; the rest of a long one only counted.
    fn block(&mut self, tone: Tone, text: &str, lines: usize, column: usize) -> io::Result<()> {
        let room = self.ink.page().width.saturating_sub(column).max(16);
        let first = room.saturating_sub(self.ink.column().saturating_sub(column));
        let Shown { lines, left_out } = shown(text, first, room, if self.full { usize::MAX } else { lines });
        for line in lines {
            if !line.is_empty() {
                self.ink.pad_to(column)?;
                self.ink.put(tone, line)?;
            }
            self.ink.line()?;
        }
        if left_out > 0 {
            let more = if self.ink.page().unicode { "…" } else { "..." };
            self.ink.pad_to(column)?;
            self.ink.put(Tone::Odd, format_args!("{more} {} more, --full shows all", ByteSize(left_out as u64)))?;
            self.ink.line()?;
        }
        Ok(())
    }

    fn remark(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        self.ink.pad_to(WORDS)?;
        self.block(tone, text, usize::MAX, WORDS)
    }

    fn remarks(&mut self, chat: &Chat) -> io::Result<()> {
        if let Some(how) = chat.how_to_capture {
            let of = counted(chat.calls.len(), "call");
            let text = format!("the content of {} of {of} was not captured: {how}", chat.without_content);
            self.ink.line()?;
            self.block(Tone::Odd, &text, usize::MAX, 0)?;
        }
        if chat.calls.is_empty() {
            let text = "no call to a model is here (tracectl stats --by role tells what is)";
            self.block(Tone::Quiet, text, usize::MAX, 0)?;
        }
        if chat.spans_left_out > 0 {
            let text = format!("{} more spans were not read: pick an agent or a call", chat.spans_left_out);
            self.block(Tone::Odd, &text, usize::MAX, 0)?;
        }
        Ok(())
    }
}

//! Messages out of lists: what speaks, and its parts.
//!
//! Comes in: JSON of one message, or of many. Goes out: messages, and what their items lack.

use serde_json::Value as Json;

use super::conversation::{Message, Part, Speaker};
use super::defect::Flaw;
use super::json::{Texts, member, of_any_text, text};
use super::part::{call, joined, part, parts, result};

/// More messages than this are counted, not read.
pub(super) const MOST: usize = 10_000;

/// Reads a list of messages; a single one is a list of one. Hands what is wrong with items to `flaw`.
pub(super) fn list(json: &Json, speaker: Speaker, flaw: &mut dyn FnMut(Flaw)) -> Vec<Message> {
    let Json::Array(items) = json else {
        flaw(Flaw::NotArray);
        return message(json, speaker).into_iter().collect();
    };
    // A list of parts is one message.
    if items.iter().all(is_part) && !items.is_empty() {
        flaw(Flaw::NoRole { item: 0 });
        return message(&serde_json::json!({ "parts": items }), speaker).into_iter().collect();
    }
    items.iter().take(MOST).enumerate().for_each(|(item, json)| check(item, json, flaw));
    if let Some(left_out) = items.len().checked_sub(MOST).filter(|left_out| *left_out > 0) {
        flaw(Flaw::TooMany { left_out });
    }
    items.iter().take(MOST).filter_map(|item| message(item, speaker)).collect()
}

/// Whether an item is a part rather than a message: a part has no role.
fn is_part(item: &Json) -> bool {
    let has = |names: &[&str]| member(item, names).is_some();
    let alone = matches!(part(item), Some(Part::Text(_) | Part::Media(_)));
    alone && has(&["type", "text"]) && !has(&["role", "parts", "kwargs", "message"])
}

/// What an item lacks.
fn check(item: usize, json: &Json, flaw: &mut dyn FnMut(Flaw)) {
    if !json.is_object() {
        return flaw(Flaw::NotObject { item });
    }
    if text(json, &["role"]).is_none() {
        flaw(Flaw::NoRole { item });
    }
    if member(json, &["parts"]).is_none_or(|parts| !parts.is_array()) {
        let old = member(json, &["content", "tool_calls", "parts"]).is_some();
        flaw(if old { Flaw::OldForm { item } } else { Flaw::NoParts { item } });
    }
}

/// Reads a message; `speaker` is whose it is where it does not say so itself.
pub(super) fn message(json: &Json, speaker: Speaker) -> Option<Message> {
    match json {
        Json::Null => None,
        Json::String(text) if text.is_empty() => None,
        Json::Object(_) => object(json, speaker),
        other => {
            let mut said = Message { speaker, ..Message::default() };
            parts(other, &mut said.parts);
            Some(said)
        }
    }
}

const FINISH: [&str; 4] = ["finish_reason", "finishReason", "stop_reason", "stopReason"];

fn object(json: &Json, speaker: Speaker) -> Option<Message> {
    let finish = text(json, &FINISH).map(str::to_owned);
    // A choice, or a framework's wrapping, around the message.
    if let Some(inner) = member(json, &["message", "kwargs"]) {
        let mut said = message(inner, speaker)?;
        said.finish = said.finish.or(finish);
        return Some(said);
    }
    if let Some(item) = response_item(json) {
        return Some(item);
    }
    let kind = text(json, &["type"]).filter(|kind| Speaker::of(kind) != Speaker::Other);
    let role = text(json, &["role"]).or(kind).unwrap_or_default();
    let speaker = if role.is_empty() { speaker } else { Speaker::of(role) };
    let name = text(json, &["name"]).map(str::to_owned);
    let mut said = Message { speaker, role: role.to_owned(), name, finish, ..Message::default() };
    if let Some(thought) = text(json, &["reasoning_content", "reasoning", "thinking"]) {
        said.parts.push(Part::Reasoning(thought.to_owned()));
    }
    content(json, &mut said);
    tool_calls(json, &mut said.parts);
    (!said.parts.is_empty() || !role.is_empty()).then_some(said)
}

/// Items of OpenAI's Responses that stand beside messages.
fn response_item(json: &Json) -> Option<Message> {
    let (speaker, part) = match (text(json, &["type"])?, text(json, &["role"])) {
        ("function_call" | "custom_tool_call" | "reasoning", None) => (Speaker::Assistant, part(json)?),
        ("function_call_output" | "custom_tool_call_output", None) => (Speaker::Tool, Part::Result(result(json))),
        _ => return None,
    };
    Some(Message { speaker, role: speaker.name().to_owned(), parts: vec![part], ..Message::default() })
}

fn content(json: &Json, said: &mut Message) {
    let content = member(json, &["parts", "content", "contents", "text", "refusal"]);
    let is_result = said.speaker == Speaker::Tool && member(json, &["parts"]).is_none();
    match content {
        // Letta's streaming adapters keep what was put together: text, reasoning and call apart.
        Some(put @ Json::Object(_)) if part(put).is_none() || member(put, &["tool_call", "reasoning"]).is_some() => {
            if let Some(thought) = member(put, &["reasoning"]) {
                said.parts.push(Part::Reasoning(joined(thought)));
            }
            member(put, &["content", "text"]).into_iter().for_each(|inner| parts(inner, &mut said.parts));
            said.parts.extend(member(put, &["tool_call"]).map(|inner| Part::Call(call(inner))));
        }
        Some(content) if is_result && !has_result(content) => {
            let brought = result(json);
            said.parts.push(Part::Result(super::ToolResult { result: joined(content), ..brought }));
        }
        Some(content) => parts(content, &mut said.parts),
        None => {}
    }
}

/// Whether content is made of results that have their own ids.
fn has_result(content: &Json) -> bool {
    let items = content.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().any(|item| matches!(part(item), Some(Part::Result(_))))
}

fn tool_calls(json: &Json, out: &mut Vec<Part>) {
    let listed = member(json, &["tool_calls", "toolCalls"]);
    let parsed = listed.and_then(Json::as_str).map(|text| of_any_text(text, Texts::Whole).json);
    let calls = parsed.as_ref().or(listed).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    for call_json in calls {
        let found = call(call_json);
        let known =
            out.iter().any(|part| matches!(part, Part::Call(other) if other.id.is_some() && other.id == found.id));
        if !known {
            out.push(Part::Call(found));
        }
    }
    if let Some(old) = member(json, &["function_call"]).filter(|old| old.is_object()) {
        out.push(Part::Call(call(old)));
    }
}

//! Requests to models and their answers as providers define them: OpenAI's two interfaces, Anthropic, Google, Bedrock, and what
//! frameworks make of them.
//!
//! Comes in: JSON of a whole request or answer. Goes out: messages, instructions and tools in the draft.

use serde_json::Value as Json;

use super::conversation::{Message, Speaker};
use super::draft::{Draft, Form};
use super::json::{Read, member, text};
use super::part::parts;

/// Reads a request, or whatever was given to a model.
pub(super) fn request(key: &str, read: &Read, draft: &mut Draft<'_>) {
    let json = inner(&read.json, &["inputs", "input_data", "request"]);
    let config = member(json, &["config", "generationConfig"]);
    let instructions = ["system", "instructions", "systemInstruction", "system_instruction"];
    if let Some(system) = member(json, &instructions).or_else(|| member(config?, &instructions)) {
        let mut said = Vec::new();
        parts(member(system, &["parts"]).unwrap_or(system), &mut said);
        draft.system(said);
    }
    if let Some(tools) = member(json, &["tools", "functions", "toolConfig"]).or_else(|| member(config?, &["tools"])) {
        draft.tools_of(member(tools, &["tools"]).unwrap_or(tools));
    }
    let asked = member(json, &["messages", "contents", "input", "prompt", "question", "query"]).unwrap_or(json);
    if draft.wants_input() && (asked.is_array() || asked.is_string() || is_message(asked)) {
        let found = list(key, asked, read, Speaker::User, draft);
        draft.input(found);
    } else {
        note(key, read, draft);
    }
}

/// Reads an answer.
pub(super) fn response(key: &str, read: &Read, draft: &mut Draft<'_>) {
    if !draft.wants_output() {
        return;
    }
    let json = inner(&read.json, &["outputs", "response"]);
    let answers = member(json, &["choices", "candidates", "generations", "output", "messages", "text", "result"]);
    let answers = if is_message(json) { json } else { answers.unwrap_or(json) };
    // Google wraps content and reason, LangChain lists of lists.
    let answers: Json = match answers {
        Json::Array(items) => items.iter().map(candidate).collect(),
        other => candidate(other),
    };
    if !(answers.is_array() || answers.is_string() || is_message(&answers)) {
        return note(key, read, draft);
    }
    let mut found = list(key, &answers, read, Speaker::Assistant, draft);
    // A framework answers with all it knows: what came before the last question is no answer.
    if member(json, &["messages"]).is_some() {
        let asked = found.iter().rposition(|message| message.speaker == Speaker::User);
        found.drain(..asked.map_or(0, |at| at + 1));
    }
    let reason = text(json, &["stop_reason", "finish_reason"]).map(str::to_owned);
    if let Some(last) = found.last_mut().filter(|last| last.finish.is_none()) {
        last.finish = reason;
    }
    draft.output(found);
}

/// What a wrapper wraps.
fn inner<'j>(json: &'j Json, names: &[&str]) -> &'j Json {
    member(json, names).filter(|inner| inner.is_object() || inner.is_array()).unwrap_or(json)
}

/// Whether this is one message rather than a request of another shape.
fn is_message(json: &Json) -> bool {
    member(json, &["role"]).is_some() && member(json, &["content", "parts", "tool_calls"]).is_some()
        || member(json, &["message", "kwargs", "parts"]).is_some_and(|inner| !inner.is_string())
}

fn candidate(json: &Json) -> Json {
    match json {
        Json::Array(items) => items.first().map(candidate).unwrap_or_default(),
        Json::Object(_) => match member(json, &["content"]).filter(|content| content.is_object()) {
            Some(content) if member(json, &["role"]).is_none() && member(content, &["parts"]).is_some() => {
                let mut said = content.clone();
                if let (Some(members), Some(reason)) =
                    (said.as_object_mut(), text(json, &["finishReason", "finish_reason"]))
                {
                    members.insert("finish_reason".to_owned(), reason.into());
                }
                said
            }
            _ => json.clone(),
        },
        other => other.clone(),
    }
}

fn list(key: &str, json: &Json, read: &Read, speaker: Speaker, draft: &mut Draft<'_>) -> Vec<Message> {
    draft.list(key, &Read { json: json.clone(), flaw: read.flaw.clone() }, speaker, Form::Free)
}

/// Keeps what is wrong with a value that held no messages.
fn note(key: &str, read: &Read, draft: &mut Draft<'_>) {
    read.flaw.iter().for_each(|flaw| draft.flaw(key, flaw.clone()));
}

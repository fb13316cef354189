//! The parts of a message: texts, reasoning, tool calls and their results, media.
//!
//! Comes in: JSON in the shapes of OpenTelemetry, OpenAI, Anthropic, Google, Bedrock, Vercel and OpenInference. Goes out: parts.
//! What is none of these is kept as JSON.

use serde_json::Value as Json;

use super::conversation::{Media, Part, ToolCall, ToolResult};
use super::json::{Texts, as_text, member, of_any_text, text};

/// Reads content: a text, a part, or a list of them.
pub(super) fn parts(json: &Json, out: &mut Vec<Part>) {
    match json {
        Json::Null => {}
        Json::String(text) if text.is_empty() => {}
        Json::String(text) => match embedded(text) {
            Some(list) => list.iter().for_each(|item| parts_of(item, out)),
            None => out.push(Part::Text(text.clone())),
        },
        Json::Array(items) => items.iter().for_each(|item| parts_of(item, out)),
        other => parts_of(other, out),
    }
}

/// A list of parts inside a text, as frameworks write it into flat attributes. Any other JSON is what somebody said.
fn embedded(text: &str) -> Option<Vec<Json>> {
    let trimmed = text.trim();
    if !(trimmed.starts_with("[{") && trimmed.ends_with("}]")) {
        return None;
    }
    let Json::Array(items) = of_any_text(trimmed, Texts::Whole).json else { return None };
    items.iter().all(|item| !matches!(part(item), None | Some(Part::Other(_)))).then_some(items)
}

fn parts_of(json: &Json, out: &mut Vec<Part>) {
    match json {
        Json::String(text) if !text.is_empty() => out.push(Part::Text(text.clone())),
        Json::Null | Json::String(_) => {}
        other => out.extend(part(other).or_else(|| Some(Part::Other(other.to_string())))),
    }
}

/// Reads one part; `None` where its shape is unknown.
pub(super) fn part(json: &Json) -> Option<Part> {
    if let Some(inner) = member(json, &["message_content"]) {
        return part(inner);
    }
    let kind = text(json, &["type"]).unwrap_or_default();
    match kind {
        "text" | "input_text" | "output_text" | "summary_text" => words(json),
        "refusal" => text(json, &["refusal", "content"]).map(|text| Part::Text(text.to_owned())),
        "reasoning" | "thinking" | "redacted_thinking" | "redacted_reasoning" => Some(reasoning(json)),
        "tool_call" | "tool_use" | "server_tool_use" | "mcp_tool_use" | "function_call" | "function" | "tool-call"
        | "custom_tool_call" | "tool_call_chunk" => Some(Part::Call(call(json))),
        "tool_call_response" | "tool_result" | "function_call_output" | "tool-result" => {
            Some(Part::Result(result(json)))
        }
        // What the provider executed itself: `web_search_tool_result`, `code_execution_tool_result` and the like.
        kind if kind.ends_with("_tool_result") => Some(Part::Result(result(json))),
        "image" | "image_url" | "input_image" | "input_audio" | "audio" | "video" | "file" | "input_file"
        | "document" | "media" | "blob" | "uri" => Some(Part::Media(media(kind, json))),
        _ => untyped(json),
    }
}

/// Parts that are told by their members: Google's and Bedrock's.
fn untyped(json: &Json) -> Option<Part> {
    if let Some(inner) = member(json, &["functionCall", "function_call", "toolUse"]) {
        return Some(Part::Call(call(inner)));
    }
    if let Some(inner) = member(json, &["functionResponse", "function_response", "toolResult"]) {
        return Some(Part::Result(result(inner)));
    }
    for (name, kind) in
        [("inlineData", ""), ("inline_data", ""), ("fileData", ""), ("file_data", ""), ("image", "image")]
    {
        if let Some(inner) = member(json, &[name]) {
            return Some(Part::Media(media(kind, inner)));
        }
    }
    if let Some(inner) = member(json, &["reasoningContent"]) {
        return Some(reasoning(member(inner, &["reasoningText"]).unwrap_or(inner)));
    }
    words(json)
}

fn words(json: &Json) -> Option<Part> {
    let said = text(json, &["text", "content"]).or_else(|| text(member(json, &["text"])?, &["value"]))?;
    let thought = member(json, &["thought"]).and_then(Json::as_bool).unwrap_or(false);
    Some(if thought { Part::Reasoning(said.to_owned()) } else { Part::Text(said.to_owned()) })
}

fn reasoning(json: &Json) -> Part {
    let said = text(json, &["content", "thinking", "text", "reasoning"]).map(str::to_owned);
    let summary = || member(json, &["summary", "content"]).map(joined);
    Part::Reasoning(said.or_else(summary).unwrap_or_default())
}

/// Reads a tool call.
pub(super) fn call(json: &Json) -> ToolCall {
    let json = member(json, &["tool_call"]).unwrap_or(json);
    let function = member(json, &["function"]).filter(|function| function.is_object()).unwrap_or(json);
    let names = ["name", "toolName", "tool_name", "function.name"];
    let name = text(function, &names).or_else(|| text(json, &names)).unwrap_or_default().to_owned();
    let ids = ["call_id", "id", "toolCallId", "tool_call_id", "toolUseId"];
    let id = text(json, &ids).or_else(|| text(function, &ids)).map(str::to_owned);
    let given = ["arguments", "input", "args", "parameters", "function.arguments"];
    let (arguments, values) = match member(function, &given).or_else(|| member(json, &given)) {
        None => (String::new(), None),
        // What a custom tool is given is free text, and a chunk is only a part.
        Some(Json::String(given)) => {
            let free = matches!(text(json, &["type"]), Some("custom_tool_call" | "tool_call_chunk"));
            let values = serde_json::from_str(given).ok();
            (given.clone(), values.or_else(|| free.then(|| Json::String(given.clone()))))
        }
        Some(values) => (values.to_string(), Some(values.clone())),
    };
    let hosted = text(json, &["type"]).is_some_and(|kind| kind == "server_tool_use" || kind == "mcp_tool_use");
    ToolCall { id, name, arguments, values, hosted }
}

/// Reads what a tool brought.
pub(super) fn result(json: &Json) -> ToolResult {
    let ids = ["tool_call_id", "tool_use_id", "call_id", "toolCallId", "toolUseId", "id"];
    let brought = member(json, &["response", "result", "output", "content"]);
    let status = text(json, &["status"]);
    let flag = member(json, &["is_error", "isError"]).and_then(Json::as_bool);
    ToolResult {
        id: text(json, &ids).map(str::to_owned),
        name: text(json, &["name", "toolName", "tool_name"]).map(str::to_owned),
        result: brought.map(joined).unwrap_or_default(),
        failed: flag.or_else(|| status.map(|status| status == "error").filter(|failed| *failed)),
    }
}

/// Content as one text: the texts of a list of parts, or JSON.
pub(super) fn joined(json: &Json) -> String {
    let Json::Array(items) = json else { return as_text(json).unwrap_or_default() };
    let texts: Option<Vec<String>> = items
        .iter()
        .map(|item| match part(item) {
            Some(Part::Text(text)) => Some(text),
            Some(Part::Media(media)) => Some(format!("[{}]", media.kind)),
            _ => item.as_str().map(str::to_owned),
        })
        .collect();
    texts.map_or_else(|| json.to_string(), |texts| texts.join("\n"))
}

fn media(kind: &str, json: &Json) -> Media {
    const INNER: [&str; 9] =
        ["source", "image_url", "image", "input_audio", "inline_data", "inlineData", "file_data", "fileData", "file"];
    let inner = member(json, &INNER).filter(|inner| inner.is_object()).unwrap_or(json);
    let types = ["mime_type", "mimeType", "media_type", "mediaType"];
    let kinds = ["modality", "format"];
    let link = text(inner, &["url", "uri", "file_uri", "fileUri", "image_url", "image", "file_id"]);
    let link = link.or_else(|| text(json, &["url", "uri", "image_url", "file_id"]));
    let encoded = link.and_then(|link| link.strip_prefix("data:"));
    let (told, data) = match encoded.and_then(|link| link.split_once(',')) {
        Some((head, data)) => (head.split(';').next(), Some(data)),
        None => (None, text(inner, &["data", "content", "bytes"]).or_else(|| text(json, &["data", "content"]))),
    };
    let known = text(inner, &types).or_else(|| text(json, &types)).or(told).or_else(|| text(json, &kinds));
    Media {
        kind: known.or(Some(kind).filter(|kind| !kind.is_empty())).unwrap_or("file").to_owned(),
        bytes: data.map(|data| (data.trim_end_matches('=').len() * 3 / 4) as u64),
        uri: link.filter(|_| encoded.is_none()).map(str::to_owned),
    }
}

//! Requests and answers of models that were recorded whole, as Letta does: the few members that are of interest.
//!
//! Comes in: what was gathered of a span. Goes out: model, tokens and reasons added to it. A payload of megabytes is not decoded:
//! its beginning and its end are looked at.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::act::{Act, Tokens};
use super::conventions::{Field, Piece};
use super::gather::{Gathered, count};
use super::provider::provider;
use super::scan::{member, path, plain};
use crate::otlp::{RawAttribute, RawValue, Text};

/// A payload up to this many bytes is decoded whole.
const MOST: usize = 1 << 18;
/// Of a longer one so many bytes of its beginning and its end are.
const END: usize = 1 << 14;

type Counter = fn(&mut Tokens) -> &mut Option<u64>;

/// Where providers put their counts in `usage`: OpenAI's two interfaces, Anthropic's, Google's.
const USAGE: [(&[&str], Counter); 21] = [
    (&["prompt_tokens"], |tokens| &mut tokens.input),
    (&["input_tokens"], |tokens| &mut tokens.input),
    (&["promptTokenCount"], |tokens| &mut tokens.input),
    (&["prompt_token_count"], |tokens| &mut tokens.input),
    (&["completion_tokens"], |tokens| &mut tokens.output),
    (&["output_tokens"], |tokens| &mut tokens.output),
    (&["candidatesTokenCount"], |tokens| &mut tokens.output),
    (&["candidates_token_count"], |tokens| &mut tokens.output),
    (&["prompt_tokens_details", "cached_tokens"], |tokens| &mut tokens.cache_read),
    (&["input_tokens_details", "cached_tokens"], |tokens| &mut tokens.cache_read),
    (&["cache_read_input_tokens"], |tokens| &mut tokens.cache_read),
    (&["cachedContentTokenCount"], |tokens| &mut tokens.cache_read),
    (&["cached_content_token_count"], |tokens| &mut tokens.cache_read),
    (&["cache_creation_input_tokens"], |tokens| &mut tokens.cache_write),
    (&["completion_tokens_details", "reasoning_tokens"], |tokens| &mut tokens.reasoning),
    (&["output_tokens_details", "reasoning_tokens"], |tokens| &mut tokens.reasoning),
    (&["thoughtsTokenCount"], |tokens| &mut tokens.reasoning),
    (&["thoughts_token_count"], |tokens| &mut tokens.reasoning),
    (&["total_tokens"], |tokens| &mut tokens.total),
    (&["totalTokenCount"], |tokens| &mut tokens.total),
    (&["total_token_count"], |tokens| &mut tokens.total),
];

const USAGES: [&str; 3] = ["usage", "usageMetadata", "usage_metadata"];
const REASONS: [&[&str]; 5] = [
    &["choices", "0", "finish_reason"],
    &["stop_reason"],
    &["candidates", "0", "finishReason"],
    &["candidates", "0", "finish_reason"],
    &["finish_reason"],
];

/// Adds what the payloads of a span say to what the span says itself.
pub(super) fn add<'a>(act: &mut Act<'a>, found: &Gathered<'a>) {
    if let Some(RawValue::Text(text)) = found.value(Field::Response) {
        response(act, text);
    }
    if let Some(RawValue::Text(text)) = found.value(Field::Request) {
        request(act, text);
    }
    if let Some(RawValue::Text(text)) = found.value(Field::Settings) {
        settings(act, &head(text));
    }
}

fn response(act: &mut Act<'_>, text: &Text<'_>) {
    let all = head(text);
    // A trace of a provider as Letta keeps it holds request and answer as members.
    let inner =
        ["response_json", "response"].iter().find_map(|key| member(&all, key).filter(|text| text.starts_with('{')));
    let answer = inner.unwrap_or(&all);
    name(&mut act.model_response, answer, "model");
    if act.finish_reasons.is_empty() {
        let reason = REASONS.iter().find_map(|way| path(answer, way).and_then(plain));
        act.finish_reasons = reason.map(|reason| vec![Cow::Owned(reason.into_owned())]).unwrap_or_default();
    }
    if act.piece == Some(Piece::Payloads) && !usage(&mut act.tokens, answer) && text.raw.len() > MOST {
        usage_at_end(&mut act.tokens, &tail(text));
    }
    if let Some(asked) = ["request_json", "request"].iter().find_map(|key| member(&all, key)) {
        request_of(act, asked);
    }
}

/// The counts of a `usage` object by itself.
pub(super) fn usage_of(usage: &str) -> Tokens {
    let mut tokens = Tokens::default();
    counts(&mut tokens, usage);
    tokens
}

fn usage(tokens: &mut Tokens, answer: &str) -> bool {
    let usage = USAGES.iter().find_map(|key| member(answer, key)).filter(|usage| usage.starts_with(['{', 'U', 'C']));
    usage.into_iter().for_each(|usage| counts(tokens, usage));
    usage.is_some()
}

/// The counts in the end of a long answer, whose beginning is not there: JSON, or as Python prints it.
fn usage_at_end(tokens: &mut Tokens, end: &str) {
    let spelled = |key: &&str| [format!("\"{key}\""), format!("'{key}'"), format!("{key}=")];
    for key in USAGES.iter().flat_map(spelled) {
        let rest = end.rfind(&key).and_then(|at| end.get(at + key.len()..)).unwrap_or_default();
        let found = usage_of(rest.trim_start().trim_start_matches(':'));
        if found != Tokens::default() {
            *tokens = found;
            return;
        }
    }
}

/// Adds what stands there to what is not known yet. Anthropic counts what the cache holds beside the prompt, and Google what the
/// model thinks beside its answer; both belong to it.
fn counts(tokens: &mut Tokens, usage: &str) {
    let fresh = tokens.input.is_none() && tokens.output.is_none();
    for (way, slot) in USAGE {
        let slot = slot(tokens);
        if slot.is_none() {
            *slot = path(usage, way).and_then(count);
        }
    }
    let beside = |key: &str| member(usage, key).and_then(count);
    let cached = ["cache_read_input_tokens", "cache_creation_input_tokens"].map(beside);
    if let (true, Some(input)) = (fresh, &mut tokens.input) {
        *input = cached.into_iter().flatten().fold(*input, u64::saturating_add);
    }
    let thought = ["thoughtsTokenCount", "thoughts_token_count"].into_iter().find_map(beside);
    if let (true, Some(thought), Some(output)) = (fresh, thought, &mut tokens.output) {
        *output = output.saturating_add(thought);
    }
}

fn request(act: &mut Act<'_>, text: &Text<'_>) {
    request_of(act, &head(text));
    // Definitions of tools stand at the end: their name alone is looked for.
    let offered = |key: &[u8]| memchr::memmem::find(text.raw, key).is_some();
    act.definitions |= offered(br#""tools": ["#) || offered(br#"\"tools\": ["#) || offered(b"'tools': [");
}

fn request_of(act: &mut Act<'_>, request: &str) {
    name(&mut act.model_request, request, "model");
    let count = |key: &str| member(request, key).and_then(count);
    act.max_tokens = act.max_tokens.or_else(|| ["max_tokens", "max_completion_tokens"].into_iter().find_map(count));
    if act.streaming.is_none() {
        act.streaming = match member(request, "stream") {
            Some("true" | "True") => Some(true),
            Some("false" | "False") => Some(false),
            _ => None,
        };
    }
}

fn settings(act: &mut Act<'_>, settings: &str) {
    for key in ["model", "embedding_model"] {
        name(&mut act.model_request, settings, key);
    }
    if act.provider.is_empty() {
        for key in ["model_endpoint_type", "embedding_endpoint_type"] {
            name(&mut act.provider, settings, key);
        }
        act.provider = provider(std::mem::take(&mut act.provider));
    }
    let count = |key: &str| member(settings, key).and_then(count);
    act.context_window = act.context_window.or_else(|| count("context_window"));
    act.max_tokens = act.max_tokens.or_else(|| count("max_tokens"));
}

fn name(slot: &mut Cow<'_, str>, text: &str, key: &str) {
    if slot.is_empty() {
        *slot = member(text, key).and_then(plain).map(|name| Cow::Owned(name.into_owned())).unwrap_or_default();
    }
}

/// The text, or the beginning of a long one.
fn head<'a>(text: &Text<'a>) -> Cow<'a, str> {
    let raw = if text.raw.len() > MOST { text.raw.get(..END).unwrap_or_default() } else { text.raw };
    Text::json(raw, text.escaped).decode()
}

/// The end of a long text.
fn tail<'a>(text: &Text<'a>) -> Cow<'a, str> {
    let raw = text.raw.get(text.raw.len().saturating_sub(END)..).unwrap_or_default();
    Text::json(raw, text.escaped).decode()
}

/// Attributes as a JSON object.
pub(super) fn object(attributes: &[RawAttribute<'_>]) -> String {
    let members = attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            RawValue::Text(text) => Json::String(text.decode().into_owned()),
            RawValue::Bool(value) => Json::Bool(*value),
            RawValue::Int(value) => Json::from(*value),
            RawValue::Double(value) => Json::from(*value),
            other => Json::String(other.decode().to_string()),
        };
        (attribute.key.decode().into_owned(), value)
    });
    Json::Object(members.collect::<Map<_, _>>()).to_string()
}

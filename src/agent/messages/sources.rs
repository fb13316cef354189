//! Where the conventions keep messages, and which of them is believed first.
//!
//! Comes in: a span in place. Goes out: its conversation. Langfuse is asked first, then OpenTelemetry's current form, its older
//! ones, OpenInference, OpenLLMetry, Sentry, Vercel and Letta; each adds only what is still missing.

use std::borrow::Borrow;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value as Json};

use super::conversation::{Conversation, Message, Outline, Part, Speaker};
use super::defect::Flaw;
use super::draft::{Draft, Form};
use super::json::{Read, Texts, of_any, of_value};
use super::tools::{Offer, Offers, definitions};
use super::{indexed, item, payload};
use crate::agent::Role;
use crate::otlp::{RawAttribute, RawSpan, RawValue};

/// What keys and events of conversations begin with.
const KEYS: [&[u8]; 13] = [
    b"gen_ai.",
    b"llm.",
    b"input.value",
    b"output.value",
    b"ai.",
    b"langfuse.observation.",
    b"traceloop.entity.",
    b"request_data",
    b"response_data",
    b"parameter.request_data",
    b"parameter.provider_trace",
    b"gcp.vertex.agent.llm_",
    b"llm_",
];

/// Reads the messages of a span with this role; `None` where it records none.
pub fn messages(span: &RawSpan<'_>, role: Option<Role>) -> Option<Conversation> {
    read(span, role, Draft::default())?.done()
}

/// Reads the outline of the messages of a span with this role; `None` where it records none. `offers` are kept from span to span.
pub fn outline(span: &RawSpan<'_>, role: Option<Role>, offers: &mut Offers) -> Option<Outline> {
    read(span, role, Draft::outline(offers))?.outlined()
}

/// Whether a span records what a model answered, in whatever words; nothing of it is read.
pub fn records_answer(span: &RawSpan<'_>) -> bool {
    const ANSWERS: [&[u8]; 15] = [
        b"gen_ai.output.messages",
        b"gen_ai.response.text",
        b"gen_ai.response.tool_calls",
        b"gen_ai.completion",
        b"llm.output_messages.",
        b"output.value",
        b"ai.response.text",
        b"ai.response.object",
        b"ai.response.toolCalls",
        b"ai.result.",
        b"langfuse.observation.output",
        b"traceloop.entity.output",
        b"response_data",
        b"parameter.provider_trace",
        b"gcp.vertex.agent.llm_response",
    ];
    const EVENTS: [&[u8]; 4] = [
        b"gen_ai.choice",
        b"gen_ai.content.completion",
        b"gen_ai.client.inference.operation.details",
        b"llm_response_received",
    ];
    let says = |value: &RawValue<'_>| !value.text().is_some_and(|text| text.is_empty());
    span.attributes().iter().any(|a| ANSWERS.iter().any(|key| a.key.raw.starts_with(key)) && says(&a.value))
        || span.events.iter().any(|event| EVENTS.contains(&event.name.raw) && !event.attributes.is_empty())
}

fn read<'o>(span: &RawSpan<'_>, role: Option<Role>, mut draft: Draft<'o>) -> Option<Draft<'o>> {
    let told = |name: &[u8]| KEYS.iter().any(|key| name.starts_with(key));
    let any = span.attributes().iter().any(|attribute| told(attribute.key.raw))
        || span.events.iter().any(|event| told(event.name.raw));
    if !any {
        return None;
    }
    // What a tool or a search was given is no message to a model.
    let talks = matches!(role, Some(Role::Llm | Role::Agent | Role::Workflow | Role::Step));
    if talks {
        plain(span, ["langfuse.observation.input", "langfuse.observation.output"], &mut draft);
    }
    current(&|key| span.attribute(key), &mut draft);
    details(span, &mut draft);
    events(span, &mut draft);
    flattened(span, ["gen_ai.prompt.", "gen_ai.completion.", "llm.request.functions."], &mut draft);
    flattened(span, ["llm.input_messages.", "llm.output_messages.", "llm.tools."], &mut draft);
    if role == Some(Role::Llm) || role.is_none() {
        plain(span, ["gen_ai.prompt", "gen_ai.completion"], &mut draft);
    }
    sentry(span, &mut draft);
    vercel(span, &mut draft);
    if role == Some(Role::Llm) {
        plain(span, ["gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"], &mut draft);
    }
    if talks {
        plain(span, ["input.value", "output.value"], &mut draft);
        plain(span, ["traceloop.entity.input", "traceloop.entity.output"], &mut draft);
    }
    letta(span, &mut draft);
    Some(draft)
}

/// OpenTelemetry from 1.37 on: attributes of the span, or of an event.
fn current<'r, 'a: 'r>(value: &dyn Fn(&str) -> Option<&'r RawValue<'a>>, draft: &mut Draft<'_>) {
    const SYSTEM: &str = "gen_ai.system_instructions";
    if let Some(system) = value(SYSTEM) {
        let read = of_value(system, draft.texts());
        read.flaw.iter().for_each(|flaw| draft.flaw(SYSTEM, flaw.clone()));
        if read.flaw.is_none() && !read.json.is_array() {
            draft.flaw(SYSTEM, Flaw::NotArray);
        }
        let mut said: Vec<Part> = Vec::new();
        super::part::parts(&read.json, &mut said);
        draft.system(said);
    }
    for (key, speaker) in [("gen_ai.input.messages", Speaker::User), ("gen_ai.output.messages", Speaker::Assistant)] {
        let asked = speaker == Speaker::User;
        let Some(value) = value(key).filter(|_| if asked { draft.wants_input() } else { draft.wants_output() }) else {
            continue;
        };
        let read = of_value(value, draft.texts());
        let found = draft.list(key, &read, speaker, Form::Strict);
        if asked { draft.input(found) } else { draft.output(found) }
    }
    const TOOLS: &str = "gen_ai.tool.definitions";
    if let Some(tools) = value(TOOLS) {
        draft.offer(TOOLS, print(std::iter::once(tools)), || {
            let Read { json, flaw } = of_value(tools, Texts::Whole);
            let flaw = flaw.or_else(|| (!json.is_array()).then_some(Flaw::NotArray));
            Offer { tools: definitions(&json), flaw }
        });
    }
}

/// The same as an event.
fn details(span: &RawSpan<'_>, draft: &mut Draft<'_>) {
    for event in span.events.iter().filter(|event| event.name.is("gen_ai.client.inference.operation.details")) {
        let attributes = span.pooled(&event.attributes);
        current(&|key| last(attributes, key), draft);
    }
}

fn last<'r, 'a>(attributes: &'r [RawAttribute<'a>], key: &str) -> Option<&'r RawValue<'a>> {
    attributes.iter().rev().find(|attribute| attribute.key.is(key)).map(|attribute| &attribute.value)
}

/// OpenTelemetry 1.28 to 1.36: one event a message; before that one for all that was asked and one for the answer.
fn events(span: &RawSpan<'_>, draft: &mut Draft<'_>) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for event in &span.events {
        let name = event.name.decode();
        let (speaker, to) = match name.as_ref() {
            "gen_ai.system.message" => (Speaker::System, &mut input),
            "gen_ai.user.message" | "gen_ai.content.prompt" => (Speaker::User, &mut input),
            "gen_ai.assistant.message" => (Speaker::Assistant, &mut input),
            "gen_ai.tool.message" => (Speaker::Tool, &mut input),
            "gen_ai.choice" | "gen_ai.content.completion" => (Speaker::Assistant, &mut output),
            _ => continue,
        };
        let body = body(span.pooled(&event.attributes), draft.texts());
        match &body {
            Json::Array(_) => to.extend(item::list(&body, speaker, &mut |_| ())),
            body => to.extend(item::message(body, speaker).filter(|said| !said.parts.is_empty())),
        }
    }
    draft.check_calls("gen_ai.assistant.message", &input);
    draft.check_calls("gen_ai.choice", &output);
    draft.input(input);
    draft.output(output);
}

/// What an event says, as one JSON object; the older events hold all in one attribute.
fn body(attributes: &[RawAttribute<'_>], texts: Texts) -> Json {
    let whole = ["gen_ai.event.content", "gen_ai.prompt", "gen_ai.completion"];
    if let Some(whole) = whole.iter().find_map(|key| last(attributes, key)) {
        return of_any(whole, texts).json;
    }
    let member = |attribute: &RawAttribute<'_>| {
        let key = attribute.key.decode().into_owned();
        let structured = matches!(key.as_str(), "tool_calls" | "message");
        let json = match &attribute.value {
            RawValue::Text(text) if !structured => Json::String(text.decode().into_owned()),
            value => of_any(value, texts).json,
        };
        (key, json)
    };
    Json::Object(attributes.iter().map(member).collect::<Map<_, _>>())
}

/// Lists flattened into attributes: messages in, messages out, tools.
fn flattened(span: &RawSpan<'_>, [input, output, tools]: [&str; 3], draft: &mut Draft<'_>) {
    for (prefix, speaker) in [(input, Speaker::User), (output, Speaker::Assistant)] {
        let asked = speaker == Speaker::User;
        if !(if asked { draft.wants_input() } else { draft.wants_output() }) {
            continue;
        }
        let Some(json) = indexed::list(span.attributes(), prefix, draft.texts()) else { continue };
        let key = prefix.trim_end_matches('.');
        let found: Vec<Message> = draft.list(key, &Read { json, flaw: None }, speaker, Form::Free);
        let found = found.into_iter().filter(|said| !said.parts.is_empty()).collect();
        if asked { draft.input(found) } else { draft.output(found) }
    }
    let written = || span.attributes().iter().filter(|attribute| attribute.key.raw.starts_with(tools.as_bytes()));
    if written().next().is_some() {
        let both = written().flat_map(|attribute| [RawValue::Text(attribute.key), attribute.value]);
        draft.offer(tools, print(both), || {
            let json = indexed::list(span.attributes(), tools, Texts::Whole).unwrap_or_default();
            Offer { tools: definitions(&json), flaw: None }
        });
    }
}

/// A fingerprint of values as they lie there.
fn print<'a, V: Borrow<RawValue<'a>>>(values: impl Iterator<Item = V>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for value in values {
        match value.borrow() {
            RawValue::Text(text) => (text.escaped, text.raw).hash(&mut hasher),
            RawValue::Nested(nested) => (nested.map, nested.raw).hash(&mut hasher),
            other => other.decode().to_string().hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// One attribute with all that was asked and one with the answer: text, messages, or a whole request.
fn plain(span: &RawSpan<'_>, [input, output]: [&str; 2], draft: &mut Draft<'_>) {
    if let Some(value) = span.attribute(input).filter(|_| draft.wants_input() || draft.wants_tools()) {
        payload::request(input, &of_any(value, draft.texts()), draft);
    }
    if let Some(value) = span.attribute(output).filter(|_| draft.wants_output()) {
        payload::response(output, &of_any(value, draft.texts()), draft);
    }
}

/// Sentry's agent monitoring: requests as a list, answers as texts and tool calls apart.
fn sentry(span: &RawSpan<'_>, draft: &mut Draft<'_>) {
    const TOOLS: &str = "gen_ai.request.available_tools";
    const CALLS: &str = "gen_ai.response.tool_calls";
    const ASKED: &str = "gen_ai.request.messages";
    let texts = draft.texts();
    if let Some(asked) = span.attribute(ASKED).filter(|_| draft.wants_input()) {
        payload::request(ASKED, &of_any(asked, texts), draft);
    }
    if let Some(tools) = span.attribute(TOOLS) {
        draft.offer(TOOLS, print(std::iter::once(tools)), || {
            let Read { json, flaw } = of_any(tools, Texts::Whole);
            Offer { tools: definitions(&json), flaw }
        });
    }
    let said = |name: &str, key: &str| Some((name.to_owned(), of_any(span.attribute(key)?, texts).json));
    let said = [said("content", "gen_ai.response.text"), said("tool_calls", CALLS)].into_iter().flatten();
    if draft.wants_output() {
        let found: Vec<Message> =
            item::message(&Json::Object(said.collect()), Speaker::Assistant).into_iter().collect();
        draft.check_calls(CALLS, &found);
        draft.output(found);
    }
}

/// Vercel's AI SDK.
fn vercel(span: &RawSpan<'_>, draft: &mut Draft<'_>) {
    for key in ["ai.prompt.messages", "ai.prompt"] {
        let value = span.attribute(key).filter(|_| draft.wants_input());
        value.into_iter().for_each(|value| payload::request(key, &of_any(value, draft.texts()), draft));
    }
    if let Some(value) = span.attribute("ai.prompt.tools") {
        draft.offer("ai.prompt.tools", print(std::iter::once(value)), || {
            let Read { json, flaw } = of_any(value, Texts::Whole);
            Offer { tools: definitions(&json), flaw }
        });
    }
    let texts = draft.texts();
    let answer =
        |names: [&str; 2]| names.iter().find_map(|name| span.attribute(name)).map(|value| of_any(value, texts).json);
    let text = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| span.attribute(name)?.text());
        value.map(|text| Json::String(text.decode().into_owned()))
    };
    let said = [
        ("reasoning_content", text(["ai.response.reasoning", "ai.result.reasoning"])),
        (
            "content",
            text(["ai.response.text", "ai.result.text"]).or_else(|| text(["ai.response.object", "ai.result.object"])),
        ),
        ("tool_calls", answer(["ai.response.toolCalls", "ai.result.toolCalls"])),
        ("finish_reason", text(["ai.response.finishReason", "ai.finishReason"])),
    ];
    let said: Map<String, Json> = said.into_iter().filter_map(|(name, json)| Some((name.to_owned(), json?))).collect();
    let found: Vec<Message> = item::message(&Json::Object(said), Speaker::Assistant).into_iter().collect();
    draft.check_calls("ai.response.toolCalls", &found);
    draft.output(found);
}

/// Letta: whole requests and answers, as JSON, as Python prints them, or one member an attribute of an event.
fn letta(span: &RawSpan<'_>, draft: &mut Draft<'_>) {
    for (input, output) in [("request_data", "response_data"), ("parameter.request_data", "parameter.response_data")] {
        plain(span, [input, output], draft);
    }
    const TRACE: &str = "parameter.provider_trace";
    let texts = draft.texts();
    if let Some(Read { json, flaw }) = span.attribute(TRACE).map(|value| of_any(value, texts)) {
        let part = |name: &str| {
            super::json::member(&json, &[name]).map(|part| Read { json: part.clone(), flaw: flaw.clone() })
        };
        part("request_json").into_iter().for_each(|read| payload::request(TRACE, &read, draft));
        part("response_json").into_iter().for_each(|read| payload::response(TRACE, &read, draft));
    }
    for event in &span.events {
        let read = |attributes: &[RawAttribute<'_>]| {
            let member = |a: &RawAttribute<'_>| (a.key.decode().into_owned(), of_any(&a.value, texts).json);
            Read { json: Json::Object(attributes.iter().map(member).collect::<Map<_, _>>()), flaw: None }
        };
        match event.name.raw {
            b"llm_request_sent" => payload::request("llm_request_sent", &read(span.pooled(&event.attributes)), draft),
            b"llm_response_received" => {
                payload::response("llm_response_received", &read(span.pooled(&event.attributes)), draft);
            }
            _ => {}
        }
    }
}

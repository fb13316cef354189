//! What one span says about a step of an agent's run, in neutral words, whatever convention it was written in.
//!
//! Comes in: a span in place and its role. Goes out: names, counts and texts, borrowed where they can be. It never looks at
//! another span.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use hashbrown::DefaultHashBuilder;

use super::conventions::{Convention, Field, Piece, is_client, piece, request_of_agent};
use super::details;
use super::gather::{Gathered, gather};
use super::outcome::is_failure;
use super::payload;
use super::provider::provider;
use super::role::Role;
use super::told::{Told, told};
use crate::otlp::{RawSpan, RawValue};

/// Tokens as a span reports them; `None` is "not said", never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the prompt, those from and for the cache among them.
    pub input: Option<u64>,
    /// Of the answer.
    pub output: Option<u64>,
    /// Of the prompt, read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Of the prompt, written into the provider's cache.
    pub cache_write: Option<u64>,
    /// Of the answer, spent on reasoning.
    pub reasoning: Option<u64>,
    /// All together, where the span says so.
    pub total: Option<u64>,
}

/// A call to a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool<'a> {
    /// Its name; empty where nothing says it.
    pub name: Cow<'a, str>,
    /// The id of the call that the model asked for; empty where nothing says it.
    pub call_id: Cow<'a, str>,
    /// What it was given, as recorded: JSON, or a value as Python prints it (see [`python_json`](super::python_json)).
    pub arguments: Option<Cow<'a, str>>,
    /// What it brought, as recorded.
    pub result: Option<Cow<'a, str>>,
    /// Whether it failed, where the record itself says so; the span's status is another matter.
    pub failed: Option<bool>,
    /// What it says of its failure; empty where it says nothing.
    pub error: Cow<'a, str>,
}

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent<'a> {
    /// Its id; empty where nothing says it.
    pub id: Cow<'a, str>,
    /// Its name; empty where nothing says it.
    pub name: Cow<'a, str>,
}

/// What one span says. Names are empty where nothing says them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Act<'a> {
    /// What the span does.
    pub role: Option<Role>,
    /// A span of Letta's that holds a piece of a call that another span is.
    pub piece: Option<Piece>,
    /// Whose names it uses.
    pub convention: Convention,
    /// The provider of the model, as OpenTelemetry lists it.
    pub provider: Cow<'a, str>,
    /// The model that was asked for.
    pub model_request: Cow<'a, str>,
    /// The model that answered.
    pub model_response: Cow<'a, str>,
    /// Tokens it reports.
    pub tokens: Tokens,
    /// US dollars, where the span itself says what it cost.
    pub cost: Option<f64>,
    /// The tool it calls, for a span that calls one.
    pub tool: Option<Tool<'a>>,
    /// The conversation or session.
    pub conversation: Cow<'a, str>,
    /// The run.
    pub run: Cow<'a, str>,
    /// The step of the run.
    pub step: Cow<'a, str>,
    /// The agent.
    pub agent: Agent<'a>,
    /// What went wrong, as a type; from the exception where there is no `error.type`.
    pub error_type: Cow<'a, str>,
    /// Whether it failed, where the record itself says so; the span's status is another matter.
    pub failed: Option<bool>,
    /// What the record itself says of its failure.
    pub error: Cow<'a, str>,
    /// A fingerprint of what a model was given; equal where two calls of one dump were given the same.
    pub given: Option<u64>,
    /// Nanoseconds to the first token.
    pub first_token: Option<u64>,
    /// The answer came in parts.
    pub streaming: Option<bool>,
    /// Why the model stopped, an entry a choice.
    pub finish_reasons: Vec<Cow<'a, str>>,
    /// Why the run or step stopped.
    pub stop_reason: Cow<'a, str>,
    /// How many tokens the model can take.
    pub context_window: Option<u64>,
    /// How many tokens the model was allowed to answer.
    pub max_tokens: Option<u64>,
    /// It records which tools the model was offered.
    pub definitions: bool,
    /// It was asked for in a tier of service that costs what batches cost.
    pub batch: bool,
}

impl Act<'_> {
    /// The model that answered, or the one that was asked for.
    pub fn model(&self) -> &str {
        if self.model_response.is_empty() { &self.model_request } else { &self.model_response }
    }
}

/// Whether a span says anything about a run of an agent: the cheap question before [`act`].
#[inline]
pub fn has_act(span: &RawSpan<'_>, role: Option<Role>) -> bool {
    match role {
        Some(Role::Http | Role::Db | Role::Messaging | Role::Rpc) => request_of_agent(span.name.raw),
        Some(_) => true,
        None => piece(span.name.raw).is_some(),
    }
}

/// Reads a span; `None` where it says nothing about a run.
pub fn act<'a>(span: &RawSpan<'a>, role: Option<Role>) -> Option<Act<'a>> {
    has_act(span, role).then(|| read(span, role))
}

fn read<'a>(span: &RawSpan<'a>, role: Option<Role>) -> Act<'a> {
    let found = gather(span);
    let piece = piece(span.name.raw).filter(|_| role.is_none());
    let told = told(span);
    let level = found.name(Field::Level);
    let failed = told.failed.or(level.eq_ignore_ascii_case("error").then_some(true));
    let mut act = Act {
        role,
        piece,
        convention: convention(&found, span, role, piece),
        provider: provider(found.name(Field::Provider)),
        model_request: found.name(Field::ModelRequest),
        model_response: found.name(Field::ModelResponse),
        tokens: tokens(&found),
        cost: cost(&found),
        tool: is_tool(role, piece, &found).then(|| tool(span, &found, &told, failed)),
        conversation: found.name(Field::Conversation),
        run: found.name(Field::Run),
        step: found.name(Field::Step),
        agent: agent(span, &found, role),
        error_type: found.name(Field::ErrorType),
        failed,
        error: if failed == Some(true) { found.name(Field::ErrorText) } else { Cow::default() },
        given: if role == Some(Role::Llm) { given(span) } else { None },
        first_token: found.wait(Field::FirstToken, span.start).or(told.first_token),
        streaming: streaming(span, &found, role, &told),
        finish_reasons: found.list(Field::Finish),
        stop_reason: found.name(Field::StopReason),
        context_window: found.count(Field::ContextWindow),
        max_tokens: found.count(Field::MaxTokens),
        definitions: found.has(Field::Definitions),
        batch: matches!(&*found.name(Field::Tier), "batch" | "flex"),
    };
    act.failed = act.tool.as_ref().map_or(act.failed, |tool| tool.failed);
    if act.error_type.is_empty() {
        act.error_type = told.error_type;
    }
    if act.stop_reason.is_empty() {
        act.stop_reason = told.stop_reason;
    }
    if act.model_request.is_empty() {
        act.model_request = told.model;
    }
    if matches!(role, Some(Role::Llm | Role::Embedding)) || piece == Some(Piece::Payloads) {
        payload::add(&mut act, &found);
    }
    act
}

/// Whether a span calls a tool. Of the methods of the Model Context Protocol only one does, and names it.
fn is_tool(role: Option<Role>, piece: Option<Piece>, found: &Gathered<'_>) -> bool {
    match role {
        Some(Role::Mcp) => !found.name(Field::ToolName).is_empty(),
        role => role == Some(Role::Tool) || piece == Some(Piece::InnerTool),
    }
}

fn tokens(found: &Gathered<'_>) -> Tokens {
    let details = found.text(Field::UsageDetails).map(|text| details::usage(&text)).unwrap_or_default();
    Tokens {
        input: details.input.or_else(|| found.count(Field::Input)),
        output: details.output.or_else(|| found.count(Field::Output)),
        cache_read: details.cache_read.or_else(|| found.count(Field::CacheRead)),
        cache_write: details.cache_write.or_else(|| found.count(Field::CacheWrite)),
        reasoning: details.reasoning.or_else(|| found.count(Field::Reasoning)),
        total: details.total.or_else(|| found.count(Field::Total)),
    }
}

/// What it cost: the total, or prompt and answer together.
fn cost(found: &Gathered<'_>) -> Option<f64> {
    let details = found.text(Field::CostDetails).and_then(|text| details::cost(&text));
    let parts = || match (found.amount(Field::CostInput), found.amount(Field::CostOutput)) {
        (Some(input), Some(output)) => Some(input + output),
        // One part is all of it only where there is no other.
        (Some(all), None) => Some(all).filter(|_| found.count(Field::Output).unwrap_or(0) == 0),
        (None, Some(all)) => Some(all).filter(|_| found.count(Field::Input).unwrap_or(0) == 0),
        (None, None) => None,
    };
    details.or_else(|| found.amount(Field::Cost)).or_else(parts)
}

/// What keys of everything that a model is given begin with.
const GIVEN: [&[u8]; 10] = [
    b"gen_ai.input.messages",
    b"gen_ai.prompt",
    b"gen_ai.system_instructions",
    b"llm.input_messages.",
    b"input.value",
    b"traceloop.entity.input",
    b"langfuse.observation.input",
    b"ai.prompt",
    b"request_data",
    b"parameter.request_data",
];

/// A fingerprint of what a model was given. It is of the bytes as they are recorded, whose order does not matter.
fn given(span: &RawSpan<'_>) -> Option<u64> {
    static HASHER: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);
    let wanted = |key: &[u8]| GIVEN.iter().any(|start| key.starts_with(start));
    let bytes = span.attributes().iter().filter(|attribute| wanted(attribute.key.raw)).filter_map(|attribute| {
        let bytes = match &attribute.value {
            RawValue::Text(text) => text.raw,
            RawValue::Nested(nested) => nested.raw,
            _ => return None,
        };
        Some((attribute.key.raw, bytes))
    });
    bytes.map(|bytes| HASHER.hash_one(bytes)).reduce(u64::wrapping_add)
}

/// The convention that a key proves, or else the span's name.
fn convention(found: &Gathered<'_>, span: &RawSpan<'_>, role: Option<Role>, piece: Option<Piece>) -> Convention {
    let letta =
        || piece.is_some() || is_client(span.name.raw) || request_of_agent(span.name.raw) || role == Some(Role::Step);
    match found.convention {
        Some(convention) => convention,
        None if letta() || span.name.raw.starts_with(b"LettaAgent") => Convention::Letta,
        None => Convention::Other,
    }
}

fn tool<'a>(span: &RawSpan<'a>, found: &Gathered<'a>, told: &Told<'a>, failed: Option<bool>) -> Tool<'a> {
    let name = found.name(Field::ToolName);
    // An agent of Letta's writes the name into its events, the tool of another convention into the name of the span.
    let name = [name, told.tool.clone()].into_iter().find(|name| !name.is_empty());
    let result = found.text(Field::Result).or_else(|| told.result.clone());
    // What it brought says more than whoever called it and got an answer.
    let failed = if result.as_deref().is_some_and(is_failure) { Some(true) } else { failed };
    let says = [told.error.clone(), found.name(Field::ErrorText)].into_iter().find(|error| !error.is_empty());
    let error = match (says, &result) {
        (Some(error), _) => error,
        (None, Some(result)) if failed == Some(true) => result.clone(),
        _ => span.message.decode(),
    };
    Tool {
        name: name.unwrap_or_else(|| name_in_title(span)),
        call_id: found.name(Field::CallId),
        arguments: found.text(Field::Arguments).or_else(|| told.arguments.clone()),
        result,
        failed,
        error: if failed == Some(true) || span.status == 2 { error } else { Cow::default() },
    }
}

/// The tool's name in a span's: `execute_tool NAME`, `NAME.tool`, or the whole.
fn name_in_title<'a>(span: &RawSpan<'a>) -> Cow<'a, str> {
    fn name(title: &str) -> &str {
        let title = title.strip_prefix("execute_tool ").unwrap_or(title);
        title.strip_suffix(".tool").unwrap_or(title)
    }
    part(span, name)
}

/// A part of a span's name.
fn part<'a>(span: &RawSpan<'a>, of: fn(&str) -> &str) -> Cow<'a, str> {
    match span.name.decode() {
        Cow::Borrowed(title) => Cow::Borrowed(of(title)),
        Cow::Owned(title) => Cow::Owned(of(&title).to_owned()),
    }
}

/// The agent; Letta's own class where nothing else names one.
fn agent<'a>(span: &RawSpan<'a>, found: &Gathered<'a>, role: Option<Role>) -> Agent<'a> {
    let mut name = found.name(Field::AgentName);
    // OpenLLMetry has one key for the names of agents and of tools.
    if found.convention == Some(Convention::OpenLlmetry) && matches!(role, Some(Role::Agent | Role::Workflow)) {
        name = [found.name(Field::ToolName), name].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    }
    if name.is_empty() && role == Some(Role::Agent) {
        name = part(span, class_of);
    }
    Agent { id: found.name(Field::AgentId), name }
}

fn class_of(title: &str) -> &str {
    let title = title.strip_prefix("invoke_agent ").unwrap_or(title);
    let class = title.split_once('.').map(|(class, _)| class);
    class.filter(|class| class.starts_with("LettaAgent")).unwrap_or(title)
}

fn streaming(span: &RawSpan<'_>, found: &Gathered<'_>, role: Option<Role>, told: &Told<'_>) -> Option<bool> {
    let name = span.name.raw;
    let by_name = || match role? {
        Role::Llm if is_client(name) => Some(name.ends_with(b".stream") || name.ends_with(b".stream_async")),
        Role::Agent if name.starts_with(b"LettaAgent") => Some(name.ends_with(b".stream")),
        _ => None,
    };
    let seen = (found.streams || told.first_token.is_some()).then_some(true);
    found.flag(Field::Streaming).or(seen).or_else(by_name)
}

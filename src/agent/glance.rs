//! One look at a span while its bytes are hot.
//!
//! Comes in: a span in place. Goes out: its role, its termination, its token usage, and whether its parameters are over
//! Letta's budget. It never looks at another span.

use super::conventions::{Field, Read, TABLES, request_of_agent, role_of_name};
use super::parameters::{MAX_PARAMETER, MAX_PARAMETERS, TRUNCATION_NOTE};
use super::role::Role;
use crate::model::Termination;
use crate::otlp::{RawAttribute, RawSpan, RawValue, Text};

/// Tokens that one span reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input: u64,
    /// Tokens of the answer.
    pub output: u64,
}

/// What one look at a span tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// What it does in an agent's run.
    pub role: Option<Role>,
    /// What it says about being cancelled.
    pub termination: Termination,
    /// What it used, if it reports usage.
    pub usage: Option<Usage>,
    /// It records an exception.
    pub exception: bool,
    /// A value is over Letta's budget for one parameter.
    pub over_parameter_budget: bool,
    /// The values together are over Letta's budget for one span.
    pub over_span_budget: bool,
}

/// Looks at a span.
pub fn glance(span: &RawSpan<'_>) -> Glance {
    let mut glance = Glance::default();
    let mut usage = Usage::default();
    let mut used = false;
    let mut bytes = 0;
    for attribute in span.attributes() {
        if let RawValue::Text(text) = &attribute.value {
            bytes += text.raw.len();
        }
        match interest(attribute.key.raw) {
            Interest::None => {}
            Interest::Role => glance.role = stronger(glance.role, role_of(attribute)),
            Interest::Input => used |= add(attribute, &mut usage.input),
            Interest::Output => used |= add(attribute, &mut usage.output),
            Interest::Code => {
                glance.termination = glance.termination.max(cancelled_by(attribute, span.kind));
            }
        }
    }
    glance.role = glance.role.or_else(|| role_of_name(span.name.raw));
    // Letta's route is all there is to tell a run of an agent from any other request.
    if span.kind == 2 && request_of_agent(span.name.raw) {
        glance.role = stronger(glance.role, Some(Role::Workflow));
    }
    glance.usage = used.then_some(usage);
    if bytes > MAX_PARAMETER {
        measure(span, &mut glance);
    }
    for event in &span.events {
        let attributes = span.pooled(&event.attributes);
        let termination = if event.name.raw == b"exception" {
            glance.exception = true;
            termination_of(attributes)
        } else if event.name.raw == b"stop_reason" {
            stop_reason(attributes)
        } else {
            Termination::None
        };
        glance.termination = glance.termination.max(termination);
    }
    if glance.termination == Termination::None && span.status == 2 && !span.message.is_empty() {
        glance.termination = termination_of_message(&span.message);
    }
    glance
}

/// What an attribute's key is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interest {
    None,
    Role,
    Input,
    Output,
    Code,
}

/// Keys that are not a field of a call.
const OTHERS: [(&str, Interest); 17] = [
    ("gen_ai.operation.name", Interest::Role),
    ("openinference.span.kind", Interest::Role),
    ("traceloop.span.kind", Interest::Role),
    ("langfuse.observation.type", Interest::Role),
    ("llm.request.type", Interest::Role),
    ("ai.operationId", Interest::Role),
    ("mcp.method.name", Interest::Role),
    ("http.request.method", Interest::Role),
    ("http.method", Interest::Role),
    ("db.system.name", Interest::Role),
    ("db.system", Interest::Role),
    ("messaging.system", Interest::Role),
    ("rpc.system", Interest::Role),
    ("rpc.system.name", Interest::Role),
    ("http.status_code", Interest::Code),
    ("http.response.status_code", Interest::Code),
    ("rpc.grpc.status_code", Interest::Code),
];

/// What a field of a call is looked at for.
const fn of_field(field: Field, read: Read) -> Interest {
    match (field, read) {
        (Field::Input, Read::Plain) => Interest::Input,
        (Field::Output, Read::Plain) => Interest::Output,
        _ => Interest::None,
    }
}

/// How many keys of the conventions' tables are of interest.
const FIELDS: usize = {
    let (mut count, mut table) = (0, 0);
    while table < TABLES.len() {
        let entries = TABLES[table].entries;
        let mut at = 0;
        while at < entries.len() {
            count += !matches!(of_field(entries[at].1, entries[at].2), Interest::None) as usize;
            at += 1;
        }
        table += 1;
    }
    count
};

/// All keys of interest: those above and those of the conventions' tables.
static KEYS: [(&[u8], Interest); OTHERS.len() + FIELDS] = {
    let mut keys: [(&[u8], Interest); OTHERS.len() + FIELDS] = [(b"", Interest::None); OTHERS.len() + FIELDS];
    let mut next = 0;
    while next < OTHERS.len() {
        keys[next] = (OTHERS[next].0.as_bytes(), OTHERS[next].1);
        next += 1;
    }
    let mut table = 0;
    while table < TABLES.len() {
        let entries = TABLES[table].entries;
        let mut at = 0;
        while at < entries.len() {
            let interest = of_field(entries[at].1, entries[at].2);
            if !matches!(interest, Interest::None) {
                keys[next] = (entries[at].0.as_bytes(), interest);
                next += 1;
            }
            at += 1;
        }
        table += 1;
    }
    keys
};

/// Which slots the keys above fall into. A key in any other slot is of no interest, which is nearly every key.
static SLOTS: [bool; 256] = {
    let mut slots = [false; 256];
    let mut at = 0;
    while at < KEYS.len() {
        slots[slot(KEYS[at].0) as usize] = true;
        at += 1;
    }
    slots
};

const fn slot(key: &[u8]) -> u8 {
    match key {
        [first, .., last] => (key.len() as u8).wrapping_mul(31) ^ *first ^ last.wrapping_mul(5),
        _ => 0,
    }
}

#[inline(always)]
fn interest(key: &[u8]) -> Interest {
    if !SLOTS[slot(key) as usize] {
        return Interest::None;
    }
    KEYS.iter().find(|(name, _)| *name == key).map_or(Interest::None, |(_, interest)| *interest)
}

/// Of two roles the one that says more: what an agent does outranks how it is carried.
fn stronger(old: Option<Role>, new: Option<Role>) -> Option<Role> {
    match (old, new) {
        (Some(old), Some(new)) => Some(old.min(new)),
        (old, new) => old.or(new),
    }
}

/// The role an attribute gives its span.
fn role_of(attribute: &RawAttribute<'_>) -> Option<Role> {
    let RawValue::Text(text) = &attribute.value else { return protocol_of(attribute.key.raw) };
    let value = || text.decode().to_ascii_lowercase();
    match attribute.key.raw {
        b"gen_ai.operation.name" => operation(&value()),
        b"openinference.span.kind" | b"traceloop.span.kind" | b"langfuse.observation.type" => kind(&value()),
        b"llm.request.type" => match value().as_str() {
            "chat" | "completion" => Some(Role::Llm),
            "embedding" => Some(Role::Embedding),
            "rerank" => Some(Role::Rerank),
            _ => None,
        },
        b"ai.operationId" => vercel(&value()),
        key => protocol_of(key),
    }
}

/// The role that the presence of a key gives, whatever its value.
fn protocol_of(key: &[u8]) -> Option<Role> {
    match key {
        b"mcp.method.name" => Some(Role::Mcp),
        b"http.request.method" | b"http.method" => Some(Role::Http),
        b"db.system.name" | b"db.system" => Some(Role::Db),
        b"messaging.system" => Some(Role::Messaging),
        b"rpc.system" | b"rpc.system.name" => Some(Role::Rpc),
        _ => None,
    }
}

/// OpenTelemetry `gen_ai.operation.name` (semantic conventions 1.41.1 and the 1.42 development version).
fn operation(name: &str) -> Option<Role> {
    Some(match name {
        "invoke_agent" | "create_agent" => Role::Agent,
        "invoke_workflow" => Role::Workflow,
        "plan" => Role::Step,
        "chat" | "generate_content" | "text_completion" => Role::Llm,
        "embeddings" => Role::Embedding,
        "execute_tool" => Role::Tool,
        "retrieval" => Role::Retrieval,
        _ if name.ends_with("_memory") || name.ends_with("_memory_store") => Role::Memory,
        _ => return None,
    })
}

/// OpenInference `openinference.span.kind`, Traceloop `traceloop.span.kind`, Langfuse `langfuse.observation.type`.
fn kind(name: &str) -> Option<Role> {
    Some(match name {
        "agent" => Role::Agent,
        "workflow" | "chain" => Role::Workflow,
        "task" => Role::Step,
        "llm" | "generation" => Role::Llm,
        "embedding" => Role::Embedding,
        "tool" => Role::Tool,
        "retriever" => Role::Retrieval,
        "reranker" => Role::Rerank,
        "guardrail" => Role::Guardrail,
        _ => return None,
    })
}

/// Vercel AI SDK `ai.operationId`.
fn vercel(name: &str) -> Option<Role> {
    Some(match name {
        "ai.generatetext" | "ai.streamtext" | "ai.generateobject" | "ai.streamobject" => Role::Workflow,
        "ai.toolcall" => Role::Tool,
        _ if name.starts_with("ai.embed") => Role::Embedding,
        _ if name.ends_with(".dogenerate") || name.ends_with(".dostream") => Role::Llm,
        _ => return None,
    })
}

/// Adds what an attribute reports to a count; says whether it reported anything.
fn add(attribute: &RawAttribute<'_>, slot: &mut u64) -> bool {
    let Some(tokens) = attribute.value.integer().and_then(|tokens| u64::try_from(tokens).ok()) else { return false };
    // Old and new names of one number may stand side by side.
    *slot = (*slot).max(tokens);
    true
}

/// Whether a status code says that the caller went away or asked to stop.
fn cancelled_by(attribute: &RawAttribute<'_>, kind: i32) -> Termination {
    let code = |code| attribute.value.integer() == Some(code);
    match attribute.key.raw {
        b"http.status_code" | b"http.response.status_code" if code(499) => Termination::Requested,
        // gRPC CANCELLED: on the serving side the client went away, on the calling side the call was given up.
        b"rpc.grpc.status_code" if code(1) && kind == 2 => Termination::Requested,
        b"rpc.grpc.status_code" if code(1) => Termination::Cancelled,
        _ => Termination::None,
    }
}

/// Whether the attributes of a recorded exception tell of a cancellation that nobody asked for.
pub fn cancels(attributes: &[RawAttribute<'_>]) -> bool {
    termination_of(attributes) == Termination::Cancelled
}

/// What the type of an exception says of how its span ended.
pub fn termination(kind: &str) -> Termination {
    termination_of_type(kind)
}

/// What a recorded exception says.
fn termination_of(attributes: &[RawAttribute<'_>]) -> Termination {
    let text = |key: &str| attributes.iter().rev().find(|a| a.key.is(key)).and_then(|a| a.value.text());
    let by_type = text("exception.type").map(|name| termination_of_type(&name.decode())).unwrap_or_default();
    if by_type != Termination::None {
        return by_type;
    }
    match text("exception.message") {
        Some(message) if message.is("context canceled") => Termination::Cancelled,
        _ => Termination::None,
    }
}

/// What the type of an exception says, qualified or not.
fn termination_of_type(name: &str) -> Termination {
    match name {
        "anyio.ClosedResourceError" | "anyio.BrokenResourceError" => return Termination::Requested,
        "context.Canceled" | "context canceled" => return Termination::Cancelled,
        _ => {}
    }
    match name.rsplit(['.', ':', '/', '$']).next().unwrap_or(name) {
        "RunCancelledException" | "PendingApprovalError" | "GeneratorExit" | "StopAsyncIteration" | "EndOfStream" => {
            Termination::Requested
        }
        "CancelledError"
        | "LettaUnexpectedStreamCancellationError"
        | "CancellationException"
        | "TaskCanceledException"
        | "OperationCanceledException"
        | "AbortError" => Termination::Cancelled,
        _ => Termination::None,
    }
}

/// Letta's `stop_reason` event: only one of its reasons is a cancellation.
fn stop_reason(attributes: &[RawAttribute<'_>]) -> Termination {
    let reason = attributes.iter().find(|a| a.key.is("stop_reason")).and_then(|a| a.value.text());
    if reason.is_some_and(|reason| reason.is("cancelled")) { Termination::Requested } else { Termination::None }
}

/// What the status message says: SDKs write `Type: text` into it.
fn termination_of_message(message: &Text<'_>) -> Termination {
    let text = message.decode();
    match text.split(':').next().unwrap_or_default().trim() {
        "context canceled" | "stream_incomplete" => Termination::Cancelled,
        name if name.len() < 80 && !name.contains(' ') => termination_of_type(name),
        _ => Termination::None,
    }
}

/// Measures values in characters, as Letta does: without the note it appends to what it cut. Its own `parameter.*` values are
/// held against the total before the last one was added, as it does; all others against the plain sum.
fn measure(span: &RawSpan<'_>, glance: &mut Glance) {
    let (mut parameters, mut others) = (0, 0);
    for attribute in span.attributes() {
        let RawValue::Text(text) = &attribute.value else { continue };
        let length = if text.raw.len() > MAX_PARAMETER { characters(&text.decode()) } else { text.raw.len() };
        glance.over_parameter_budget |= length > MAX_PARAMETER;
        if attribute.key.raw.starts_with(b"parameter.") {
            glance.over_span_budget |= parameters > MAX_PARAMETERS && !attribute.key.is("parameter.request_data");
            parameters += length;
        } else {
            others += length;
            glance.over_span_budget |= others > MAX_PARAMETERS;
        }
    }
}

/// Characters of a value, a truncation note at its end left out.
fn characters(value: &str) -> usize {
    let body = match value.rfind(TRUNCATION_NOTE) {
        Some(at) if value.ends_with(" chars)") && value.len() - at < 80 => value.get(..at).unwrap_or(value),
        _ => value,
    };
    body.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::RawEvent;

    fn span<'a>(name: &'a str, attributes: &[(&'a str, &'a str)]) -> RawSpan<'a> {
        let pool: Vec<_> = attributes
            .iter()
            .map(|(key, value)| RawAttribute {
                key: Text::plain(key.as_bytes()),
                value: RawValue::Text(Text::plain(value.as_bytes())),
            })
            .collect();
        RawSpan { name: Text::plain(name.as_bytes()), own: 0..pool.len(), pool, ..RawSpan::default() }
    }

    fn with_exception<'a>(kind: &'a str) -> RawSpan<'a> {
        let mut span = span("x", &[("exception.type", kind)]);
        span.events.push(RawEvent { name: Text::plain(b"exception"), attributes: 0..1, ..RawEvent::default() });
        span.own = 0..0;
        span
    }

    #[test]
    fn every_key_of_interest_is_found_at_once() {
        assert!(KEYS.iter().all(|(key, wanted)| interest(key) == *wanted));
        assert_eq!((interest(b""), interest(b"http.route")), (Interest::None, Interest::None));
        assert!(SLOTS.iter().filter(|slot| **slot).count() <= KEYS.len());
    }

    #[test]
    fn roles_come_from_every_convention() {
        let cases = [
            ("x", "gen_ai.operation.name", "chat", Some(Role::Llm)),
            ("x", "openinference.span.kind", "TOOL", Some(Role::Tool)),
            ("x", "traceloop.span.kind", "workflow", Some(Role::Workflow)),
            ("x", "ai.operationId", "ai.streamText.doStream", Some(Role::Llm)),
            ("x", "http.method", "GET", Some(Role::Http)),
            ("LettaAgentV3.step", "parameter.x", "1", Some(Role::Agent)),
            ("OpenAIClient.request_async", "parameter.x", "1", Some(Role::Llm)),
            ("anything", "foo", "bar", None),
        ];
        for (name, key, value, role) in cases {
            assert_eq!(glance(&span(name, &[(key, value)])).role, role, "{name} {key}");
        }
    }

    #[test]
    fn cancellations_are_told_from_errors() {
        let cases = [
            ("asyncio.CancelledError", Termination::Cancelled),
            ("asyncio.exceptions.CancelledError", Termination::Cancelled),
            ("letta.server.rest_api.streaming_response.RunCancelledException", Termination::Requested),
            ("GeneratorExit", Termination::Requested),
            ("ValueError", Termination::None),
            ("MyCancelledErrorHandler", Termination::None),
        ];
        for (kind, termination) in cases {
            assert_eq!(glance(&with_exception(kind)).termination, termination, "{kind}");
        }
        let mut failed = span("x", &[]);
        failed.status = 2;
        failed.message = Text::plain(b"RunCancelledException: Run run-1 was cancelled");
        assert_eq!(glance(&failed).termination, Termination::Requested);
    }

    #[test]
    fn parameters_are_measured_as_letta_does() {
        let exact = "x".repeat(MAX_PARAMETER);
        let cut = format!("{exact}... (truncated, original size: 9000000 chars)");
        let accents = "é".repeat(MAX_PARAMETER);
        for fine in [&exact, &cut, &accents] {
            assert!(!glance(&span("x", &[("parameter.a", fine)])).over_parameter_budget);
        }
        let over = format!("{exact}y");
        assert!(glance(&span("x", &[("parameter.a", &over)])).over_parameter_budget);
        assert!(glance(&span("x", &[("other.a", &over)])).over_parameter_budget);
        let others = [("a", exact.as_str()), ("b", &exact), ("c", "z")];
        assert!(glance(&span("x", &others)).over_span_budget);
        let three = span("x", &[("parameter.a", &exact), ("parameter.b", &exact), ("parameter.c", "z")]);
        assert!(!glance(&three).over_span_budget, "Letta tests the total before it adds");
        let four =
            [("parameter.a", exact.as_str()), ("parameter.b", &exact), ("parameter.c", "z"), ("parameter.d", "z")];
        assert!(glance(&span("x", &four)).over_span_budget);
    }

    #[test]
    fn usage_is_the_larger_of_old_and_new_names() {
        let span = span(
            "x",
            &[
                ("gen_ai.usage.prompt_tokens", "7"),
                ("gen_ai.usage.input_tokens", "7"),
                ("gen_ai.usage.output_tokens", "3"),
            ],
        );
        assert_eq!(glance(&span).usage, Some(Usage { input: 7, output: 3 }));
    }
}

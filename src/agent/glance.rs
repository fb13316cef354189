//! One look at a span while its bytes are hot.
//!
//! Comes in: a span in place, and whether its scope is Letta's. Goes out: its role, its termination, whether it names its
//! conversation, and whether its parameters are over Letta's budget. It never looks at another span.

use super::conventions::{Convention, Entry, Field, Read, TABLES, request_of_agent, role_of_name};
use super::parameters::{MAX_PARAMETER, MAX_PARAMETERS, TRUNCATION_NOTE};
use super::recognise::{Said, is_protocol, role_of, stronger};
use super::role::Role;
use crate::model::Termination;
use crate::otlp::{RawAttribute, RawSpan, RawValue, Text};

/// What one look at a span tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// What it does in an agent's run.
    pub role: Option<Role>,
    /// What it says about being cancelled.
    pub termination: Termination,
    /// Which of its attributes names the conversation it belongs to.
    pub conversation: Option<usize>,
    /// It records an exception.
    pub exception: bool,
    /// A value is over Letta's budget for one parameter.
    pub over_parameter_budget: bool,
    /// The values together are over Letta's budget for one span.
    pub over_span_budget: bool,
}

/// Looks at a span; `in_letta` where its instrumentation scope is Letta's.
pub fn glance(span: &RawSpan<'_>, in_letta: bool) -> Glance {
    let mut glance = Glance::default();
    let (mut link, mut told) = (false, u8::MAX);
    let mut bytes = 0;
    for (at, attribute) in span.attributes().iter().enumerate() {
        if let RawValue::Text(text) = &attribute.value {
            bytes += text.raw.len();
        }
        match interest(attribute.key.raw) {
            Interest::None => {}
            Interest::Role => match role_of(attribute, span) {
                Said::Link => link = true,
                Said::Role(role) => glance.role = stronger(glance.role, Some(role)),
                Said::Nothing => {}
            },
            Interest::Conversation(rank) => {
                if rank < told && attribute.value.text().is_some_and(|text| !text.is_empty()) {
                    (told, glance.conversation) = (rank, Some(at));
                }
            }
            Interest::Code => {
                glance.termination = glance.termination.max(cancelled_by(attribute, span.kind));
            }
        }
    }
    // What only says that it is a link of a chain says less than anything else an agent does.
    if link && glance.role.is_none_or(is_protocol) {
        glance.role = Some(if span.parent_id.bits == 0 { Role::Workflow } else { Role::Step });
    }
    glance.role = glance.role.or_else(|| role_of_name(span, in_letta));
    // Letta's route is all there is to tell a run of an agent from any other request.
    if span.kind == 2 && request_of_agent(span.name.raw) {
        glance.role = stronger(glance.role, Some(Role::Workflow));
    }
    if bytes > MAX_PARAMETER {
        measure(span, &mut glance);
    }
    for event in &span.events {
        let attributes = span.pooled(&event.attributes);
        let termination = match event.name.raw {
            b"exception" => {
                glance.exception = true;
                termination_of(attributes)
            }
            b"stop_reason" => stop_reason(attributes),
            name if is_exception(name) => termination_of(attributes),
            _ => Termination::None,
        };
        glance.termination = glance.termination.max(termination);
    }
    if glance.termination == Termination::None && span.status == 2 && !span.message.is_empty() {
        glance.termination = termination_of_message(&span.message);
    }
    glance
}

/// Whether an event with this name is an exception of a call to a model or a tool (semantic conventions 1.41 and 1.42).
pub(super) fn is_exception(name: &[u8]) -> bool {
    name == b"gen_ai.client.operation.exception" || name == b"gen_ai.execute_tool.exception"
}

/// What an attribute's key is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interest {
    None,
    Role,
    /// With the place of its convention in the order of belief.
    Conversation(u8),
    Code,
}

/// Keys that are not a field of a call.
const OTHERS: [(&str, Interest); 18] = [
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
    ("db.operation.type", Interest::Role),
    ("messaging.system", Interest::Role),
    ("rpc.system", Interest::Role),
    ("rpc.system.name", Interest::Role),
    ("http.status_code", Interest::Code),
    ("http.response.status_code", Interest::Code),
    ("rpc.grpc.status_code", Interest::Code),
];

/// What a field of a call is looked at for. Letta writes the conversation on spans of every kind; its requests tell it too.
const fn of_field(table: usize, (_, field, read): &Entry) -> Interest {
    match (TABLES[table].convention, field, read) {
        (Convention::Letta, ..) => Interest::None,
        (_, Field::Conversation, Read::Plain) => Interest::Conversation(table as u8),
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
            count += !matches!(of_field(table, &entries[at]), Interest::None) as usize;
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
            let interest = of_field(table, &entries[at]);
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

/// The first of the keys above that falls into each slot, from 1, and the next one after each that falls into the same. A slot without a
/// key is that of nearly every key.
static SLOTS: ([u8; 256], [u8; KEYS.len() + 1]) = {
    let mut first = [0; 256];
    let mut next = [0; KEYS.len() + 1];
    let mut at = KEYS.len();
    while at > 0 {
        let slot = slot(KEYS[at - 1].0) as usize;
        next[at] = first[slot];
        first[slot] = at as u8;
        at -= 1;
    }
    (first, next)
};

const fn slot(key: &[u8]) -> u8 {
    match key {
        [first, .., last] => (key.len() as u8).wrapping_mul(31) ^ *first ^ last.wrapping_mul(5),
        _ => 0,
    }
}

#[inline(always)]
fn interest(key: &[u8]) -> Interest {
    let mut at = SLOTS.0[slot(key) as usize];
    while let Some((name, interest)) = usize::from(at).checked_sub(1).and_then(|at| KEYS.get(at)) {
        if *name == key {
            return *interest;
        }
        at = SLOTS.1.get(usize::from(at)).copied().unwrap_or(0);
    }
    Interest::None
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

    #[test]
    fn every_key_of_interest_is_found_at_once() {
        assert!(KEYS.iter().all(|(key, wanted)| interest(key) == *wanted));
        assert_eq!((interest(b""), interest(b"http.route")), (Interest::None, Interest::None));
        assert!(SLOTS.0.iter().filter(|first| **first > 0).count() > KEYS.len() / 2, "few keys share a slot");
    }
}

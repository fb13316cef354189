//! SEM002: attributes whose value has another type than the registry says.
//!
//! Comes in: the attributes of a span or resource. Goes out: one fact a key.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::hints::Hints;
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::otlp::{RawAttribute, RawValue, Shape};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEM002",
    name: "wrong-type",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "An attribute's value has another type than the semantic conventions say",
    why: "Backends refuse the value, or compare numbers as words.",
    when: "",
    bad: "gen_ai.usage.input_tokens = \"812\"",
    good: "gen_ai.usage.input_tokens = 812",
    limits: &[],
    unit: None,
    source: "OpenTelemetry semantic conventions 1.44.0 registry",
    url: "https://opentelemetry.io/docs/specs/semconv/registry/attributes/",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lint) enum Type {
    Int,
    Double,
    Bool,
    Text,
    Texts,
}

/// The types that well-known keys have.
pub(super) const TYPES: [(&str, Type); 64] = [
    ("http.response.status_code", Type::Int),
    ("http.status_code", Type::Int),
    ("http.request.resend_count", Type::Int),
    ("http.request.body.size", Type::Int),
    ("http.response.body.size", Type::Int),
    ("server.port", Type::Int),
    ("client.port", Type::Int),
    ("network.peer.port", Type::Int),
    ("network.local.port", Type::Int),
    ("net.peer.port", Type::Int),
    ("net.host.port", Type::Int),
    ("code.line.number", Type::Int),
    ("code.lineno", Type::Int),
    ("process.pid", Type::Int),
    ("db.response.returned_rows", Type::Int),
    ("messaging.batch.message_count", Type::Int),
    ("gen_ai.usage.input_tokens", Type::Int),
    ("gen_ai.usage.output_tokens", Type::Int),
    ("gen_ai.usage.prompt_tokens", Type::Int),
    ("gen_ai.usage.completion_tokens", Type::Int),
    ("gen_ai.usage.cache_read.input_tokens", Type::Int),
    ("gen_ai.usage.cache_creation.input_tokens", Type::Int),
    ("gen_ai.usage.reasoning.output_tokens", Type::Int),
    ("gen_ai.request.max_tokens", Type::Int),
    ("gen_ai.request.seed", Type::Int),
    ("gen_ai.request.choice.count", Type::Int),
    ("gen_ai.request.temperature", Type::Double),
    ("gen_ai.request.top_p", Type::Double),
    ("gen_ai.request.top_k", Type::Double),
    ("gen_ai.request.frequency_penalty", Type::Double),
    ("gen_ai.request.presence_penalty", Type::Double),
    ("gen_ai.request.stream", Type::Bool),
    ("gen_ai.response.finish_reasons", Type::Texts),
    ("gen_ai.request.stop_sequences", Type::Texts),
    ("gen_ai.request.encoding_formats", Type::Texts),
    ("service.name", Type::Text),
    ("service.version", Type::Text),
    ("service.namespace", Type::Text),
    ("service.instance.id", Type::Text),
    ("error.type", Type::Text),
    ("http.request.method", Type::Text),
    ("http.method", Type::Text),
    ("http.route", Type::Text),
    ("url.full", Type::Text),
    ("url.path", Type::Text),
    ("url.scheme", Type::Text),
    ("server.address", Type::Text),
    ("db.system", Type::Text),
    ("db.system.name", Type::Text),
    ("db.query.text", Type::Text),
    ("db.statement", Type::Text),
    ("messaging.system", Type::Text),
    ("gen_ai.operation.name", Type::Text),
    ("gen_ai.provider.name", Type::Text),
    ("gen_ai.system", Type::Text),
    ("gen_ai.request.model", Type::Text),
    ("gen_ai.response.model", Type::Text),
    ("gen_ai.response.id", Type::Text),
    ("gen_ai.conversation.id", Type::Text),
    ("gen_ai.agent.name", Type::Text),
    ("gen_ai.agent.id", Type::Text),
    ("gen_ai.tool.name", Type::Text),
    ("gen_ai.tool.call.id", Type::Text),
    ("gen_ai.tool.type", Type::Text),
];

fn wanted(key: &str) -> Option<Type> {
    TYPES.iter().find(|(known, _)| *known == key).map(|(_, wanted)| *wanted)
}

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    // Zipkin knows no other type than text.
    if look.span.shape == Shape::Zipkin || !look.hints.has(Hints::TYPED) {
        return;
    }
    for (attribute, facts) in look.known() {
        if let Some(wanted) = facts.wanted {
            judge(attribute, wanted, sink);
        }
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    for attribute in look.attributes {
        if let Some(wanted) = wanted(&attribute.key.decode()) {
            judge(attribute, wanted, sink);
        }
    }
}

#[inline]
fn judge(attribute: &RawAttribute<'_>, wanted: Type, sink: &mut Sink<'_>) {
    let value = &attribute.value;
    let fits = match (wanted, value) {
        (_, RawValue::Empty)
        | (Type::Int | Type::Double, RawValue::Int(_))
        | (Type::Double, RawValue::Double(_))
        | (Type::Bool, RawValue::Bool(_))
        | (Type::Text, RawValue::Text(_)) => true,
        (Type::Texts, RawValue::Nested(nested)) => !nested.map,
        _ => false,
    };
    if !fits {
        let shown: String = value.decode().to_string().chars().take(40).collect();
        let note = format!("{} {shown:?}", kind(value)).into();
        sink.found(Fact { class: kind(value), attribute: attribute.key.decode(), note, ..Fact::default() });
    }
}

fn kind(value: &RawValue<'_>) -> &'static str {
    match value {
        RawValue::Empty => "empty",
        RawValue::Text(_) => "string",
        RawValue::Bool(_) => "bool",
        RawValue::Int(_) => "int",
        RawValue::Double(_) => "double",
        RawValue::Bytes(_) | RawValue::Base64(_) => "bytes",
        RawValue::Nested(nested) if nested.map => "map",
        RawValue::Nested(_) => "array",
    }
}

fn tell(told: &Told<'_>) -> Words {
    let to = match wanted(told.attribute) {
        Some(Type::Int) => "int",
        Some(Type::Double) => "double",
        Some(Type::Bool) => "bool",
        Some(Type::Texts) => "string[]",
        _ => "string",
    };
    let key = told.attribute;
    Words::new(format!("{key} is {}, must be {to}", told.note), "record the value with its own type")
        .fix(Fix::ConvertAttribute { key: key.to_owned(), to })
}

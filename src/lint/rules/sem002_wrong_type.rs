//! SEM002: attributes whose value has another type than the registry says.
//!
//! Comes in: the attributes of a span or resource. Goes out: one fact a key.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
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
    bad: "gen_ai.usage.input_tokens = \"812\"",
    good: "gen_ai.usage.input_tokens = 812",
    limits: &[],
    unit: None,
    source: "OpenTelemetry semantic conventions 1.44.0 registry",
    url: "https://opentelemetry.io/docs/specs/semconv/registry/attributes/",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Int,
    Double,
    Bool,
    Text,
    Texts,
}

/// The type a well-known key has.
#[inline]
fn wanted(key: &[u8]) -> Option<Type> {
    Some(match key {
        b"http.response.status_code"
        | b"http.status_code"
        | b"http.request.resend_count"
        | b"http.request.body.size"
        | b"http.response.body.size"
        | b"server.port"
        | b"client.port"
        | b"network.peer.port"
        | b"network.local.port"
        | b"net.peer.port"
        | b"net.host.port"
        | b"code.line.number"
        | b"code.lineno"
        | b"process.pid"
        | b"db.response.returned_rows"
        | b"messaging.batch.message_count"
        | b"gen_ai.usage.input_tokens"
        | b"gen_ai.usage.output_tokens"
        | b"gen_ai.usage.prompt_tokens"
        | b"gen_ai.usage.completion_tokens"
        | b"gen_ai.usage.cache_read.input_tokens"
        | b"gen_ai.usage.cache_creation.input_tokens"
        | b"gen_ai.usage.reasoning.output_tokens"
        | b"gen_ai.request.max_tokens"
        | b"gen_ai.request.seed"
        | b"gen_ai.request.choice.count" => Type::Int,
        b"gen_ai.request.temperature"
        | b"gen_ai.request.top_p"
        | b"gen_ai.request.top_k"
        | b"gen_ai.request.frequency_penalty"
        | b"gen_ai.request.presence_penalty" => Type::Double,
        b"gen_ai.request.stream" => Type::Bool,
        b"gen_ai.response.finish_reasons" | b"gen_ai.request.stop_sequences" | b"gen_ai.request.encoding_formats" => {
            Type::Texts
        }
        b"service.name"
        | b"service.version"
        | b"service.namespace"
        | b"service.instance.id"
        | b"error.type"
        | b"http.request.method"
        | b"http.method"
        | b"http.route"
        | b"url.full"
        | b"url.path"
        | b"url.scheme"
        | b"server.address"
        | b"db.system"
        | b"db.system.name"
        | b"db.query.text"
        | b"db.statement"
        | b"messaging.system"
        | b"gen_ai.operation.name"
        | b"gen_ai.provider.name"
        | b"gen_ai.system"
        | b"gen_ai.request.model"
        | b"gen_ai.response.model"
        | b"gen_ai.response.id"
        | b"gen_ai.conversation.id"
        | b"gen_ai.agent.name"
        | b"gen_ai.agent.id"
        | b"gen_ai.tool.name"
        | b"gen_ai.tool.call.id"
        | b"gen_ai.tool.type" => Type::Text,
        _ => return None,
    })
}

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    // Zipkin knows no other type than text.
    if look.span.shape != Shape::Zipkin {
        judge(look.span.attributes(), sink);
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    judge(look.attributes, sink);
}

#[inline]
fn judge(attributes: &[RawAttribute<'_>], sink: &mut Sink<'_>) {
    for attribute in attributes {
        let Some(wanted) = wanted(attribute.key.raw) else { continue };
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
    let to = match wanted(told.attribute.as_bytes()) {
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

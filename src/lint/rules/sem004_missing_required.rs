//! SEM004: calls without the attributes that their conventions require.
//!
//! Comes in: a span of a known class. Goes out: one fact a key that is missing. Old names of a key do.

use crate::agent::{Convention, Role};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::otlp::RawValue;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEM004",
    name: "missing-required",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A call lacks attributes that its conventions require",
    why: "Dashboards, service maps and rules that go by these attributes do not see the call.",
    when: "",
    bad: "execute_tool without gen_ai.tool.name",
    good: "execute_tool with gen_ai.operation.name and gen_ai.tool.name",
    limits: &LIMITS,
    unit: None,
    source: "OpenTelemetry semantic conventions 1.44.0; GenAI conventions 1.41.1",
    url: "https://opentelemetry.io/docs/specs/semconv/",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const HTTP_CLIENT: [&str; 4] = ["http.request.method", "server.address", "server.port", "url.full"];

const LIMITS: [Limit; 6] = [
    Limit::words("http_client", &HTTP_CLIENT, "keys of an HTTP call"),
    Limit::words("http_server", &["http.request.method", "url.path", "url.scheme"], "keys of an HTTP request served"),
    Limit::words("db", &["db.system.name"], "keys of a call to a database"),
    Limit::words("messaging", &["messaging.system", "messaging.operation.name"], "keys of a message sent or received"),
    Limit::words("inference", &["gen_ai.operation.name", "gen_ai.provider.name"], "keys of a call to a model"),
    Limit::words("execute_tool", &["gen_ai.operation.name", "gen_ai.tool.name"], "keys of a tool's execution"),
];

/// Other names under which a key may be there.
const OTHERS: [(&str, &[&str]); 10] = [
    ("http.request.method", &["http.method"]),
    ("server.address", &["net.peer.name", "net.peer.ip", "http.host"]),
    ("server.port", &["net.peer.port"]),
    ("url.full", &["http.url"]),
    ("url.path", &["http.target", "http.url", "url.full"]),
    ("url.scheme", &["http.scheme", "http.url", "url.full"]),
    ("db.system.name", &["db.system"]),
    ("messaging.operation.name", &["messaging.operation", "messaging.operation.type"]),
    ("gen_ai.operation.name", &["llm.request.type"]),
    ("gen_ai.provider.name", &["gen_ai.system"]),
];

/// Keys by which calls are known whose own key is missing: to databases, to models, to tools.
const OF_DATABASES: [&str; 12] = [
    "db.query.text",
    "db.statement",
    "db.operation.name",
    "db.operation",
    "db.collection.name",
    "db.namespace",
    "db.name",
    "db.query.summary",
    "db.response.status_code",
    "db.sql.table",
    "db.mongodb.collection",
    "db.connection_string",
];
const STATEMENTS: [&str; 2] = ["db.query.text", "db.statement"];
const OF_URLS: [&str; 3] = ["url.full", "url.path", "url.scheme"];
const OF_MODELS: [&str; 2] = ["gen_ai.request.model", "gen_ai.response.model"];
const OF_TOOLS: [&str; 2] = ["gen_ai.tool.name", "gen_ai.tool.call.id"];
const OPERATION: &str = "gen_ai.operation.name";
const INFERENCE: [&str; 3] = ["chat", "generate_content", "text_completion"];

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

/// All keys that are asked for or that tell what a span is, with their other names.
pub(super) fn required_keys() -> impl Iterator<Item = &'static str> {
    let required = LIMITS.iter().flat_map(|limit| match limit.default {
        Preset::Words(words) => words,
        _ => &[],
    });
    let others = OTHERS.iter().flat_map(|(_, others)| *others);
    let telling = [&OF_DATABASES[..], &OF_URLS, &OF_MODELS, &OF_TOOLS, &["gen_ai.agent.name"]].into_iter().flatten();
    required.chain(others).chain(telling).copied()
}

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let Some((class, at)) = class(look) else { return };
    for key in look.words(at).iter().filter(|key| !has(look, key, look.is_usual(at))) {
        sink.found(Fact { class, attribute: key.into(), ..Fact::default() });
    }
}

/// Whether a key, or another name of it, is there and says anything.
fn has(look: &SpanLook<'_>, key: &str, usual: bool) -> bool {
    let others = OTHERS.iter().find(|(own, _)| *own == key).map(|(_, others)| *others).unwrap_or_default();
    // Keys of somebody's own are none of those that are known.
    any(look, others) || if usual { any(look, &[key]) } else { look.span.attribute(key).is_some_and(says_anything) }
}

/// Whether any of these keys is there and says anything; they have to be among [`required_keys`].
fn any(look: &SpanLook<'_>, keys: &[&str]) -> bool {
    look.known().any(|(attribute, _)| keys.iter().any(|key| attribute.key.is(key)) && says_anything(&attribute.value))
}

fn says_anything(value: &RawValue<'_>) -> bool {
    match value {
        RawValue::Empty => false,
        RawValue::Text(text) => !text.is_empty(),
        _ => true,
    }
}

/// What kind of call it is, and the place of its keys among the limits.
fn class(look: &SpanLook<'_>) -> Option<(&'static str, usize)> {
    let hints = look.hints;
    match look.glance.role {
        // A request to an agent is a request all the same.
        None | Some(Role::Http | Role::Workflow) if hints.has(Hints::HTTP) && is_http(look) => match look.span.kind {
            SERVER => Some(("HTTP server", 1)),
            _ => Some(("HTTP client", 0)),
        },
        Some(Role::Db) => Some(("database", 2)),
        Some(Role::Messaging) => Some(("messaging", 3)),
        Some(Role::Tool) if says(look, &["execute_tool"]) => Some(("execute_tool", 5)),
        Some(Role::Llm) if hints.has(Hints::GEN_AI) && is_inference(look) => Some(("inference", 4)),
        None => unmarked(look),
        _ => None,
    }
}

/// Whether it is a request made or served: every such span has a key that only requests have.
fn is_http(look: &SpanLook<'_>) -> bool {
    matches!(look.span.kind, SERVER | CLIENT)
        && (look.span.attributes().iter().any(|a| a.key.raw.starts_with(b"http.")) || any(look, &OF_URLS))
}

/// Whether it is a call to a model in OpenTelemetry's own words; other conventions have other keys that are required.
fn is_inference(look: &SpanLook<'_>) -> bool {
    let own = look.act.is_some_and(|act| matches!(act.convention, Convention::OtelGenAi | Convention::Adk));
    says(look, &INFERENCE) || (own && look.span.attribute(OPERATION).is_none() && any(look, &OF_MODELS))
}

/// A call without the key by which such calls are known: other keys of theirs tell.
fn unmarked(look: &SpanLook<'_>) -> Option<(&'static str, usize)> {
    let (span, hints) = (look.span, look.hints);
    let database = match span.kind {
        CLIENT => any(look, &OF_DATABASES),
        INTERNAL => any(look, &STATEMENTS),
        _ => false,
    };
    if hints.has(Hints::DB) && database {
        return Some(("database", 2));
    }
    if hints.has(Hints::MESSAGING) && span.attributes().iter().any(|a| a.key.raw.starts_with(b"messaging.")) {
        return Some(("messaging", 3));
    }
    if !hints.has(Hints::GEN_AI) || span.attribute(OPERATION).is_some() {
        return None;
    }
    // What an agent does beside its calls may name its model too.
    let agent = span.kind == INTERNAL && any(look, &["gen_ai.agent.name"]);
    match (any(look, &OF_MODELS) && !agent, any(look, &OF_TOOLS)) {
        (_, true) => Some(("execute_tool", 5)),
        (true, _) => Some(("inference", 4)),
        _ => None,
    }
}

/// Whether the operation is one of these.
fn says(look: &SpanLook<'_>, operations: &[&str]) -> bool {
    let said = look.span.attribute(OPERATION).and_then(|value| value.text());
    said.is_some_and(|said| operations.iter().any(|operation| said.is(operation)))
}

fn tell(told: &Told<'_>) -> Words {
    let article = if told.class.starts_with(['H', 'i', 'e']) { "an" } else { "a" };
    Words::new(
        format!("{article} {} span without {}", told.class, told.attribute),
        "set what is missing; an instrumentation that is up to date does",
    )
}

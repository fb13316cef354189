//! SEM004: calls without the attributes that their conventions require.
//!
//! Comes in: a span of a known class. Goes out: one fact a key that is missing. Old names of a key do.

use std::collections::BTreeSet;
use std::sync::LazyLock;

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

/// All keys that are asked for or that tell what a span is, with their other names, each once.
pub(super) fn required_keys() -> impl Iterator<Item = &'static str> {
    let required = LIMITS.iter().flat_map(|limit| usual(limit));
    let others = OTHERS.iter().flat_map(|(_, others)| *others);
    let telling = [&OF_DATABASES[..], &OF_URLS, &OF_MODELS, &OF_TOOLS, &["gen_ai.agent.name"]].into_iter().flatten();
    let mut seen = BTreeSet::new();
    required.chain(others).chain(telling).copied().filter(move |key| seen.insert(*key))
}

/// Keys of this rule, each a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::lint) struct KeySet(u128);

impl KeySet {
    /// Those of these keys that the rule knows.
    fn of(keys: &[&str]) -> Self {
        Self(required_keys().zip(0..).filter(|(key, _)| keys.contains(key)).fold(0, |set, (_, at)| set | 1 << at))
    }

    /// One key.
    pub(in crate::lint) fn one(key: &str) -> Self {
        Self::of(&[key])
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The sets that spans are held against, made once.
struct Sets {
    /// Of each limit the keys that are asked for, each with its other names.
    required: Vec<Vec<KeySet>>,
    databases: KeySet,
    statements: KeySet,
    systems: KeySet,
    urls: KeySet,
    models: KeySet,
    tools: KeySet,
    agents: KeySet,
}

static SETS: LazyLock<Sets> = LazyLock::new(|| Sets {
    required: LIMITS.iter().map(|limit| usual(limit).iter().map(|key| named(key)).collect()).collect(),
    databases: KeySet::of(&OF_DATABASES),
    statements: KeySet::of(&STATEMENTS),
    systems: named("db.system.name"),
    urls: KeySet::of(&OF_URLS),
    models: KeySet::of(&OF_MODELS),
    tools: KeySet::of(&OF_TOOLS),
    agents: KeySet::of(&["gen_ai.agent.name"]),
});

/// The keys that a limit asks for unless somebody says otherwise.
fn usual(limit: &Limit) -> &'static [&'static str] {
    match limit.default {
        Preset::Words(words) => words,
        _ => &[],
    }
}

/// A key and its other names.
fn named(key: &str) -> KeySet {
    let others = OTHERS.iter().find(|(own, _)| *own == key).map(|(_, others)| *others).unwrap_or_default();
    KeySet(KeySet::of(others).0 | KeySet::one(key).0)
}

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    const ANY: Hints = Hints::HTTP.with(Hints::DB).with(Hints::MESSAGING).with(Hints::GEN_AI);
    if !look.hints.has(ANY) {
        return;
    }
    let told = look.known().filter(|(attribute, _)| says_anything(&attribute.value));
    let set = KeySet(told.fold(0, |set, (_, facts)| set | facts.required.0));
    let Some((class, at)) = class(look, set) else { return };
    let usual = SETS.required.get(at).filter(|_| look.is_usual(at));
    for (number, key) in look.words(at).iter().enumerate() {
        let is_there = match usual.and_then(|usual| usual.get(number)) {
            Some(wanted) => set.meets(*wanted),
            // Keys of somebody's own are none of those that are known.
            None => set.meets(named(key)) || look.span.attribute(key).is_some_and(says_anything),
        };
        if !is_there {
            sink.found(Fact { class, attribute: key.into(), ..Fact::default() });
        }
    }
}

fn says_anything(value: &RawValue<'_>) -> bool {
    match value {
        RawValue::Empty => false,
        RawValue::Text(text) => !text.is_empty(),
        _ => true,
    }
}

/// What kind of call it is, and the place of its keys among the limits.
fn class(look: &SpanLook<'_>, set: KeySet) -> Option<(&'static str, usize)> {
    let hints = look.hints;
    match look.glance.role {
        // A request to an agent is a request all the same.
        None | Some(Role::Http | Role::Workflow) if hints.has(Hints::HTTP) && is_http(look, set) => {
            match look.span.kind {
                SERVER => Some(("HTTP server", 1)),
                _ => Some(("HTTP client", 0)),
            }
        }
        // An ORM's own work around a call is none.
        Some(Role::Db) if look.span.kind == CLIENT || set.meets(SETS.statements) || set.meets(SETS.systems) => {
            Some(("database", 2))
        }
        Some(Role::Messaging) => Some(("messaging", 3)),
        Some(Role::Tool) if says(look, &["execute_tool"]) => Some(("execute_tool", 5)),
        Some(Role::Llm) if hints.has(Hints::GEN_AI) && is_inference(look, set) => Some(("inference", 4)),
        None => unmarked(look, set),
        _ => None,
    }
}

/// Whether it is a request made or served: every such span has a key that only requests have.
fn is_http(look: &SpanLook<'_>, set: KeySet) -> bool {
    matches!(look.span.kind, SERVER | CLIENT)
        && (look.span.attributes().iter().any(|a| a.key.raw.starts_with(b"http.")) || set.meets(SETS.urls))
}

/// Whether it is a call to a model in OpenTelemetry's own words; other conventions have other keys that are required.
fn is_inference(look: &SpanLook<'_>, set: KeySet) -> bool {
    let own = look.act.is_some_and(|act| matches!(act.convention, Convention::OtelGenAi | Convention::Adk));
    says(look, &INFERENCE) || (own && look.span.attribute(OPERATION).is_none() && set.meets(SETS.models))
}

/// A call without the key by which such calls are known: other keys of theirs tell.
fn unmarked(look: &SpanLook<'_>, set: KeySet) -> Option<(&'static str, usize)> {
    let (span, hints) = (look.span, look.hints);
    let database = match span.kind {
        CLIENT => set.meets(SETS.databases),
        INTERNAL => set.meets(SETS.statements),
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
    let agent = span.kind == INTERNAL && set.meets(SETS.agents);
    match (set.meets(SETS.models) && !agent, set.meets(SETS.tools)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_bit_of_its_own() {
        let bits: BTreeSet<u128> = required_keys().map(|key| KeySet::one(key).0).collect();
        assert_eq!(bits.len(), required_keys().count());
        assert!(bits.len() < 128 && bits.iter().all(|bit| bit.is_power_of_two()));
        assert!(named("http.request.method").meets(KeySet::one("http.method")));
    }
}

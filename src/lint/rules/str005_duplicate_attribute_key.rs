//! STR005: one key twice in one list of attributes.
//!
//! Comes in: the attributes of spans, events, links, resources and scopes. Goes out: one fact a key.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::hints::Hints;
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::otlp::RawAttribute;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "STR005",
    name: "duplicate-attribute-key",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A list of attributes has a key twice",
    why: "Keys must be unique; which of the values a backend keeps is chance.",
    when: "",
    bad: "http.method = \"GET\", http.method = \"POST\"",
    good: "http.method = \"POST\"",
    limits: &[],
    unit: Some(Unit::Count),
    source: "opentelemetry-proto trace.proto, Span field 9: attribute keys MUST be unique",
    url: "https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.hints.has(Hints::DOUBLED) {
        return;
    }
    let span = look.span;
    judge("attribute", span.attributes(), sink);
    for event in &span.events {
        judge("event attribute", span.pooled(&event.attributes), sink);
    }
    for link in &span.links {
        judge("link attribute", span.pooled(&link.attributes), sink);
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    judge(if look.is_scope { "scope attribute" } else { "resource attribute" }, look.attributes, sink);
}

/// Lists up to this long are compared pair by pair.
const SHORT: usize = 48;

fn judge(class: &'static str, attributes: &[RawAttribute<'_>], sink: &mut Sink<'_>) {
    if attributes.len() > SHORT || attributes.iter().any(|attribute| attribute.key.escaped) {
        return judge_sorted(class, attributes, sink);
    }
    let same = |a: &RawAttribute<'_>, b: &RawAttribute<'_>| {
        a.key.raw.len() == b.key.raw.len() && a.key.raw.last() == b.key.raw.last() && a.key.raw == b.key.raw
    };
    for (at, attribute) in attributes.iter().enumerate() {
        let (before, behind) = attributes.split_at(at);
        let count = behind.iter().filter(|other| same(attribute, other)).count();
        if count > 1 && !before.iter().any(|other| same(attribute, other)) {
            found(class, &attribute.key.decode(), count, sink);
        }
    }
}

fn judge_sorted(class: &'static str, attributes: &[RawAttribute<'_>], sink: &mut Sink<'_>) {
    let mut keys: Vec<_> = attributes.iter().map(|attribute| attribute.key.decode()).collect();
    keys.sort_unstable();
    for same in keys.chunk_by(|a, b| a == b).filter(|same| same.len() > 1) {
        same.first().into_iter().for_each(|key| found(class, key, same.len(), sink));
    }
}

fn found(class: &'static str, key: &str, count: usize, sink: &mut Sink<'_>) {
    let attribute = key.char_indices().nth(256).map_or(key, |(at, _)| key.get(..at).unwrap_or(key)).into();
    sink.found(Fact { class, attribute, observed: Some(count as u64), ..Fact::default() });
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("{} {:?} occurs {}x", told.class, told.attribute, told.observed),
        "set the key once; what writes the list by hand must look for the key first",
    )
}

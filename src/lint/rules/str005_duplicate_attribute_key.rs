//! STR005: one key twice in one list of attributes.
//!
//! Comes in: the attributes of spans, events, links, resources and scopes. Goes out: one fact a key.

use std::ops::Range;

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
    let of = |range: &Range<usize>| {
        let doubled = look.doubled.iter().map(|at| *at as usize).filter(|at| range.contains(at));
        doubled.map(|at| at - range.start).collect::<Vec<usize>>()
    };
    judge("attribute", span.attributes(), of(&span.own), sink);
    for event in &span.events {
        judge("event attribute", span.pooled(&event.attributes), of(&event.attributes), sink);
    }
    for link in &span.links {
        judge("link attribute", span.pooled(&link.attributes), of(&link.attributes), sink);
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    let class = if look.is_scope { "scope attribute" } else { "resource attribute" };
    judge(class, look.attributes, (1..look.attributes.len()).collect(), sink);
}

/// Beyond so many candidates the list is sorted instead of compared one by one.
const FEW: usize = 64;

/// Judges a list in which these may have been there before.
fn judge(class: &'static str, attributes: &[RawAttribute<'_>], doubled: Vec<usize>, sink: &mut Sink<'_>) {
    if doubled.len() > FEW || doubled.iter().any(|at| attributes.get(*at).is_some_and(|a| a.key.escaped)) {
        return judge_sorted(class, attributes, sink);
    }
    for at in doubled {
        let Some((attribute, before)) = attributes.get(..=at).and_then(<[_]>::split_last) else { continue };
        let same = |other: &&RawAttribute<'_>| other.key.raw == attribute.key.raw;
        // Each key is told at its second place.
        if before.iter().filter(same).count() == 1 {
            found(class, &attribute.key.decode(), attributes.iter().filter(same).count(), sink);
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

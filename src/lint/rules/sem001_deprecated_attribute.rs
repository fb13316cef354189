//! SEM001: attributes that have a new name.
//!
//! Comes in: the attributes of a span or resource. Goes out: one fact a key that was renamed.

use super::renames::{SEMCONV, renamed};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::hints::Hints;
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEM001",
    name: "deprecated-attribute",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "An attribute has a name that was replaced",
    why: "Dashboards and rules that use the new name do not see the span.",
    when: "",
    bad: "http.method",
    good: "http.request.method",
    limits: &[],
    unit: None,
    source: "OpenTelemetry semantic conventions, schema file and registry of 1.44.0; [lint] semconv chooses an older version",
    url: "https://opentelemetry.io/docs/specs/semconv/registry/attributes/",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.hints.has(Hints::RENAMED) {
        return;
    }
    for (_, facts) in look.known() {
        if facts.renamed.is_some_and(|since| since <= look.semconv()) {
            sink.found(Fact { class: "renamed", attribute: facts.key.into(), ..Fact::default() });
        }
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    for attribute in look.attributes.iter().filter(|attribute| renamed(attribute.key.raw, look.semconv()).is_some()) {
        sink.found(Fact { class: "renamed", attribute: attribute.key.decode(), ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let from = told.attribute;
    let Some(rename) = renamed(from.as_bytes(), SEMCONV) else { return Words::default() };
    let to = rename.to;
    let since = if rename.since == 0 { String::new() } else { format!(" (conventions 1.{})", rename.since) };
    let fix = Fix::RenameAttribute { from: from.to_owned(), to: to.to_owned() };
    Words::new(format!("{from} is now {to}{since}"), "update the instrumentation that records it").fix(fix)
}

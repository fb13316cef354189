//! SEM001: attributes that have a new name.
//!
//! Comes in: the attributes of a span or resource. Goes out: one fact a key that was renamed.

use super::renames::renamed;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::otlp::RawAttribute;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEM001",
    name: "deprecated-attribute",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "An attribute has a name that was replaced",
    why: "Dashboards and rules that use the new name do not see the span.",
    bad: "http.method",
    good: "http.request.method",
    limits: &[],
    unit: None,
    source: "OpenTelemetry semantic conventions 1.44.0 and its GenAI conventions",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    judge(look.span.attributes(), sink);
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    judge(look.attributes, sink);
}

#[inline]
fn judge(attributes: &[RawAttribute<'_>], sink: &mut Sink<'_>) {
    for attribute in attributes {
        if renamed(attribute.key.raw).is_some() {
            sink.found(Fact { class: "renamed", attribute: attribute.key.decode(), ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    let (from, to) = (told.attribute, renamed(told.attribute.as_bytes()).unwrap_or_default());
    let fix = Fix::RenameAttribute { from: from.to_owned(), to: to.to_owned() };
    Words::new(format!("{from} is now {to}"), format!("update the instrumentation, or rename it to {to}")).fix(fix)
}

//! BUD004: more attributes, events, links or array elements than the budget allows.
//!
//! Comes in: a span. Goes out: one fact a limit.

use super::sizes::budget;
use crate::lint::budget::Cell;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::model::Value;
use crate::otlp::RawValue;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD004",
    name: "too-many-items",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A span has more attributes, events, links or array elements than the budget allows",
    why: "SDKs and backends drop what is over the limit, usually without a word.",
    when: "",
    bad: "212 attributes where 128 are kept",
    good: "at most 128 attributes",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "OpenTelemetry SDK limits; limits of the named budgets",
    url: "https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 6] = [
    Limit { key: "attrs", default: Preset::Budget, unit: Some(Unit::Count), about: "attributes of a span" },
    Limit { key: "events", default: Preset::Budget, unit: Some(Unit::Count), about: "events of a span" },
    Limit { key: "links", default: Preset::Budget, unit: Some(Unit::Count), about: "links of a span" },
    Limit { key: "event_attrs", default: Preset::Budget, unit: Some(Unit::Count), about: "attributes of an event" },
    Limit { key: "link_attrs", default: Preset::Budget, unit: Some(Unit::Count), about: "attributes of a link" },
    Limit { key: "array_len", default: Preset::Budget, unit: Some(Unit::Count), about: "elements of an array" },
];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    let mut judge = |class, items: usize, cell| {
        let items = items as u64;
        if let Some(limit) = look.bound(cell).filter(|limit| items > *limit) {
            let (observed, limit, cell) = (Some(items), Some(limit), Some(cell));
            sink.found(Fact { class, observed, limit, cell, ..Fact::default() });
        }
    };
    judge("attributes", span.attributes().len(), Cell::Attrs);
    judge("events", span.events.len(), Cell::Events);
    judge("links", span.links.len(), Cell::Links);
    judge(
        "attributes on one event",
        span.events.iter().map(|e| e.attributes.len()).max().unwrap_or(0),
        Cell::EventAttrs,
    );
    judge("attributes on one link", span.links.iter().map(|l| l.attributes.len()).max().unwrap_or(0), Cell::LinkAttrs);
    let Some(limit) = look.bound(Cell::ArrayLen) else { return };
    for attribute in span.attributes() {
        let RawValue::Nested(nested) = &attribute.value else { continue };
        // Every element takes a byte at least.
        if nested.map || nested.raw.len() as u64 <= limit {
            continue;
        }
        if let Value::Array(items) = attribute.value.decode()
            && items.len() as u64 > limit
        {
            let (observed, limit, cell) = (Some(items.len() as u64), Some(limit), Some(Cell::ArrayLen));
            let attribute = attribute.key.decode();
            sink.found(Fact { class: "elements", attribute, observed, limit, cell, ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    let of = if told.attribute.is_empty() { String::new() } else { format!(" in {}", told.attribute) };
    let message = format!("{} {}{of}, {} allows {}", told.observed, told.class, budget(told.preset), told.limit);
    Words::new(message, "record fewer, or put them together in one value")
}

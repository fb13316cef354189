//! BUD005: what the producer says it dropped.
//!
//! Comes in: the dropped counts of spans, events, links, resources and scopes. Goes out: one fact a kind.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::{Fix, Unit};
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD005",
    name: "dropped-data",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "The producer dropped attributes, events or links",
    why: "What is missing was recorded once; nobody can tell what it said.",
    when: "",
    bad: "droppedAttributesCount: 14",
    good: "droppedAttributesCount: 0",
    limits: &[],
    unit: Some(Unit::Count),
    source: "opentelemetry-proto trace.proto, dropped counts",
    url: "https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    let sum = |counts: &mut dyn Iterator<Item = u32>| counts.fold(0u64, |sum, count| sum + u64::from(count));
    let dropped = [
        ("attributes", u64::from(span.dropped_attributes)),
        ("events", u64::from(span.dropped_events)),
        ("links", u64::from(span.dropped_links)),
        ("attributes of events", sum(&mut span.events.iter().map(|event| event.dropped))),
        ("attributes of links", sum(&mut span.links.iter().map(|link| link.dropped))),
    ];
    for (class, count) in dropped.into_iter().filter(|(_, count)| *count > 0) {
        sink.found(Fact { class, observed: Some(count), ..Fact::default() });
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    if look.dropped > 0 {
        let class = if look.is_scope { "attributes of the scope" } else { "attributes of the resource" };
        sink.found(Fact { class, observed: Some(u64::from(look.dropped)), ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let variable = match told.class {
        "attributes" => Some("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
        "events" => Some("OTEL_SPAN_EVENT_COUNT_LIMIT"),
        "links" => Some("OTEL_SPAN_LINK_COUNT_LIMIT"),
        "attributes of events" => Some("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"),
        "attributes of links" => Some("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"),
        _ => None,
    };
    let what = match (told.observed, told.class.split_once('s')) {
        // `attributes of the scope`: the first word is the one that is counted.
        (1, Some((one, rest))) => format!("{one}{rest}"),
        _ => told.class.to_owned(),
    };
    let message = format!("the SDK dropped {} {what}", told.observed);
    let Some(name) = variable else { return Words::new(message, "record fewer") };
    let value = told.observed.saturating_add(128).next_power_of_two().to_string();
    Words::new(message, format!("raise {name}, or record fewer")).fix(Fix::SetVariable { name: name.to_owned(), value })
}

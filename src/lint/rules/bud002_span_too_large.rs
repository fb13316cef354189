//! BUD002: spans over the budget, and Letta's total of all parameters.
//!
//! Comes in: a span. Goes out: one fact a limit.

use super::sizes::{PARTS, against, body_chars, budget, text_chars};
use crate::capture::Detail;
use crate::lint::budget::Cell;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::{Contributor, Unit};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Preset, Rule, Scope, Severity};
use crate::model::Attribute;
use crate::otlp::{RawSpan, Shape, span_len};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD002",
    name: "span-too-large",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A span, or all of its parameters together, is larger than the budget allows",
    why: "Receivers refuse the whole request that carries it, and what comes behind it waits.",
    when: "",
    bad: "a span of 5.8 MiB",
    good: "a span below 4 MiB",
    limits: &LIMITS,
    unit: Some(Unit::Bytes),
    source: "letta 0.16.8 MAX_TOTAL_SIZE; limits of the named budgets",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/tracing.py",
    check: Check { span: Some(check), needs: Needs::DETAIL, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit { key: "span_bytes", default: Preset::Budget, unit: Some(Unit::Bytes), about: "bytes of a span, encoded" },
    Limit {
        key: "params_total",
        default: Preset::Budget,
        unit: Some(Unit::Chars),
        about: "characters of all parameter.* values",
    },
];

/// What Letta never leaves out.
const EXEMPT: &str = "parameter.request_data";

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    if let Some(limit) = look.bound(Cell::SpanBytes) {
        // What OTLP itself takes is never smaller than the encoded span; foreign formats may be.
        let own = matches!(span.shape, Shape::OtlpJson | Shape::OtlpProto);
        if !own || span.raw.len() as u64 > limit {
            let size = span_len(span) as u64;
            if size > limit {
                let (observed, limit, cell) = (Some(size), Some(limit), Some(Cell::SpanBytes));
                sink.found(Fact { class: "span", observed, limit, cell, ..Fact::default() });
            }
        }
    }
    if let Some(limit) = look.bound(Cell::ParamsTotal)
        && span.raw.len() as u64 > limit
    {
        parameters(span, limit, look.bound(Cell::AttrValueChars), sink);
    }
}

/// Letta tests the total before each parameter, so the last one may go over it: that is only a warning.
fn parameters(span: &RawSpan<'_>, limit: u64, largest: Option<u64>, sink: &mut Sink<'_>) {
    let (mut total, mut beyond) = (0, false);
    for attribute in span.attributes().iter().filter(|a| a.key.raw.starts_with(b"parameter.")) {
        beyond |= total > limit && !attribute.key.is(EXEMPT);
        total += body_chars(&attribute.value);
    }
    if total > limit {
        // The last one may be as large as any.
        let most = largest.map_or(u64::MAX, |largest| limit.saturating_add(largest));
        let beyond = beyond || total > most;
        let severity = if beyond { None } else { Some(Severity::Warn) };
        let class = if beyond { "parameters" } else { "last parameter" };
        let (observed, limit, cell) = (Some(total), Some(limit), Some(Cell::ParamsTotal));
        sink.found(Fact { class, observed, limit, cell, severity, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let what = if told.class == "span" { "the span is" } else { "all parameter.* together are" };
    let (size, limit) = against(told);
    let message = format!("{what} {size}, {} allows {limit}", budget(told.preset));
    let contributors = told.detail.map(|detail| largest(told, detail)).unwrap_or_default();
    Words { contributors, ..Words::new(message, "record less: the largest parts are listed") }
}

/// The largest parts: of a span its attributes, events and links in bytes, of the parameters each in characters.
fn largest(told: &Told<'_>, detail: &Detail) -> Vec<Contributor> {
    let parts = |size: fn(&Attribute) -> u64| {
        let part = move |a: &Attribute| Contributor { name: a.key.clone(), size: size(a) };
        detail.attributes.iter().map(part)
    };
    let mut parts: Vec<Contributor> = if told.class == "span" {
        let inside = |attributes: &[Attribute]| attributes.iter().map(bytes).sum::<u64>();
        let events = detail.events.iter().map(|event| inside(&event.attributes)).sum();
        let links = detail.links.iter().map(|link| inside(&link.attributes)).sum();
        let rest =
            [("events", events), ("links", links)].map(|(name, size)| Contributor { name: name.to_owned(), size });
        parts(bytes).chain(rest).collect()
    } else {
        parts(characters).filter(|part| part.name.starts_with("parameter.")).collect()
    };
    parts.retain(|part| part.size > 0);
    parts.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
    parts.truncate(PARTS);
    parts
}

fn bytes(attribute: &Attribute) -> u64 {
    (attribute.key.len() + attribute.value.to_string().len()) as u64
}

fn characters(attribute: &Attribute) -> u64 {
    text_chars(&attribute.value.to_string())
}

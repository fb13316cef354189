//! Puts spans into requests: by resource, by scope, in the order in which they ended.
//!
//! Comes in: spans of some sheets. Goes out: one `ExportTraceServiceRequest`, written by the writers that everything else here
//! uses.

use super::cast::{Cast, SCOPES};
use super::sheet::{Attr, Datum, Scope, Service, Sheet, Span, Word};
use super::stage::{Batch, Ended};
use crate::otlp::{
    Encoding, IdForm, JsonWriter, Nested, ProtoWriter, RawAttribute, RawEvent, RawId, RawLink, RawResource, RawScope,
    RawSpan, RawValue, Shape, Text, Wire,
};

/// OTLP's `SpanFlags`: it is known whether the parent is remote, and it is.
const KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;

/// Encodes spans into an empty buffer: when each ends, its sheet, its number there.
pub(super) fn encode(part: &[Ended], sheets: &[Sheet], cast: &Cast, encoding: Encoding, mut bytes: Vec<u8>) -> Batch {
    let mut spans: Vec<(Service, Scope, &Sheet, &Span)> = part
        .iter()
        .filter_map(|(_, sheet, span)| {
            let sheet = sheets.get(*sheet as usize)?;
            let span = sheet.spans.get(*span as usize)?;
            Some((span.service, span.scope, sheet, span))
        })
        .collect();
    spans.sort_by_key(|(service, scope, ..)| (*service, *scope));
    match encoding {
        Encoding::Proto => groups(&mut ProtoWriter::new(&mut bytes), &spans, cast),
        Encoding::Json => JsonWriter::new(&mut bytes).request(|writer| groups(writer, &spans, cast)),
    }
    let torn = spans.iter().any(|(.., sheet, span)| sheet.torn && span.parent == 0);
    Batch { bytes, spans: spans.len(), ends: part.last().map_or(0, |(end, ..)| *end), torn }
}

type Placed<'s> = (Service, Scope, &'s Sheet, &'s Span);

/// What both writers do.
trait Requests {
    fn resource(&mut self, resource: &RawResource<'_>, scopes: impl FnOnce(&mut Self));
    fn scope(&mut self, scope: &RawScope<'_>, spans: impl FnOnce(&mut Self));
    fn span(&mut self, span: &RawSpan<'_>);
}

macro_rules! requests {
    ($writer:ident) => {
        impl Requests for $writer<'_> {
            fn resource(&mut self, resource: &RawResource<'_>, scopes: impl FnOnce(&mut Self)) {
                self.resource_spans(resource, &Text::default(), scopes);
            }

            fn scope(&mut self, scope: &RawScope<'_>, spans: impl FnOnce(&mut Self)) {
                self.scope_spans(scope, &Text::default(), spans);
            }

            fn span(&mut self, span: &RawSpan<'_>) {
                self.span(span);
            }
        }
    };
}

requests!(ProtoWriter);
requests!(JsonWriter);

/// Writes spans group by group.
fn groups<W: Requests>(writer: &mut W, spans: &[Placed<'_>], cast: &Cast) {
    let mut raw = RawSpan::default();
    for group in spans.chunk_by(|a, b| a.0 == b.0) {
        let resource = cast.resource(group.first().map_or(0, |span| span.0));
        Requests::resource(writer, &resource, |writer| {
            for same in group.chunk_by(|a, b| a.1 == b.1) {
                Requests::scope(writer, &scope(same), |writer| {
                    for (.., sheet, span) in same {
                        fill(&mut raw, sheet, span);
                        Requests::span(writer, &raw);
                    }
                });
            }
        });
    }
}

fn scope(spans: &[Placed<'_>]) -> RawScope<'static> {
    let (name, version) = spans.first().and_then(|span| SCOPES.get(usize::from(span.1))).copied().unwrap_or_default();
    RawScope { name: Text::known(name), version: Text::known(version), ..RawScope::default() }
}

/// Makes a span of ours one that the writers take.
fn fill<'s>(raw: &mut RawSpan<'s>, sheet: &'s Sheet, span: &Span) {
    raw.clear();
    let text = |word: Word| Text::known(sheet.read(word));
    raw.shape = Shape::OtlpProto;
    raw.trace_id = id(span.trace, &[0; 16]);
    raw.span_id = id(u128::from(span.id), &[0; 8]);
    raw.parent_id = if span.parent == 0 { RawId::default() } else { id(u128::from(span.parent), &[0; 8]) };
    raw.flags = if span.remote { KNOWN | REMOTE } else { KNOWN };
    raw.name = text(span.name);
    raw.kind = span.kind;
    (raw.start, raw.end) = (span.start, span.end);
    (raw.status, raw.message) = (span.status, text(span.message));
    raw.dropped_attributes = span.dropped;
    raw.own = pool(raw, sheet, &span.attributes);
    for event in &span.events {
        let attributes = pool(raw, sheet, &event.attributes);
        raw.events.push(RawEvent { time: event.time, name: text(event.name), attributes, dropped: 0 });
    }
    for link in &span.links {
        let attributes = pool(raw, sheet, &link.attributes);
        let (trace_id, span_id) = (id(link.trace, &[0; 16]), id(u128::from(link.span), &[0; 8]));
        raw.links.push(RawLink { trace_id, span_id, attributes, flags: KNOWN, ..RawLink::default() });
    }
}

/// An id; one that is all zero is written as it is.
fn id(bits: u128, zero: &'static [u8]) -> RawId<'static> {
    if bits == 0 {
        RawId { bits, form: IdForm::Zero, spelling: zero }
    } else {
        RawId { bits, form: IdForm::Whole, spelling: &[] }
    }
}

fn pool<'s>(raw: &mut RawSpan<'s>, sheet: &'s Sheet, attributes: &[Attr]) -> std::ops::Range<usize> {
    let begin = raw.pool.len();
    raw.pool.extend(attributes.iter().map(|attribute| {
        let text = |word: Word| Text::known(sheet.read(word));
        let value = match attribute.value {
            Datum::Text(word) => RawValue::Text(text(word)),
            Datum::Int(number) => RawValue::Int(number),
            Datum::Bool(yes) => RawValue::Bool(yes),
            // Halves and thousandths are rounded alike on every machine: one division of two whole numbers.
            Datum::Milli(number) => RawValue::Double(number as f64 / 1000.0),
            Datum::List(word) => RawValue::Nested(Nested { raw: text(word).raw, wire: Wire::Plain, map: false }),
        };
        RawAttribute { key: text(attribute.key), value }
    }));
    begin..raw.pool.len()
}

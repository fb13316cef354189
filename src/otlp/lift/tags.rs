//! The tags in which non-OTLP formats carry what only OTLP has a field for.
//!
//! Comes in: one tag after the other. Goes out: the fields of the span and its scope; a tag that says nothing OTLP has a
//! field for is left to the caller. Names: specification `common/mapping-to-non-otlp.md` and its older versions.

use crate::otlp::raw::{RawAttribute, RawScope, RawSpan, RawValue, Text};

/// What the tag `error` of a format means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorTag {
    /// Jaeger: an error when it is true.
    Flag,
    /// Zipkin: an error when it is there at all; its text is the message.
    Message,
}

/// Reads the tags of one span.
pub(super) struct Tags<'a> {
    meaning: ErrorTag,
    error: Option<RawAttribute<'a>>,
}

impl<'a> Tags<'a> {
    pub(super) fn new(meaning: ErrorTag) -> Self {
        Self { meaning, error: None }
    }

    /// Takes a tag: into a field where there is one for it, else into the span's attributes.
    pub(super) fn take(&mut self, tag: RawAttribute<'a>, span: &mut RawSpan<'a>, scope: &mut RawScope<'a>) {
        if !self.is_field(&tag, span, scope) {
            span.push(tag);
        }
    }

    fn is_field(&mut self, tag: &RawAttribute<'a>, span: &mut RawSpan<'a>, scope: &mut RawScope<'a>) -> bool {
        match tag.key.raw {
            b"error" if self.is_error(&tag.value) => {
                self.error = Some(*tag);
                true
            }
            b"span.kind" if span.kind == 0 => set(kind(&tag.value), &mut span.kind),
            b"otel.status_code" => set(status(&tag.value), &mut span.status),
            b"otel.status_description" => set(tag.value.text(), &mut span.message),
            b"w3c.tracestate" => set(tag.value.text(), &mut span.trace_state),
            b"otel.scope.name" => set(tag.value.text(), &mut scope.name),
            b"otel.scope.version" => set(tag.value.text(), &mut scope.version),
            b"otel.library.name" => alias(&tag.value, &mut scope.name),
            b"otel.library.version" => alias(&tag.value, &mut scope.version),
            b"otel.dropped_attributes_count" => set(count(&tag.value), &mut span.dropped_attributes),
            b"otel.dropped_events_count" => set(count(&tag.value), &mut span.dropped_events),
            b"otel.dropped_links_count" => set(count(&tag.value), &mut span.dropped_links),
            _ => false,
        }
    }

    fn is_error(&self, value: &RawValue<'_>) -> bool {
        match (self.meaning, value) {
            (_, RawValue::Bool(yes)) => *yes,
            (ErrorTag::Flag, RawValue::Text(text)) => text.is("true"),
            (ErrorTag::Message, RawValue::Text(text)) => !text.is("false"),
            _ => false,
        }
    }

    /// After the last tag: an error, unless `otel.status_code` says that all is well.
    pub(super) fn settle(self, span: &mut RawSpan<'a>) {
        let Some(error) = self.error else { return };
        if span.status == 1 {
            span.push(error);
            return;
        }
        span.status = 2;
        if let (ErrorTag::Message, Some(text)) = (self.meaning, error.value.text())
            && span.message.is_empty()
            && !text.is("true")
        {
            span.message = text;
        }
    }
}

fn set<T>(found: Option<T>, field: &mut T) -> bool {
    let is_one = found.is_some();
    if let Some(found) = found {
        *field = found;
    }
    is_one
}

/// An older name of a field, which does not count where the newer one is there.
fn alias<'a>(value: &RawValue<'a>, field: &mut Text<'a>) -> bool {
    let found = value.text().filter(|text| field.is_empty() || text == field);
    set(found, field)
}

fn kind(value: &RawValue<'_>) -> Option<i32> {
    match value.text()?.raw.to_ascii_lowercase().as_slice() {
        b"internal" => Some(1),
        b"server" => Some(2),
        b"client" => Some(3),
        b"producer" => Some(4),
        b"consumer" => Some(5),
        _ => None,
    }
}

fn status(value: &RawValue<'_>) -> Option<i32> {
    if let Some(number @ 0..=2) = value.integer() {
        return i32::try_from(number).ok();
    }
    match value.text()?.raw.to_ascii_uppercase().as_slice() {
        b"UNSET" => Some(0),
        b"OK" => Some(1),
        b"ERROR" => Some(2),
        _ => None,
    }
}

/// A count of dropped things.
pub(super) fn count(value: &RawValue<'_>) -> Option<u32> {
    value.integer().and_then(|count| u32::try_from(count).ok())
}

//! What the Python SDK's `ConsoleSpanExporter` prints: `ReadableSpan.to_json`.
//!
//! Comes in: one span object. Goes out: OTLP's fields, with the resource and its schema URL. Ids with `0x`, kinds by name and
//! times as text are this format's own way and are not noted. It prints no scope, so there is none.

use super::leaf;
use super::origin::Origin;
use crate::otlp::cursor::{Cursor, Halt};
use crate::otlp::id::Width;
use crate::otlp::raw::{RawAttribute, RawEvent, RawId, RawLink, RawResource, RawSpan, RawValue, Shape};
use crate::otlp::trouble::TroubleKind;

/// One span object, into `span` and `origin`, which are cleared first.
pub(in crate::otlp) fn span<'a>(
    cursor: &mut Cursor<'a, '_>,
    span: &mut RawSpan<'a>,
    origin: &mut Origin<'a>,
) -> Result<(), Halt> {
    span.clear();
    origin.clear();
    cursor.peek()?;
    let from = cursor.at;
    cursor.members(|cursor, key| member(cursor, key, span, origin))?;
    span.settle();
    span.shape = Shape::Console;
    span.raw = cursor.bytes.get(from..cursor.at).unwrap_or_default();
    Ok(())
}

fn member<'a>(
    cursor: &mut Cursor<'a, '_>,
    key: &'a [u8],
    span: &mut RawSpan<'a>,
    origin: &mut Origin<'a>,
) -> Result<bool, Halt> {
    match key {
        b"name" => span.name = leaf::text_field(cursor)?,
        b"context" => {
            let context = context(cursor)?;
            (span.trace_id, span.span_id) = (context.trace_id, context.span_id);
            if let Some(state) = context.state {
                span.push(state);
            }
        }
        b"kind" => span.kind = named(cursor, &KINDS)?,
        b"parent_id" => span.parent_id = leaf::parent_id(cursor)?,
        b"start_time" => span.start = leaf::time(cursor)?,
        b"end_time" => span.end = leaf::time(cursor)?,
        b"status" => status(cursor, span)?,
        b"attributes" => own_attributes(cursor, span)?,
        b"events" => leaf::elements(cursor, |cursor| event(cursor, span))?,
        b"links" => leaf::elements(cursor, |cursor| link(cursor, span))?,
        b"resource" => fill_resource(cursor, origin)?,
        _ => return Ok(false),
    }
    Ok(true)
}

#[derive(Default)]
struct Context<'a> {
    trace_id: RawId<'a>,
    span_id: RawId<'a>,
    state: Option<RawAttribute<'a>>,
}

/// The trace state is printed as Python shows a list, which is no W3C header: `[]` is none, anything else is kept as it is.
fn context<'a>(cursor: &mut Cursor<'a, '_>) -> Result<Context<'a>, Halt> {
    let mut context = Context::default();
    cursor.members(|cursor, key| {
        match key {
            b"trace_id" => context.trace_id = leaf::id(cursor, Width::Trace)?,
            b"span_id" => context.span_id = leaf::id(cursor, Width::Span)?,
            b"trace_state" => {
                let at = cursor.at;
                let value = cursor.plain_value()?;
                let nothing = match value {
                    RawValue::Text(text) => matches!(text.raw, b"[]" | b"{}" | b""),
                    RawValue::Nested(nested) => nested.raw.len() == 2,
                    _ => true,
                };
                if !nothing {
                    cursor.notes.add(TroubleKind::Unmapped, at);
                    context.state = Some(leaf::attribute("console.trace_state", value));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(context)
}

const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// The number of a name like `SpanKind.SERVER` or `StatusCode.OK`; the part before the dot may be missing.
fn named(cursor: &mut Cursor<'_, '_>, names: &[&str]) -> Result<i32, Halt> {
    if leaf::null(cursor)? {
        return Ok(0);
    }
    if cursor.peek()? != b'"' {
        return cursor.loose_integer(false).map(|number| i32::try_from(number).unwrap_or(0));
    }
    let at = cursor.at;
    let written = cursor.string()?.raw;
    let name = written.iter().rposition(|c| *c == b'.').and_then(|dot| written.get(dot + 1..)).unwrap_or(written);
    let number = names.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name));
    if number.is_none() && !name.is_empty() {
        cursor.notes.add(TroubleKind::UnknownEnum, at);
    }
    Ok(number.and_then(|number| i32::try_from(number).ok()).unwrap_or(0))
}

fn status<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    if leaf::null(cursor)? {
        return Ok(());
    }
    cursor.members(|cursor, key| {
        match key {
            b"status_code" => span.status = named(cursor, &CODES)?,
            b"description" => span.message = leaf::text_field(cursor)?,
            _ => return Ok(false),
        }
        Ok(true)
    })
}

fn own_attributes<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    if leaf::null(cursor)? {
        return Ok(());
    }
    cursor.members(|cursor, key| {
        let attribute = RawAttribute { key: leaf::key(key), value: cursor.plain_value()? };
        span.push(attribute);
        Ok(true)
    })
}

fn pooled<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<std::ops::Range<usize>, Halt> {
    let from = span.pool.len();
    if !leaf::null(cursor)? {
        cursor.plain_members(&mut span.pool)?;
    }
    Ok(from..span.pool.len())
}

fn event<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let mut event = RawEvent::default();
    cursor.members(|cursor, key| {
        match key {
            b"name" => event.name = leaf::text_field(cursor)?,
            b"timestamp" => event.time = leaf::time(cursor)?,
            b"attributes" => event.attributes = pooled(cursor, span)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    span.events.push(event);
    Ok(())
}

fn link<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let mut link = RawLink::default();
    let mut state = None;
    cursor.members(|cursor, key| {
        match key {
            b"context" => {
                let context = context(cursor)?;
                (link.trace_id, link.span_id, state) = (context.trace_id, context.span_id, context.state);
            }
            b"attributes" => link.attributes = pooled(cursor, span)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if let Some(state) = state {
        // Another value may stand behind the link's attributes in the pool: they are laid down again, with this one.
        let from = span.pool.len();
        span.pool.extend_from_within(link.attributes.clone());
        span.pool.push(state);
        link.attributes = from..span.pool.len();
    }
    span.links.push(link);
    Ok(())
}

/// The resource from its bytes alone; its schema URL is not one of its own fields.
pub(in crate::otlp) fn resource<'a>(cursor: &mut Cursor<'a, '_>) -> Result<RawResource<'a>, Halt> {
    let mut origin = Origin::default();
    fill_resource(cursor, &mut origin)?;
    Ok(origin.resource)
}

fn fill_resource<'a>(cursor: &mut Cursor<'a, '_>, origin: &mut Origin<'a>) -> Result<(), Halt> {
    if leaf::null(cursor)? {
        return Ok(());
    }
    let from = cursor.at;
    cursor.members(|cursor, key| {
        match key {
            b"attributes" if !leaf::null(cursor)? => cursor.plain_members(&mut origin.resource.attributes)?,
            b"attributes" => {}
            b"schema_url" => origin.schema_url = leaf::text_field(cursor)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    origin.resource.raw = cursor.bytes.get(from..cursor.at).unwrap_or_default();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::notes::Notes;
    use crate::otlp::raw::IdForm;

    const SPAN: &str = r#"{
    "name": "chat",
    "context": {"trace_id": "0x6513270e269e0d37f2a74de452e6b438", "span_id": "0x02f0a7d4b1c3e5f6", "trace_state": "[]"},
    "kind": "SpanKind.CLIENT",
    "parent_id": null,
    "start_time": "2023-11-14T22:13:20.123456Z",
    "end_time": null,
    "status": {"status_code": "ERROR", "description": "no"},
    "attributes": {"n": 1, "list": ["a"], "nan": NaN},
    "events": [{"name": "e", "timestamp": "2023-11-14T22:13:21.000000Z", "attributes": {"k": true}}],
    "links": [{"context": {"trace_id": "0x01", "span_id": "0x02", "trace_state": "['{key=a, value=b}']"}, "attributes": {"x": 1}}],
    "resource": {"attributes": {"service.name": "svc"}, "schema_url": "https://x"}
}"#;

    #[test]
    fn a_span_is_read_with_its_resource() {
        let mut notes = Notes::default();
        let (mut raw, mut origin) = (RawSpan::default(), Origin::default());
        span(&mut Cursor::new(SPAN.as_bytes(), 0, &mut notes), &mut raw, &mut origin).unwrap();
        assert_eq!(raw.raw, SPAN.as_bytes());
        assert_eq!((raw.trace_id.bits, raw.trace_id.form), (0x6513_270e_269e_0d37_f2a7_4de4_52e6_b438, IdForm::Whole));
        assert_eq!((raw.kind, raw.status, raw.parent_id.form), (3, 2, IdForm::Absent));
        assert_eq!((raw.start, raw.end), (1_700_000_000_123_456_000, 0));
        assert_eq!((raw.attributes().len(), raw.pooled(&raw.events[0].attributes).len()), (3, 1));
        let link = raw.pooled(&raw.links[0].attributes);
        assert_eq!((link.len(), link[1].key.raw), (2, &b"console.trace_state"[..]));
        assert_eq!((origin.schema_url.raw, origin.resource.attributes.len()), (&b"https://x"[..], 1));
        let kinds: Vec<TroubleKind> = notes.drain().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [TroubleKind::BareNaN, TroubleKind::Unmapped]);
    }
}

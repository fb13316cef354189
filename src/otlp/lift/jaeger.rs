//! Jaeger's JSON: what `/api/traces` answers and the UI downloads.
//!
//! Comes in: a trace object `{traceID, spans, processes}`, or one span or process of it. Goes out: OTLP's fields; a tag that
//! OTLP has no field for stays an attribute. A span that cannot be parsed costs only itself.
//!
//! Reads backwards: the OpenTelemetry documents "OpenTelemetry to Jaeger Transformation" and "mapping to non-OTLP", and, for
//! logs without an event name, the OpenTracing shim's rule (`log`).

use std::collections::HashMap;

use super::leaf;
use super::origin::Origin;
use super::tags::{self, ErrorTag, Tags};
use crate::otlp::cursor::{Cursor, Halt};
use crate::otlp::id::Width;
use crate::otlp::notes::Notes;
use crate::otlp::number;
use crate::otlp::raw::{
    Nested, RawAttribute, RawEvent, RawId, RawLink, RawResource, RawScope, RawSpan, RawValue, Shape, Text, Wire,
};
use crate::otlp::trouble::TroubleKind;

/// W3C's "sampled", which Jaeger has at the same place.
const SAMPLED: i64 = 1;

/// What [`trace`] does with each span.
pub(in crate::otlp) type Each<'f, 'a> = dyn FnMut(&RawResource<'a>, &RawScope<'a>, &RawSpan<'a>, &mut Notes) + 'f;

/// Every span of a trace object, in the order they are written.
pub(in crate::otlp) fn trace<'a>(
    cursor: &mut Cursor<'a, '_>,
    span: &mut RawSpan<'a>,
    each: &mut Each<'_, 'a>,
) -> Result<(), Halt> {
    let mut spans_at = None;
    let mut processes = HashMap::new();
    // The processes usually stand behind the spans that need them.
    let outline = cursor.members(|cursor, key| match key {
        b"spans" => {
            cursor.peek()?;
            spans_at = Some(cursor.at);
            leaf::pass(cursor).map(|()| true)
        }
        b"processes" => all_processes(cursor, &mut processes).map(|()| true),
        _ => Ok(false),
    });
    let end = cursor.at;
    if let Some(at) = spans_at {
        cursor.at = at;
        let mut origin = Origin::default();
        leaf::elements(cursor, |cursor| element(cursor, span, &mut origin, &processes, each))?;
    }
    cursor.at = end;
    outline
}

fn element<'a>(
    cursor: &mut Cursor<'a, '_>,
    target: &mut RawSpan<'a>,
    origin: &mut Origin<'a>,
    processes: &HashMap<&'a [u8], RawResource<'a>>,
    each: &mut Each<'_, 'a>,
) -> Result<(), Halt> {
    cursor.peek()?;
    let from = cursor.at;
    match span(cursor, target, origin) {
        Ok(()) => {
            let resource = processes.get(origin.process.raw).unwrap_or(&origin.resource);
            each(resource, &origin.scope, target, cursor.notes);
            Ok(())
        }
        Err(Halt::Syntax) => {
            cursor.at = from;
            cursor.note(TroubleKind::BrokenSpan);
            leaf::pass(cursor)
        }
        Err(Halt::End) => Err(Halt::End),
    }
}

fn all_processes<'a>(
    cursor: &mut Cursor<'a, '_>,
    processes: &mut HashMap<&'a [u8], RawResource<'a>>,
) -> Result<(), Halt> {
    cursor.members(|cursor, key| {
        processes.insert(key, process(cursor)?);
        Ok(true)
    })
}

/// One process, `{serviceName, tags}`, as a resource.
pub(in crate::otlp) fn process<'a>(cursor: &mut Cursor<'a, '_>) -> Result<RawResource<'a>, Halt> {
    let mut resource = RawResource::default();
    fill_process(cursor, &mut resource)?;
    Ok(resource)
}

fn fill_process<'a>(cursor: &mut Cursor<'a, '_>, resource: &mut RawResource<'a>) -> Result<(), Halt> {
    cursor.peek()?;
    let from = cursor.at;
    let mut service = None;
    resource.attributes.clear();
    cursor.members(|cursor, key| {
        match key {
            b"serviceName" => service = Some(leaf::text_field(cursor)?),
            b"tags" => leaf::elements(cursor, |cursor| {
                let tag = tag(cursor)?;
                resource.attributes.push(tag);
                Ok(())
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if let Some(service) = service {
        resource.attributes.insert(0, leaf::attribute("service.name", RawValue::Text(service)));
    }
    resource.raw = cursor.bytes.get(from..cursor.at).unwrap_or_default();
    Ok(())
}

/// What a span says before all of it is read.
struct Draft<'a> {
    tags: Tags<'a>,
    duration: Option<u64>,
    parent: RawId<'a>,
    /// Where the references stand: which of them is the parent shows only once the trace id is known.
    references: Option<usize>,
}

/// One span object, into `span` and `origin`, which are cleared first. Its process is [`Origin::process`], unless it stands
/// in the span itself and is the resource then.
pub(in crate::otlp) fn span<'a>(
    cursor: &mut Cursor<'a, '_>,
    span: &mut RawSpan<'a>,
    origin: &mut Origin<'a>,
) -> Result<(), Halt> {
    span.clear();
    origin.clear();
    cursor.peek()?;
    let from = cursor.at;
    let mut draft =
        Draft { tags: Tags::new(ErrorTag::Flag), duration: None, parent: RawId::default(), references: None };
    cursor.members(|cursor, key| member(cursor, key, span, origin, &mut draft))?;
    let end = cursor.at;
    if let Some(at) = draft.references {
        cursor.at = at;
        leaf::elements(cursor, |cursor| reference(cursor, span))?;
        cursor.at = end;
    }
    if span.parent_id.bits == 0 {
        span.parent_id = draft.parent;
    }
    span.end = draft.duration.map_or(0, |duration| span.start.saturating_add(duration));
    draft.tags.settle(span);
    span.settle();
    span.shape = Shape::Jaeger;
    span.raw = cursor.bytes.get(from..end).unwrap_or_default();
    Ok(())
}

fn member<'a>(
    cursor: &mut Cursor<'a, '_>,
    key: &'a [u8],
    span: &mut RawSpan<'a>,
    origin: &mut Origin<'a>,
    draft: &mut Draft<'a>,
) -> Result<bool, Halt> {
    match key {
        b"traceID" | b"traceId" => span.trace_id = leaf::id(cursor, Width::Trace)?,
        b"spanID" | b"spanId" => span.span_id = leaf::id(cursor, Width::Span)?,
        b"parentSpanID" | b"parentSpanId" => draft.parent = leaf::parent_id(cursor)?,
        b"operationName" => span.name = leaf::text_field(cursor)?,
        b"startTime" => span.start = leaf::micros(cursor)?.unwrap_or(0),
        b"duration" => draft.duration = leaf::micros(cursor)?,
        b"processID" | b"processId" => origin.process = leaf::text_field(cursor)?,
        b"process" if cursor.peek()? == b'{' => fill_process(cursor, &mut origin.resource)?,
        b"references" => {
            cursor.peek()?;
            draft.references = Some(cursor.at);
            leaf::pass(cursor)?;
        }
        b"tags" => leaf::elements(cursor, |cursor| {
            let tag = tag(cursor)?;
            draft.tags.take(tag, span, &mut origin.scope);
            Ok(())
        })?,
        b"logs" => leaf::elements(cursor, |cursor| log(cursor, span))?,
        b"flags" => flags(cursor, span)?,
        b"warnings" => warnings(cursor, span)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// A tag or a field of a log: `{key, type, value}`.
fn tag<'a>(cursor: &mut Cursor<'a, '_>) -> Result<RawAttribute<'a>, Halt> {
    let mut tag = RawAttribute::default();
    let mut kind = Text::default();
    cursor.members(|cursor, key| {
        match key {
            b"key" => tag.key = leaf::text_field(cursor)?,
            b"type" => kind = leaf::text_field(cursor)?,
            b"value" => tag.value = cursor.plain_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    tag.value = typed(kind.raw, tag.value).unwrap_or(tag.value);
    Ok(tag)
}

/// The value as its type says, where JSON has no such type or the number was too large for one.
fn typed<'a>(kind: &[u8], value: RawValue<'a>) -> Option<RawValue<'a>> {
    Some(match (kind, value) {
        (b"int64", RawValue::Text(text)) => {
            RawValue::Int(number::integer(text.raw).and_then(|number| i64::try_from(number).ok())?)
        }
        (b"int64", RawValue::Double(_)) => RawValue::Int(value.integer()?),
        (b"float64", RawValue::Int(number)) => RawValue::Double(number as f64),
        (b"float64", RawValue::Text(text)) => RawValue::Double(number::double(text.raw)?),
        (b"bool", RawValue::Text(text)) if text.is("true") => RawValue::Bool(true),
        (b"bool", RawValue::Text(text)) if text.is("false") => RawValue::Bool(false),
        (b"binary", RawValue::Text(text)) => RawValue::Base64(text),
        _ => return None,
    })
}

/// The first CHILD_OF within the trace is the parent; everything else is a link.
fn reference<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let mut kind = Text::default();
    let mut link = RawLink::default();
    cursor.members(|cursor, key| {
        match key {
            b"refType" => kind = leaf::text_field(cursor)?,
            b"traceID" | b"traceId" => link.trace_id = leaf::id(cursor, Width::Trace)?,
            b"spanID" | b"spanId" => link.span_id = leaf::id(cursor, Width::Span)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let child = !kind.raw.eq_ignore_ascii_case(b"FOLLOWS_FROM");
    let here = link.trace_id.bits == 0 || link.trace_id.bits == span.trace_id.bits;
    if child && here && span.parent_id.bits == 0 {
        span.parent_id = link.span_id;
        return Ok(());
    }
    if child {
        let from = span.pool.len();
        span.pool.push(leaf::attribute("opentracing.ref_type", RawValue::Text(leaf::text("child_of"))));
        link.attributes = from..span.pool.len();
    }
    span.links.push(link);
    Ok(())
}

fn log<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let from = span.pool.len();
    let mut event = RawEvent::default();
    let mut name = None;
    cursor.members(|cursor, key| {
        match key {
            b"timestamp" => event.time = leaf::micros(cursor)?.unwrap_or(0),
            b"fields" => leaf::elements(cursor, |cursor| {
                let field = tag(cursor)?;
                match (field.key.raw, field.value) {
                    (b"event", RawValue::Text(text)) if name.is_none() => name = Some(text),
                    (b"otel.dropped_attributes_count", value) => event.dropped = tags::count(&value).unwrap_or(0),
                    _ => span.pool.push(field),
                }
                Ok(())
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    event.name = name.unwrap_or(leaf::text("log"));
    event.attributes = from..span.pool.len();
    span.events.push(event);
    Ok(())
}

/// Of Jaeger's flags OTLP knows "sampled"; a span with others (debug, firehose) keeps the number as an attribute.
fn flags<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let at = cursor.at;
    if leaf::null(cursor)? {
        return Ok(());
    }
    let flags = i64::try_from(cursor.loose_integer(false)?).unwrap_or(0);
    span.flags = u32::from(flags & SAMPLED != 0);
    if flags & !SAMPLED != 0 {
        cursor.notes.add(TroubleKind::Unmapped, at);
        span.push(leaf::attribute("jaeger.flags", RawValue::Int(flags)));
    }
    Ok(())
}

/// What Jaeger itself found odd about a span.
fn warnings<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let mut count = 0usize;
    cursor.peek()?;
    let from = cursor.at;
    leaf::elements(cursor, |cursor| {
        count += 1;
        cursor.skip()
    })?;
    if count > 0 {
        let raw = cursor.bytes.get(from..cursor.at).unwrap_or_default();
        cursor.notes.add(TroubleKind::Unmapped, from);
        let warnings = RawValue::Nested(Nested { raw, wire: Wire::Plain, map: false });
        span.push(leaf::attribute("jaeger.warnings", warnings));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attribute, Value};
    use crate::otlp::raw::IdForm;

    const TRACE: &str = r#"{"traceID":"00ff","spans":[
        {"traceID":"00ff","spanID":"2","operationName":"call","flags":3,
         "references":[{"refType":"CHILD_OF","traceID":"aa","spanID":"9"},{"refType":"CHILD_OF","traceID":"00ff","spanID":"1"},
                       {"refType":"FOLLOWS_FROM","traceID":"00ff","spanID":"7"}],
         "startTime":1485467191639875,"duration":5,
         "tags":[{"key":"span.kind","type":"string","value":"server"},{"key":"error","type":"bool","value":true},
                 {"key":"otel.status_description","type":"string","value":"no"},
                 {"key":"otel.library.name","type":"string","value":"old"},{"key":"otel.scope.name","type":"string","value":"s"},
                 {"key":"w3c.tracestate","type":"string","value":"a=b"},{"key":"f","type":"float64","value":1},
                 {"key":"n","type":"int64","value":"9223372036854775222"},{"key":"b","type":"binary","value":"AAE="},
                 {"key":"otel.dropped_events_count","type":"int64","value":4},
                 {"key":"internal.span.format","type":"string","value":"otlp"}],
         "logs":[{"timestamp":7,"fields":[{"key":"x","value":"y"},{"key":"event","type":"string","value":"e"}]},
                 {"timestamp":8,"fields":[]}],
         "processID":"p1","warnings":["skew"]},
        {"spanID": tru},
        {"traceID":"00ff","spanID":"1","operationName":"root","startTime":1,"duration":0,"tags":null,"logs":null,
         "parentSpanID":"0","processID":"p2","warnings":null}],
        "processes":{"p1":{"serviceName":"svc","tags":[{"key":"host","type":"string","value":"h"}]}},"warnings":null}"#;

    fn attributes(list: &[RawAttribute<'_>]) -> Vec<Attribute> {
        list.iter().map(RawAttribute::decode).collect()
    }

    fn string(key: &str, value: &str) -> Attribute {
        Attribute { key: key.into(), value: Value::String(value.into()) }
    }

    #[test]
    fn a_trace_becomes_spans_with_their_resources() {
        let mut notes = Notes::default();
        let mut cursor = Cursor::new(TRACE.as_bytes(), 0, &mut notes);
        let mut seen = Vec::new();
        let mut kinds = Vec::new();
        trace(&mut cursor, &mut RawSpan::default(), &mut |resource, scope, span, notes| {
            kinds.extend(notes.drain().map(|(kind, _)| kind));
            seen.push((attributes(&resource.attributes), scope.name.decode().into_owned(), span.clone()));
        })
        .unwrap();
        assert_eq!(cursor.at, TRACE.len());
        assert_eq!(
            kinds,
            [TroubleKind::Unmapped, TroubleKind::Unmapped, TroubleKind::WrongType, TroubleKind::BrokenSpan]
        );
        let [(resource, scope, call), (none, _, root)] = seen.as_slice() else { panic!("two spans") };
        assert_eq!(*resource, [string("service.name", "svc"), string("host", "h")]);
        assert_eq!(scope, "s");
        assert!(none.is_empty());
        assert_eq!((call.trace_id.bits, call.trace_id.form, call.span_id.bits), (0xff, IdForm::Whole, 2));
        assert_eq!((call.parent_id.bits, call.kind, call.status, call.flags), (1, 2, 2, 1));
        assert_eq!((call.message.raw, call.trace_state.raw), (&b"no"[..], &b"a=b"[..]));
        assert_eq!((call.start, call.end), (1_485_467_191_639_875_000, 1_485_467_191_639_880_000));
        assert_eq!(call.dropped_events, 4);
        let own = attributes(call.attributes());
        let keys: Vec<&str> = own.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(keys, ["jaeger.flags", "f", "n", "b", "internal.span.format", "jaeger.warnings"]);
        assert_eq!(own[1].value, Value::Double(1.0));
        assert_eq!(own[2].value, Value::Int(9_223_372_036_854_775_222));
        assert_eq!(own[3].value, Value::Bytes(vec![0, 1]));
        assert_eq!(own[5].value, Value::Array(vec![Value::String("skew".into())]));
        let events: Vec<_> =
            call.events.iter().map(|e| (e.time, e.name.raw, attributes(call.pooled(&e.attributes)))).collect();
        assert_eq!(events, [(7000, &b"e"[..], vec![string("x", "y")]), (8000, &b"log"[..], vec![])]);
        let links: Vec<_> = call.links.iter().map(|l| (l.trace_id.bits, l.span_id.bits, l.attributes.len())).collect();
        assert_eq!(links, [(0xaa, 9, 1), (0xff, 7, 0)]);
        assert_eq!((root.parent_id.form, root.start, root.end), (IdForm::Absent, 1000, 1000));
    }
}

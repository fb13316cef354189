//! Zipkin v2 JSON: the elements of what `/api/v2/trace` answers.
//!
//! Comes in: one span object. Goes out: OTLP's fields, the local endpoint as the resource; what OTLP has no field for stays
//! an attribute. A client and a server may share one span id (`zipkin.shared`); they are not told apart here.
//!
//! Reads backwards: the OpenTelemetry document "OpenTelemetry to Zipkin Transformation"; addresses have the names of today's
//! semantic conventions (`network.*`).

use super::leaf;
use super::origin::Origin;
use super::tags::{ErrorTag, Tags};
use crate::otlp::cursor::{Cursor, Halt};
use crate::otlp::id::Width;
use crate::otlp::raw::{RawAttribute, RawEvent, RawResource, RawSpan, RawValue, Shape, Text};
use crate::otlp::trouble::TroubleKind;

const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

/// One span object, into `span` and `origin`, which are cleared first.
///
/// A span without a duration is one whose end nobody reported. Only a message that was sent or received needs none: it
/// ends when it starts.
pub(in crate::otlp) fn span<'a>(
    cursor: &mut Cursor<'a, '_>,
    span: &mut RawSpan<'a>,
    origin: &mut Origin<'a>,
) -> Result<(), Halt> {
    span.clear();
    origin.clear();
    cursor.peek()?;
    let from = cursor.at;
    let mut tags = Tags::new(ErrorTag::Message);
    let mut duration = None;
    cursor.members(|cursor, key| {
        if key == b"duration" {
            duration = leaf::micros(cursor)?;
            return Ok(true);
        }
        member(cursor, key, span, origin, &mut tags)
    })?;
    tags.settle(span);
    span.settle();
    span.end = match duration {
        Some(duration) if span.start != 0 => span.start.saturating_add(duration),
        None if matches!(span.kind, PRODUCER | CONSUMER) => span.start,
        _ => 0,
    };
    span.shape = Shape::Zipkin;
    span.raw = cursor.bytes.get(from..cursor.at).unwrap_or_default();
    Ok(())
}

fn member<'a>(
    cursor: &mut Cursor<'a, '_>,
    key: &'a [u8],
    span: &mut RawSpan<'a>,
    origin: &mut Origin<'a>,
    tags: &mut Tags<'a>,
) -> Result<bool, Halt> {
    match key {
        b"traceId" => span.trace_id = leaf::id(cursor, Width::Trace)?,
        b"id" => span.span_id = leaf::id(cursor, Width::Span)?,
        b"parentId" => span.parent_id = leaf::parent_id(cursor)?,
        b"name" => span.name = leaf::text_field(cursor)?,
        b"kind" => kind(cursor, span)?,
        b"timestamp" => span.start = leaf::micros(cursor)?.unwrap_or(0),
        b"localEndpoint" => local(cursor, span, origin)?,
        b"remoteEndpoint" => remote(cursor, span)?,
        b"annotations" => leaf::elements(cursor, |cursor| annotation(cursor, span))?,
        b"tags" if cursor.peek()? == b'{' => cursor.members(|cursor, key| {
            let value = cursor.plain_value()?;
            tags.take(RawAttribute { key: leaf::key(key), value }, span, &mut origin.scope);
            Ok(true)
        })?,
        b"shared" => mark(cursor, span, "zipkin.shared")?,
        b"debug" => mark(cursor, span, "zipkin.debug")?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn kind(cursor: &mut Cursor<'_, '_>, span: &mut RawSpan<'_>) -> Result<(), Halt> {
    let at = cursor.at;
    span.kind = match leaf::text_field(cursor)?.raw {
        b"" => 0,
        b"SERVER" => 2,
        b"CLIENT" => 3,
        b"PRODUCER" => PRODUCER,
        b"CONSUMER" => CONSUMER,
        _ => {
            cursor.notes.add(TroubleKind::UnknownEnum, at);
            0
        }
    };
    Ok(())
}

/// `true` as an attribute; Zipkin leaves `false` out.
fn mark<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>, key: &'static str) -> Result<(), Halt> {
    if let RawValue::Bool(true) = cursor.plain_value()? {
        span.push(leaf::attribute(key, RawValue::Bool(true)));
    }
    Ok(())
}

#[derive(Default)]
struct Endpoint<'a> {
    service: Option<Text<'a>>,
    /// The service's name with its quotes.
    quoted: &'a [u8],
    ipv4: Option<Text<'a>>,
    ipv6: Option<Text<'a>>,
    port: i64,
}

fn endpoint<'a>(cursor: &mut Cursor<'a, '_>) -> Result<Endpoint<'a>, Halt> {
    let mut endpoint = Endpoint::default();
    if leaf::null(cursor)? {
        return Ok(endpoint);
    }
    let given = |text: Text<'a>| Some(text).filter(|text| !text.is_empty());
    cursor.members(|cursor, key| {
        match key {
            b"serviceName" => {
                cursor.peek()?;
                let from = cursor.at;
                endpoint.service = given(leaf::text_field(cursor)?);
                endpoint.quoted = cursor.bytes.get(from..cursor.at).unwrap_or_default();
            }
            b"ipv4" => endpoint.ipv4 = given(leaf::text_field(cursor)?),
            b"ipv6" => endpoint.ipv6 = given(leaf::text_field(cursor)?),
            b"port" if !leaf::null(cursor)? => {
                endpoint.port = i64::try_from(cursor.loose_integer(false)?).unwrap_or(0);
            }
            b"port" => {}
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(endpoint)
}

/// The service is the resource, and the bytes of its name are the resource's. Its address belongs to the span: the
/// instances of one service differ in it.
fn local<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>, origin: &mut Origin<'a>) -> Result<(), Halt> {
    let endpoint = endpoint(cursor)?;
    if let Some(service) = endpoint.service {
        origin.resource.raw = endpoint.quoted;
        origin.resource.attributes.push(leaf::attribute("service.name", RawValue::Text(service)));
    }
    address(span, &endpoint, ["network.local.address", "network.local.port", "zipkin.local.ipv6"]);
    Ok(())
}

/// The resource from its bytes alone.
pub(in crate::otlp) fn service<'a>(cursor: &mut Cursor<'a, '_>) -> Result<RawResource<'a>, Halt> {
    let service = cursor.string()?;
    Ok(RawResource {
        raw: cursor.bytes,
        attributes: vec![leaf::attribute("service.name", RawValue::Text(service))],
        ..RawResource::default()
    })
}

fn remote<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let endpoint = endpoint(cursor)?;
    if let Some(service) = endpoint.service {
        span.push(leaf::attribute("peer.service", RawValue::Text(service)));
    }
    address(span, &endpoint, ["network.peer.address", "network.peer.port", "zipkin.remote.ipv6"]);
    Ok(())
}

/// The address and port; of two addresses the second one has no name in OpenTelemetry.
fn address<'a>(span: &mut RawSpan<'a>, endpoint: &Endpoint<'a>, [address, port, second]: [&'static str; 3]) {
    if let Some(ip) = endpoint.ipv4.or(endpoint.ipv6) {
        span.push(leaf::attribute(address, RawValue::Text(ip)));
    }
    if endpoint.port != 0 {
        span.push(leaf::attribute(port, RawValue::Int(endpoint.port)));
    }
    if let (Some(_), Some(ip)) = (endpoint.ipv4, endpoint.ipv6) {
        span.push(leaf::attribute(second, RawValue::Text(ip)));
    }
}

fn annotation<'a>(cursor: &mut Cursor<'a, '_>, span: &mut RawSpan<'a>) -> Result<(), Halt> {
    let mut event = RawEvent::default();
    cursor.members(|cursor, key| {
        match key {
            b"timestamp" => event.time = leaf::micros(cursor)?.unwrap_or(0),
            b"value" => event.name = leaf::text_field(cursor)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    span.events.push(event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;
    use crate::otlp::notes::Notes;

    fn read(json: &str) -> (RawSpan<'_>, Origin<'_>, Vec<TroubleKind>) {
        let mut notes = Notes::default();
        let (mut raw, mut origin) = (RawSpan::default(), Origin::default());
        span(&mut Cursor::new(json.as_bytes(), 0, &mut notes), &mut raw, &mut origin).unwrap();
        (raw, origin, notes.drain().map(|(kind, _)| kind).collect())
    }

    #[test]
    fn a_span_is_read_with_its_endpoints() {
        let (span, origin, notes) = read(
            r#"{"traceId":"14b60fd9ae504820","id":"a0dc23f22c4fee3f","parentId":"cfcd115a2af18bd9","kind":"CLIENT","name":"get",
                "timestamp":5,"duration":2,"localEndpoint":{"serviceName":"a","ipv4":"10.0.0.1","ipv6":"::1","port":80},
                "annotations":[{"timestamp":6,"value":"sent"}],"remoteEndpoint":{"serviceName":"db","port":5432},
                "tags":{"http.path":"/x","error":"timed out","otel.scope.name":"s"},"shared":true,"debug":false}"#,
        );
        assert_eq!((span.trace_id.bits, span.kind, span.status), (0x14b6_0fd9_ae50_4820, 3, 2));
        assert_eq!((span.start, span.end, span.message.raw), (5000, 7000, &b"timed out"[..]));
        assert_eq!((origin.resource.raw, origin.resource.attributes.len()), (&b"\"a\""[..], 1));
        assert_eq!(origin.scope.name.raw, b"s");
        let own: Vec<(String, Value)> =
            span.attributes().iter().map(|a| a.decode()).map(|a| (a.key, a.value)).collect();
        let text = |text: &str| Value::String(text.to_owned());
        assert_eq!(
            own,
            [
                ("network.local.address".into(), text("10.0.0.1")),
                ("network.local.port".into(), Value::Int(80)),
                ("zipkin.local.ipv6".into(), text("::1")),
                ("peer.service".into(), text("db")),
                ("network.peer.port".into(), Value::Int(5432)),
                ("http.path".into(), text("/x")),
                ("zipkin.shared".into(), Value::Bool(true)),
            ]
        );
        assert_eq!((span.events.len(), span.events[0].time), (1, 6000));
        assert!(notes.is_empty());
    }

    #[test]
    fn only_messages_may_lack_a_duration() {
        assert_eq!(read(r#"{"id":"1","timestamp":5,"kind":"PRODUCER"}"#).0.end, 5000);
        assert_eq!(read(r#"{"id":"1","timestamp":5,"kind":"SERVER"}"#).0.end, 0);
        assert_eq!(read(r#"{"id":"1","duration":5}"#).0.end, 0);
        assert_eq!(read(r#"{"tags":{"error":"true","otel.status_description":"m"}}"#).0.message.raw, b"m");
        assert_eq!(read(r#"{"tags":{"error":""}}"#).0.status, 2);
        assert_eq!(read(r#"{"tags":{"error":"x","otel.status_code":"OK"}}"#).0.attributes().len(), 1);
    }
}

//! A request in the other encoding, and what one is about.
//!
//! Comes in: a request. Goes out: the same spans as one request, of which everything OTLP can carry survives; or its first span.

use super::batch::Batcher;
use super::group::Group;
use super::plan::{Bounds, Plan, Planned};
use crate::model::{SpanId, TraceId};
use crate::otlp::{Encoding, Framing, JsonReader, ProtoReader, Seen};

/// The request in this encoding.
pub fn converted(request: &[u8], from: Encoding, to: Encoding) -> Vec<u8> {
    let bounds = Bounds { spans: u64::MAX, bytes: usize::MAX };
    let mut out = Vec::new();
    put_together(request, from, to, bounds, &mut |planned| out = planned.bytes.into());
    out
}

/// The spans of a request in as many requests as the bounds ask for, in the same encoding.
pub fn parted(request: &[u8], encoding: Encoding, bounds: Bounds, give: &mut dyn FnMut(Planned)) {
    put_together(request, encoding, encoding, bounds, give);
}

fn put_together(request: &[u8], from: Encoding, to: Encoding, bounds: Bounds, give: &mut dyn FnMut(Planned)) {
    let plan = Plan { encoding: to, bounds, ..Plan::default() };
    let (mut group, mut batcher) = (Group::default(), Batcher::new(to, bounds));
    let mut take = |seen: Seen<'_, '_>| {
        if group.take(seen, &plan) {
            group.pour(&mut batcher, give);
        }
    };
    read(request, from, &mut take);
    group.pour(&mut batcher, give);
    batcher.flush(give);
}

/// The ids and the name of the first span of a request.
pub fn first_span(request: &[u8], encoding: Encoding) -> Option<(TraceId, SpanId, String)> {
    let mut first = None;
    read(request, encoding, &mut |seen: Seen<'_, '_>| {
        if let Seen::Span(span, _) = seen {
            let ids = || (span.trace_id.trace(), span.span_id.span(), span.name.decode().into_owned());
            first.get_or_insert_with(ids);
        }
    });
    first
}

fn read(request: &[u8], encoding: Encoding, take: &mut impl FnMut(Seen<'_, '_>)) {
    match encoding {
        Encoding::Proto => ProtoReader::new(Framing::None).feed(request, 0, true, take),
        Encoding::Json => JsonReader::default().feed(request, 0, true, take),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_the_same() {
        let json = br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"a \"b\"","startTimeUnixNano":"5"}],"schemaUrl":"t"}],"schemaUrl":"r"}]}"#;
        let proto = converted(json, Encoding::Json, Encoding::Proto);
        let again = converted(&proto, Encoding::Proto, Encoding::Json);
        assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(json.to_vec()).unwrap());
        for (request, encoding) in [(&proto[..], Encoding::Proto), (json, Encoding::Json)] {
            let (trace, span, name) = first_span(request, encoding).unwrap();
            assert_eq!((trace.0 >> 120, span.0 >> 56, name.as_str()), (1, 1, "a \"b\""));
        }
        assert_eq!(first_span(b"", Encoding::Proto), None);
    }

    #[test]
    fn a_request_that_is_too_large_becomes_several() {
        let span = |name: &str| format!("{{\"name\":\"{name}\"}}");
        let spans: Vec<String> = (0..20).map(|at| span(&"x".repeat(if at == 7 { 3_000 } else { 100 + at }))).collect();
        let json = format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}]}}]}}]}}", spans.join(","));
        let proto = converted(json.as_bytes(), Encoding::Json, Encoding::Proto);
        for (request, encoding) in [(json.as_bytes(), Encoding::Json), (&proto[..], Encoding::Proto)] {
            let mut parts = Vec::new();
            parted(request, encoding, Bounds { spans: u64::MAX, bytes: 1_000 }, &mut |part| parts.push(part));
            assert_eq!(parts.iter().map(|part| part.spans).sum::<u64>(), 20);
            assert!(parts.iter().all(|part| (part.bytes.len() <= 1_000) != part.oversize));
            assert_eq!(parts.iter().filter(|part| part.oversize).count(), 1);
        }
    }
}

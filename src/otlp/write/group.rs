//! The envelope: resources, their scopes, their spans.
//!
//! Comes in: groups in the order they are to be written. Goes out: one `ExportTraceServiceRequest`, which has the same form as
//! `TracesData`. A resource or scope that says nothing is left out.

use super::json::JsonWriter;
use super::proto::ProtoWriter;
use crate::otlp::raw::{RawResource, RawScope, RawSpan, Text};

/// A `ResourceSpans` to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grouped<'a> {
    /// The resource.
    pub resource: RawResource<'a>,
    /// `schema_url` of the resource.
    pub schema_url: Text<'a>,
    /// What it sent, by scope.
    pub scopes: Vec<ScopeGroup<'a>>,
}

/// A `ScopeSpans` to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScopeGroup<'a> {
    /// The scope.
    pub scope: RawScope<'a>,
    /// `schema_url` of the scope and its spans.
    pub schema_url: Text<'a>,
    /// The spans.
    pub spans: Vec<RawSpan<'a>>,
}

/// Appends a request as OTLP/JSON: one object without a line break.
pub fn json_request(groups: &[Grouped<'_>], out: &mut Vec<u8>) {
    JsonWriter::new(out).request(|writer| {
        for group in groups {
            writer.resource_spans(&group.resource, &group.schema_url, |writer| {
                for inner in &group.scopes {
                    writer.scope_spans(&inner.scope, &inner.schema_url, |writer| {
                        inner.spans.iter().for_each(|span| writer.span(span));
                    });
                }
            });
        }
    });
}

/// Appends a request as OTLP/protobuf, without a length in front.
pub fn proto_request(groups: &[Grouped<'_>], out: &mut Vec<u8>) {
    into_proto(groups, &mut ProtoWriter::new(out));
}

/// How many bytes [`proto_request`] appends, without making them.
pub fn proto_request_len(groups: &[Grouped<'_>]) -> usize {
    let mut counter = ProtoWriter::counter();
    into_proto(groups, &mut counter);
    counter.len()
}

fn into_proto(groups: &[Grouped<'_>], writer: &mut ProtoWriter<'_>) {
    for group in groups {
        writer.resource_spans(&group.resource, &group.schema_url, |writer| {
            for inner in &group.scopes {
                writer.scope_spans(&inner.scope, &inner.schema_url, |writer| {
                    inner.spans.iter().for_each(|span| writer.span(span));
                });
            }
        });
    }
}

/// How many bytes a span takes as an OTLP/protobuf message, its own length not counted (prost's `encoded_len`).
pub fn span_len(span: &RawSpan<'_>) -> usize {
    let mut counter = ProtoWriter::counter();
    counter.span_fields(span);
    counter.len()
}

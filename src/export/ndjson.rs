//! A table of spans, each row a JSON object on a line, with the columns of the Collector's ClickHouse exporter.
//!
//! Comes in: chosen spans. Goes out: one object a line. Maps are objects and lists arrays, of values as they are; times are RFC 3339 with
//! nanoseconds, and the start also Unix nanoseconds; durations are nanoseconds. Databases read it without being told anything.

use std::io::Write;

use serde::Serialize;

use super::attributes::event_time;
use super::exporter::{ExportError, Exporter, Pick};
use super::loss::Exported;
use super::rows::{self, duration, id, kind, status, trace};
use super::shelf::Home;
use super::text::{Members, no_json};
use crate::capture::{Detail, ScopeDetail};
use crate::model::timestamp;

/// Writes the chosen spans.
pub(super) fn write(
    exporter: &mut Exporter<'_>,
    pick: &Pick<'_>,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    rows::write(exporter, pick, no_json, &mut |span, home, scope| {
        serde_json::to_writer(&mut *out, &Row::of(span, home, scope))?;
        out.write_all(b"\n")
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    /// Nothing where the span has no start.
    timestamp: Option<String>,
    timestamp_unix_nano: Option<u64>,
    trace_id: String,
    span_id: String,
    parent_span_id: String,
    trace_state: &'a str,
    span_name: &'a str,
    span_kind: &'static str,
    service_name: &'a str,
    resource_attributes: Members<'a>,
    scope_name: &'a str,
    scope_version: &'a str,
    span_attributes: Members<'a>,
    duration: u64,
    status_code: &'static str,
    status_message: &'a str,
    #[serde(rename = "Events.Timestamp")]
    event_times: Vec<String>,
    #[serde(rename = "Events.Name")]
    event_names: Vec<&'a str>,
    #[serde(rename = "Events.Attributes")]
    event_attributes: Vec<Members<'a>>,
    #[serde(rename = "Links.TraceId")]
    link_traces: Vec<String>,
    #[serde(rename = "Links.SpanId")]
    link_spans: Vec<String>,
    #[serde(rename = "Links.TraceState")]
    link_states: Vec<&'a str>,
    #[serde(rename = "Links.Attributes")]
    link_attributes: Vec<Members<'a>>,
}

impl<'a> Row<'a> {
    fn of(span: &'a Detail, home: &'a Home, scope: &'a ScopeDetail) -> Self {
        let (events, links) = (&span.events, &span.links);
        let start = Some(span.start).filter(|start| *start != 0);
        Self {
            timestamp: start.map(|start| timestamp(start, true)),
            timestamp_unix_nano: start,
            trace_id: trace(span.trace_id),
            span_id: id(span.span_id),
            parent_span_id: id(span.parent_id),
            trace_state: &span.trace_state,
            span_name: &span.name,
            span_kind: kind(span.kind),
            service_name: home.service.as_deref().unwrap_or_default(),
            resource_attributes: Members(&home.resource.attributes),
            scope_name: &scope.name,
            scope_version: &scope.version,
            span_attributes: Members(&span.attributes),
            duration: duration(span),
            status_code: status(span.status),
            status_message: &span.message,
            event_times: events.iter().map(|event| timestamp(event_time(span, event), true)).collect(),
            event_names: events.iter().map(|event| &*event.name).collect(),
            event_attributes: events.iter().map(|event| Members(&event.attributes)).collect(),
            link_traces: links.iter().map(|link| trace(link.trace_id)).collect(),
            link_spans: links.iter().map(|link| id(link.span_id)).collect(),
            link_states: links.iter().map(|link| &*link.trace_state).collect(),
            link_attributes: links.iter().map(|link| Members(&link.attributes)).collect(),
        }
    }
}

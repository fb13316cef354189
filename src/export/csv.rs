//! A table of spans with the columns of the Collector's ClickHouse exporter.
//!
//! Comes in: chosen spans. Goes out: RFC 4180, one row a span below a row of names; maps are JSON objects of texts, arrays are JSON
//! arrays, times are UTC with nanoseconds, durations are nanoseconds.

use std::io::{self, Write};

use serde::Serialize;

use super::attributes::{Counted, event_time, events_without_time, odd_ids, odd_times};
use super::exporter::{ExportError, Exporter, Pick};
use super::loss::{Exported, Loss};
use super::shelf::Home;
use super::text::{Texts, no_texts, repeated, sql_time};
use crate::capture::{Detail, ScopeDetail};
use crate::model::{Attribute, Kind, SpanId, Status, TraceId};

/// The columns.
const COLUMNS: [&str; 22] = [
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "TraceState",
    "SpanName",
    "SpanKind",
    "ServiceName",
    "ResourceAttributes",
    "ScopeName",
    "ScopeVersion",
    "SpanAttributes",
    "Duration",
    "StatusCode",
    "StatusMessage",
    "Events.Timestamp",
    "Events.Name",
    "Events.Attributes",
    "Links.TraceId",
    "Links.SpanId",
    "Links.TraceState",
    "Links.Attributes",
];

/// Writes the chosen spans.
pub(super) fn write(
    exporter: &mut Exporter<'_>,
    pick: &Pick<'_>,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let mut counted = Counted::default();
    line(&COLUMNS, out)?;
    for spans in exporter.rows(pick) {
        for span in spans {
            let Some(detail) = exporter.shelf.span(span)? else {
                exported.missing += 1;
                continue;
            };
            let shelf = &exporter.shelf;
            let (_, home) = shelf.home(span);
            counted.origin(shelf, span, None, &mut exported);
            losses(&detail, &mut exported);
            for list in lists(&detail, home) {
                exported.count(Loss::ValueType, no_texts(list));
            }
            exported.count(Loss::RepeatedKey, lists(&detail, home).map(repeated).sum());
            line(&row(&detail, home, shelf.scope(span)), out)?;
            exported.spans += 1;
        }
    }
    Ok(exported)
}

fn row(span: &Detail, home: &Home, scope: &ScopeDetail) -> [String; COLUMNS.len()] {
    let (events, links) = (&span.events, &span.links);
    [
        sql_time(span.start),
        trace(span.trace_id),
        id(span.span_id),
        id(span.parent_id),
        span.trace_state.clone(),
        span.name.clone(),
        kind(span.kind).to_owned(),
        home.service.clone().unwrap_or_default(),
        json(&Texts(&home.resource.attributes)),
        scope.name.clone(),
        scope.version.clone(),
        json(&Texts(&span.attributes)),
        duration(span).to_string(),
        status(span.status).to_owned(),
        span.message.clone(),
        list(events.iter().map(|event| sql_time(event_time(span, event)))),
        list(events.iter().map(|event| &event.name)),
        list(events.iter().map(|event| Texts(&event.attributes))),
        list(links.iter().map(|link| trace(link.trace_id))),
        list(links.iter().map(|link| id(link.span_id))),
        list(links.iter().map(|link| &link.trace_state)),
        list(links.iter().map(|link| Texts(&link.attributes))),
    ]
}

/// Counts what rows of this table lose of a span, however they are written.
pub(super) fn losses(span: &Detail, exported: &mut Exported) {
    odd_times(span, exported);
    events_without_time(span, exported);
    odd_ids(span, exported);
    exported.note(Loss::Flags, span.flags != 0);
    exported.count(Loss::Flags, span.links.iter().filter(|link| link.flags != 0).count());
    let counts = [span.dropped_attributes, span.dropped_events, span.dropped_links].into_iter();
    let counts = counts.chain(span.events.iter().map(|event| event.dropped));
    let counts = counts.chain(span.links.iter().map(|link| link.dropped));
    exported.count(Loss::Dropped, counts.filter(|count| *count > 0).count());
}

/// All lists of attributes of a row.
pub(super) fn lists<'a>(span: &'a Detail, home: &'a Home) -> impl Iterator<Item = &'a [Attribute]> {
    let events = span.events.iter().map(|event| &*event.attributes);
    let links = span.links.iter().map(|link| &*link.attributes);
    [&*span.attributes, &*home.resource.attributes].into_iter().chain(events).chain(links)
}

/// How long a span took.
pub(super) fn duration(span: &Detail) -> u64 {
    if span.start == 0 { 0 } else { span.end.saturating_sub(span.start) }
}

pub(super) fn trace(id: TraceId) -> String {
    if id.is_none() { String::new() } else { id.to_string() }
}

pub(super) fn id(id: SpanId) -> String {
    if id.is_none() { String::new() } else { id.to_string() }
}

/// The exporter's names of kinds.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Unspecified => "Unspecified",
        Kind::Internal => "Internal",
        Kind::Server => "Server",
        Kind::Client => "Client",
        Kind::Producer => "Producer",
        Kind::Consumer => "Consumer",
    }
}

/// The exporter's names of statuses.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Unset => "Unset",
        Status::Ok => "Ok",
        Status::Error => "Error",
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn list<T: Serialize>(items: impl Iterator<Item = T>) -> String {
    json(&items.collect::<Vec<T>>())
}

/// Writes a row; what holds a comma, a quote or the end of a line stands in quotes.
fn line<T: AsRef<str>>(fields: &[T], out: &mut dyn Write) -> io::Result<()> {
    for (number, field) in fields.iter().enumerate() {
        let field = field.as_ref();
        if number > 0 {
            out.write_all(b",")?;
        }
        if field.contains([',', '"', '\r', '\n']) {
            write!(out, "\"{}\"", field.replace('"', "\"\""))?;
        } else {
            out.write_all(field.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}

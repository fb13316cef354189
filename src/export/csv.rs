//! A table of spans with the columns of the Collector's ClickHouse exporter.
//!
//! Comes in: chosen spans. Goes out: RFC 4180, one row a span below a row of names; maps are JSON objects of texts, arrays are JSON
//! arrays, times are UTC with nanoseconds, durations are nanoseconds.

use std::io::{self, Write};

use serde::Serialize;

use super::attributes::event_time;
use super::exporter::{ExportError, Exporter, Pick};
use super::loss::Exported;
use super::rows::{self, duration, id, kind, status, trace};
use super::shelf::Home;
use super::text::{Texts, no_texts, sql_time};
use crate::capture::{Detail, ScopeDetail};

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
    line(&COLUMNS, out)?;
    rows::write(exporter, pick, no_texts, &mut |span, home, scope| line(&row(span, home, scope), out))
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

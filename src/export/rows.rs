//! What tables of spans have in common: a row a span, and the same things lost.
//!
//! Comes in: chosen spans, and somebody who writes a row. Goes out: the rows in order, and what they could not hold.

use std::io;

use super::attributes::{Counted, events_without_time, odd_ids, odd_times};
use super::exporter::{ExportError, Exporter, Pick};
use super::loss::{Exported, Loss};
use super::shelf::Home;
use super::text::repeated;
use crate::capture::{Detail, ScopeDetail};
use crate::model::{Attribute, Kind, SpanId, Status, TraceId};

/// Writes a row.
type Row<'w> = dyn FnMut(&Detail, &Home, &ScopeDetail) -> io::Result<()> + 'w;

/// Writes the chosen spans. `changed` counts the values of a list whose type the table does not have.
pub(super) fn write(
    exporter: &mut Exporter<'_>,
    pick: &Pick<'_>,
    changed: fn(&[Attribute]) -> usize,
    row: &mut Row<'_>,
) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let mut counted = Counted::default();
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
                exported.count(Loss::ValueType, changed(list));
                exported.count(Loss::RepeatedKey, repeated(list));
            }
            row(&detail, home, shelf.scope(span))?;
            exported.spans += 1;
        }
    }
    Ok(exported)
}

/// Counts what rows lose of a span, however they are written.
fn losses(span: &Detail, exported: &mut Exported) {
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
fn lists<'a>(span: &'a Detail, home: &'a Home) -> impl Iterator<Item = &'a [Attribute]> {
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

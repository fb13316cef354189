//! What is lost of spans, resources and scopes in the same way wherever they are written.
//!
//! Comes in: a span and where it came from. Goes out: counts. A resource or scope is counted once, however many spans share it.

use std::collections::HashSet;

use super::loss::{Exported, Loss};
use super::shelf::Shelf;
use crate::capture::{Detail, EventDetail, SpanRef};

/// Resources and scopes that were counted.
#[derive(Debug, Default)]
pub(super) struct Counted {
    resources: HashSet<u32>,
    scopes: HashSet<u32>,
}

impl Counted {
    /// Counts what the resource and scope of a span lose. `resource` says what becomes of the resource's other attributes, where it is
    /// not simply kept.
    pub(super) fn origin(&mut self, shelf: &Shelf<'_>, span: SpanRef, resource: Option<Loss>, exported: &mut Exported) {
        let (number, home) = shelf.home(span);
        if self.resources.insert(number) {
            exported.note(Loss::SchemaUrl, !home.resource.schema_url.is_empty());
            exported.note(Loss::Dropped, home.resource.dropped > 0);
            let others = home.resource.attributes.iter().any(|attribute| attribute.key != "service.name");
            if let Some(loss) = resource {
                exported.note(loss, others);
            }
        }
        let (_, number) = shelf.capture.envelope_numbers(span);
        if self.scopes.insert(number) {
            let scope = shelf.scope(span);
            exported.note(Loss::SchemaUrl, !scope.schema_url.is_empty());
            exported.note(Loss::Dropped, scope.dropped > 0);
            exported.note(Loss::Scope, !scope.attributes.is_empty());
        }
    }
}

/// Counts what the times of a span and its events lose where microseconds are the finest.
pub(super) fn micros(span: &Detail, exported: &mut Exported) {
    let times = [span.start, span.end].into_iter().chain(span.events.iter().map(|event| event.time));
    exported.count(Loss::Nanoseconds, times.filter(|time| time % 1000 != 0).count());
    events_without_time(span, exported);
}

/// Counts what is odd in the times of a span.
pub(super) fn odd_times(span: &Detail, exported: &mut Exported) {
    exported.note(Loss::NoStart, span.start == 0);
    exported.note(Loss::Unfinished, span.end == 0);
    exported.note(Loss::Backwards, span.start != 0 && span.end != 0 && span.end < span.start);
}

/// When an event happened; one that does not say so did at the start of its span.
pub(super) fn event_time(span: &Detail, event: &EventDetail) -> u64 {
    if event.time == 0 { span.start } else { event.time }
}

/// Counts events that do not say when they happened.
pub(super) fn events_without_time(span: &Detail, exported: &mut Exported) {
    exported.count(Loss::EventTime, span.events.iter().filter(|event| event.time == 0).count());
}

/// Counts ids that had to be made anew.
pub(super) fn odd_ids(span: &Detail, exported: &mut Exported) {
    exported.count(Loss::OddId, span.odd_ids.iter().flatten().count());
}

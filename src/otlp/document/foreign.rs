//! Documents that are no OTLP envelope: spans and traces of other formats.
//!
//! Comes in: an object whose keys are nobody's envelope. Goes out: its spans, each with its own resource and scope.

use super::super::cursor::{Cursor, Halt};
use super::super::lift::{Foreign, Origin, classify, console, jaeger, zipkin};
use super::super::notes::Notes;
use super::super::path;
use super::super::raw::{RawResource, RawScope, RawSpan, Text};
use super::super::seen::Seen;
use super::super::trouble::TroubleKind;
use super::frame::path_of;
use super::reader::JsonReader;
use super::tell::tally_notes;

impl JsonReader {
    /// An object that is no envelope: a span or trace of another format, or something else altogether.
    pub(super) fn bare<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let from = cursor.at;
        self.enter_leaf(cursor, from);
        cursor.skip()?;
        cursor.notes.clear();
        let foreign = classify(cursor.bytes.get(from..cursor.at).unwrap_or_default());
        if let Foreign::Unknown(looks) = &foreign {
            self.tally.look(looks.sentence());
            self.note_at(TroubleKind::OtherDocument, from);
        } else {
            cursor.at = from;
            self.foreign(cursor, &foreign, span, sink)?;
        }
        self.bump();
        Ok(())
    }

    /// Spans of another format, each with its own resource and scope.
    fn foreign<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        foreign: &Foreign,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let (base, bytes) = (self.base, cursor.bytes);
        let (tally, frames) = (&mut self.tally, &self.frames);
        // Spans of one process that follow each other are of one resource.
        let mut open: Option<Open> = None;
        let mut each =
            |origin: (&RawResource<'_>, &RawScope<'_>), url: Text<'_>, span: &RawSpan<'_>, notes: &mut Notes| {
                let place = |part: &[u8]| base + offset_in(bytes, part) as u64;
                tally_notes(
                    tally,
                    notes,
                    base,
                    |at| {
                        let from = offset_in(bytes, span.raw);
                        format!("{}{}", path_of(frames, ""), path::to_offset(span.raw, at.saturating_sub(from)))
                    },
                    Some(span),
                );
                let now = Open::of(place(origin.0.raw), origin.1);
                if open.as_ref() != Some(&now) {
                    if open.replace(now).is_some() {
                        sink(Seen::CloseScope);
                        sink(Seen::Close);
                    }
                    sink(Seen::Open);
                    sink(Seen::Resource(origin.0, place(origin.0.raw), span.shape));
                    if !url.is_empty() {
                        sink(Seen::ResourceSchema(url));
                    }
                    sink(Seen::OpenScope);
                    sink(Seen::Scope(origin.1, place(origin.1.raw)));
                }
                sink(Seen::Span(span, place(span.raw)));
            };
        let mut origin = Origin::default();
        let read = match foreign {
            Foreign::JaegerTrace => jaeger::trace(cursor, span, &mut |resource, scope, span, notes| {
                each((resource, scope), Text::default(), span, notes);
            }),
            Foreign::ZipkinSpan => zipkin::span(cursor, span, &mut origin),
            Foreign::ConsoleSpan => console::span(cursor, span, &mut origin),
            Foreign::Unknown(_) => return cursor.skip(),
        };
        if read.is_ok() && *foreign != Foreign::JaegerTrace {
            each((&origin.resource, &origin.scope), origin.schema_url, span, cursor.notes);
        }
        if open.is_some() {
            sink(Seen::CloseScope);
            sink(Seen::Close);
        }
        read
    }
}

/// The resource and scope that stand open: where the one is, and what the other says.
#[derive(PartialEq)]
struct Open {
    resource: u64,
    scope: (Vec<u8>, Vec<u8>),
}

impl Open {
    fn of(resource: u64, scope: &RawScope<'_>) -> Self {
        Self { resource, scope: (scope.name.raw.to_vec(), scope.version.raw.to_vec()) }
    }
}

/// Where a part of the buffer begins in it; zero for what is no part of it.
fn offset_in(bytes: &[u8], part: &[u8]) -> usize {
    let offset = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    if offset <= bytes.len() { offset } else { 0 }
}

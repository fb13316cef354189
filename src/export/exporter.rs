//! The traces of a capture, one after another, in one of the formats.
//!
//! Comes in: a capture with its traces, and what changes on the way. Goes out: a document of the format for each choice of spans, and
//! what was counted. Nothing is kept but the capture's own tables and one trace's numbers.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use thiserror::Error;

use super::format::Format;
use super::loss::Exported;
use super::shelf::Shelf;
use super::{chrome, csv, folded, jaeger, ndjson, zipkin};
use crate::capture::{Capture, SpanRef};
use crate::forest::Forest;
use crate::input::InputError;
use crate::mend::Alteration;

/// Why spans could not be written.
#[derive(Debug, Error)]
pub enum ExportError {
    /// An input cannot be read again.
    #[error(transparent)]
    Read(#[from] InputError),
    /// The document cannot be written.
    #[error("the converted traces cannot be written")]
    Write(#[from] io::Error),
}

/// Which spans are written.
pub struct Pick<'p> {
    /// The numbers of the traces.
    pub traces: Range<usize>,
    /// Of these, the spans for which this is true.
    pub chosen: &'p dyn Fn(SpanRef) -> bool,
    /// Spans come by their starts, those of all traces together, where the format has an order at all.
    pub by_start: bool,
}

/// Writes traces in the formats of other tools.
pub struct Exporter<'a> {
    pub(super) shelf: Shelf<'a>,
    pub(super) forest: &'a Forest,
}

impl<'a> Exporter<'a> {
    /// Gets ready: resources and scopes are read.
    pub fn new(capture: &'a Capture, forest: &'a Forest, alteration: &'a Alteration) -> Result<Self, ExportError> {
        Ok(Self { shelf: Shelf::new(capture, alteration)?, forest })
    }

    /// Reads no more spans once this is true.
    pub fn until(mut self, stop: &'a AtomicBool) -> Self {
        self.shelf.stop = Some(stop);
        self
    }

    /// Writes a whole document of the format. Traces come by their starts, and so do the spans of a trace, unless all spans do.
    pub fn write(&mut self, format: Format, pick: &Pick<'_>, out: &mut dyn Write) -> Result<Exported, ExportError> {
        match format {
            Format::Jaeger => jaeger::write(self, pick, out),
            Format::Zipkin => zipkin::write(self, pick, out),
            Format::Chrome => chrome::write(self, pick, out),
            Format::Folded => folded::write(self, pick, out),
            Format::Csv => csv::write(self, pick, out),
            Format::Ndjson => ndjson::write(self, pick, out),
        }
    }

    /// The chosen spans of a trace by their starts, repeats included.
    pub(super) fn spans(&self, trace: usize, pick: &Pick<'_>) -> Vec<SpanRef> {
        self.sorted(trace..trace + 1, pick)
    }

    /// All chosen spans in the order they are written in where traces are not apart: one list each trace, or one of all.
    pub(super) fn rows(&self, pick: &Pick<'_>) -> impl Iterator<Item = Vec<SpanRef>> + use<'a> {
        let lists: Vec<Vec<SpanRef>> = match pick.by_start {
            true => vec![self.sorted(pick.traces.clone(), pick)],
            false => pick.traces.clone().map(|trace| self.spans(trace, pick)).collect(),
        };
        lists.into_iter()
    }

    fn sorted(&self, traces: Range<usize>, pick: &Pick<'_>) -> Vec<SpanRef> {
        let capture = self.shelf.capture;
        let spans = traces.flat_map(|trace| self.forest.trace(trace).spans.iter().copied());
        let mut spans: Vec<SpanRef> = spans.filter(|span| (pick.chosen)(*span)).collect();
        spans.sort_unstable_by_key(|span| {
            let head = capture.head(*span);
            (head.start == 0, head.start, head.end, head.id, *span)
        });
        spans
    }
}

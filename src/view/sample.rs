//! Small captures for the tests of this room and of the renderers.
//!
//! Comes in: names, ids and times. Goes out: a capture without bytes, so that no span can be read again.

use crate::capture::{Capture, Head, Marks, NameId, Origin, OriginId, SourceId};
use crate::model::{SpanId, TraceId};

/// When sample traces start: 2023-11-14T22:13:20Z.
pub(crate) const EPOCH: u64 = 1_700_000_000_000_000_000;

/// A capture in the making.
#[derive(Default)]
pub(crate) struct Sample {
    heads: Vec<Head>,
    texts: Vec<String>,
    origins: Vec<Origin>,
    trace: u128,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self { texts: vec![String::new()], trace: 0x7b1c_9e01 << 96, ..Self::default() }
    }

    /// Later spans belong to another trace.
    pub(crate) fn trace(&mut self, id: u128) {
        self.trace = id;
    }

    /// Adds a span; times are microseconds after the epoch, an end of zero is none.
    pub(crate) fn span(&mut self, id: u64, parent: u64, name: &str, service: &str, times: [u64; 2]) -> &mut Head {
        let origin = Origin { service: self.text(service), scope: NameId(0) };
        let known = self.origins.iter().position(|other| *other == origin);
        let origin = known.unwrap_or_else(|| {
            self.origins.push(origin);
            self.origins.len() - 1
        });
        let [start, end] = times.map(|micros| EPOCH + micros * 1000);
        let head = Head {
            trace: TraceId(self.trace),
            id: SpanId(id),
            parent: SpanId(parent),
            start,
            end: if times[1] == 0 { 0 } else { end },
            at: 0,
            size: 100,
            name: self.text(name),
            origin: OriginId(origin as u32),
            marks: Marks::default(),
            attributes: 0,
            events: 0,
            links: 0,
            source: SourceId(0),
        };
        self.heads.push(head);
        self.heads.last_mut().unwrap()
    }

    pub(crate) fn capture(self) -> Capture {
        Capture::of_parts(self.heads, self.texts, self.origins)
    }

    fn text(&mut self, text: &str) -> NameId {
        let known = self.texts.iter().position(|other| other == text);
        NameId(known.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        }) as u32)
    }
}

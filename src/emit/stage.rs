//! Plays traces: one by its number, or a chunk of them as requests that a server would export.
//!
//! Comes in: a plan and a number. Goes out: encoded requests. A trace depends on the seed and its number alone, so that it does
//! not matter who plays it, or when.

use super::cast::Cast;
use super::chance::{Chance, mixed};
use super::encode::encode;
use super::fault::{Hits, Warp};
use super::plan::{Convention, Plan};
use super::plot::Plot;
use super::sheet::Sheet;
use super::tell::{Flat, Letta, Teller};
use crate::otlp::Encoding;

/// Spans of a request: what the SDKs' batch processor sends at once.
pub const BATCH: usize = 512;

/// A request ready to be written or sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The `ExportTraceServiceRequest`, encoded.
    pub bytes: Vec<u8>,
    /// How many spans are in it.
    pub spans: usize,
    /// When the last of them ends, in virtual Unix nanoseconds: it cannot be sent before.
    pub ends: u64,
    /// Where it is written or sent, its half follows.
    pub torn: bool,
}

impl Batch {
    /// The request, cut off in the middle: nobody can decode that.
    pub fn half(&self) -> &[u8] {
        self.bytes.get(..self.bytes.len() / 2).unwrap_or_default()
    }
}

/// A chunk: its requests, and how many spans each of its traces has.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    /// The requests, in order.
    pub(super) batches: Vec<Batch>,
    /// Spans, trace by trace.
    pub(super) spans: Vec<usize>,
}

/// Plays traces of a plan.
pub(super) struct Stage<'p> {
    plan: &'p Plan,
    cast: Cast,
}

impl<'p> Stage<'p> {
    /// A stage for this plan.
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self { plan, cast: Cast::of(plan) }
    }

    /// Plays the trace of this number.
    pub(super) fn trace(&self, number: u64) -> Sheet {
        let mut sheet = Sheet::new(Chance::new(self.plan.seed, number));
        let hits = self.hits(number);
        let now = self.arrival(number);
        if let Some(script) = &self.plan.script {
            script.play(&mut sheet, now);
        } else {
            let story = Plot::new(self.plan, hits, number, &mut sheet).story();
            let mut teller = Teller { plan: self.plan, cast: &self.cast, sheet: &mut sheet, now };
            match self.plan.convention {
                Convention::Letta => Letta::new(&mut teller, &story).story(),
                _ => Flat::new(&mut teller, &story).story(),
            }
        }
        sheet.spans.retain(|span| span.trace != 0);
        Warp::new(&mut sheet, self.plan, &self.cast).apply(hits);
        sheet
    }

    /// The faults that hit a trace.
    fn hits(&self, number: u64) -> Hits {
        let mut hits = Hits::default();
        for wanted in &self.plan.faults {
            let mut chance = Chance::new(self.plan.seed ^ mixed(wanted.fault as u64 + 1), number);
            if chance.happens(wanted.rate) {
                hits.add(wanted.fault);
            }
        }
        hits
    }

    /// When a request comes in: requests are spread evenly, each somewhere in its own share of time.
    fn arrival(&self, number: u64) -> u64 {
        let period = self.plan.period();
        let jitter = if number == 0 { 0 } else { Chance::new(self.plan.seed ^ 0xa221, number).below(period) };
        // Far from the end of time, so that whatever takes long still ends.
        self.plan.start.saturating_add(number.saturating_mul(period)).saturating_add(jitter).min(1 << 63)
    }

    /// Plays traces from `first` on, so many of them.
    pub(super) fn chunk(&self, first: u64, traces: u64, encoding: Encoding) -> Chunk {
        let sheets: Vec<Sheet> = (first..first.saturating_add(traces)).map(|number| self.trace(number)).collect();
        let mut order: Vec<(u64, u32, u32)> = Vec::with_capacity(sheets.iter().map(|sheet| sheet.spans.len()).sum());
        for (number, sheet) in (0..).zip(&sheets) {
            order.extend((0..).zip(&sheet.spans).map(|(at, span)| (span.end, number, at)));
        }
        // Spans are exported when they end: children before parents, traces mixed.
        order.sort_unstable();
        let batches = order.chunks(BATCH).map(|part| encode(part, &sheets, &self.cast, encoding)).collect();
        Chunk { batches, spans: sheets.iter().map(|sheet| sheet.spans.len()).collect() }
    }
}

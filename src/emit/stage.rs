//! Plays traces: one by its number, or a chunk of them as requests that a server would export.
//!
//! Comes in: a plan and a number. Goes out: encoded requests. A trace depends on the seed and its number alone, so that it does
//! not matter who plays it, or when.

use std::sync::mpsc::Receiver;

use super::cast::Cast;
use super::chance::{Chance, mixed};
use super::encode::encode;
use super::fault::{Hits, Warp};
use super::plan::{Convention, Plan};
use super::plot::Plot;
use super::scene::Scene;
use super::sheet::Sheet;
use super::tell::{Flat, Letta, Teller};
use super::tour::STOPS;
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
    /// Where it is written or sent, a part of it follows that is cut off.
    pub torn: bool,
}

/// Where the first span of a request in JSON begins.
const FIRST: &[u8] = b"\"spans\":[{";

impl Batch {
    /// Where it is to be torn: the request, cut off inside its first span. Nobody can decode that, and no span is whole that would be
    /// there a second time.
    pub fn torn(&self) -> Option<&[u8]> {
        let cut = || {
            let half = self.bytes.len() / 2;
            let first = memchr::memmem::find(&self.bytes, FIRST);
            self.bytes.get(..first.map_or(half, |at| half.min(at + FIRST.len() + 12)))
        };
        if self.torn { cut() } else { None }
    }
}

/// A chunk: its requests, and what is in its traces.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    /// The requests, in order.
    pub(super) batches: Vec<Batch>,
    /// Spans, trace by trace.
    pub(super) spans: Vec<usize>,
    /// Faults that hit one of them.
    pub(super) hit: Hits,
    /// Faults that found something to spoil.
    pub(super) spoilt: Hits,
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
    #[cfg(test)]
    pub(super) fn trace(&self, number: u64) -> Sheet {
        let mut sheet = Sheet::new(Chance::new(0, 0));
        self.play(number, &mut sheet);
        sheet
    }

    /// Plays the trace of this number on a sheet that may have held another one; the faults that hit it, and those that found something
    /// to spoil.
    fn play(&self, number: u64, sheet: &mut Sheet) -> (Hits, Hits) {
        sheet.begin(self.plan.seed, number);
        let (plan, seat) = self.plan.of_trace(number);
        let plan = plan.as_ref();
        let hits = self.hits(number);
        let now = self.arrival(number);
        let mut spoilt = Hits::default();
        let before = number.checked_sub(1).map(|before| Sheet::beginning(plan.seed, before));
        if let Some(script) = &plan.script {
            Scene::new(script, sheet, before).play(now);
        } else {
            sheet.service = self.cast.server(plan.convention);
            let (story, twisted) = Plot::new(plan, hits, seat, sheet).story();
            spoilt = twisted;
            let mut teller = Teller { plan, cast: &self.cast, sheet: &mut *sheet, now, before, connected: false };
            match plan.convention {
                Convention::Letta => Letta::new(&mut teller, &story).story(),
                _ => Flat::new(&mut teller, &story).story(),
            }
        }
        sheet.spans.retain(|span| span.trace != 0);
        spoilt.join(Warp::new(sheet, plan, &self.cast).apply(hits));
        (hits, spoilt)
    }

    /// The faults that hit a trace.
    fn hits(&self, number: u64) -> Hits {
        let mut hits = Hits::default();
        let stop = usize::try_from(number).ok().and_then(|at| STOPS.get(at)).filter(|_| self.plan.tour);
        stop.and_then(|stop| stop.fault).into_iter().for_each(|fault| hits.add(fault));
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
        let (from, to) = (self.plan.rate.due(number), self.plan.rate.due(number.saturating_add(1)));
        let share = to.min(self.plan.extent.duration).saturating_sub(from);
        let jitter = if number == 0 { 0 } else { Chance::new(self.plan.seed ^ 0xa221, number).below(share) };
        // Far from the end of time, so that whatever takes long still ends.
        self.plan.start.saturating_add(from).saturating_add(jitter).min(1 << 63)
    }

    /// Plays traces from `first` on, so many of them.
    pub(super) fn chunk(&self, first: u64, traces: u64, encoding: Encoding, desk: &mut Desk) -> Chunk {
        let traces = usize::try_from(traces).unwrap_or(0);
        if desk.sheets.len() < traces {
            desk.sheets.resize_with(traces, || Sheet::new(Chance::new(0, 0)));
        }
        let sheets = desk.sheets.get_mut(..traces).unwrap_or_default();
        desk.order.clear();
        let (mut hit, mut spoilt) = (Hits::default(), Hits::default());
        for (number, sheet) in (0..).zip(&mut *sheets) {
            let found = self.play(first.saturating_add(u64::from(number)), sheet);
            hit.join(found.0);
            spoilt.join(found.1);
            desk.order.extend((0..).zip(&sheet.spans).map(|(at, span)| (span.end, number, at)));
        }
        // Spans are exported when they end: children before parents, traces mixed.
        desk.order.sort_unstable();
        let spent = &desk.spent;
        let room = || spent.as_ref().and_then(|spent| spent.try_recv().ok()).unwrap_or_default();
        let parts = requests(&desk.order, self.plan.flush);
        let batches = parts.map(|part| encode(part, sheets, &self.cast, encoding, room())).collect();
        Chunk { batches, spans: sheets.iter().map(|sheet| sheet.spans.len()).collect(), hit, spoilt }
    }
}

/// A span that ended: when, its sheet, its number there.
pub(super) type Ended = (u64, u32, u32);

/// Cuts spans into requests: each is full, or what it began with has waited long enough.
fn requests(order: &[Ended], flush: u64) -> impl Iterator<Item = &[Ended]> {
    let mut rest = order;
    std::iter::from_fn(move || {
        let (first, ..) = rest.first()?;
        let full = rest.get(..BATCH).unwrap_or(rest);
        let (part, later) = rest.split_at(full.partition_point(|(end, ..)| end - first <= flush));
        rest = later;
        Some(part)
    })
}

/// What a thread works with from chunk to chunk.
#[derive(Default)]
pub(super) struct Desk {
    sheets: Vec<Sheet>,
    order: Vec<Ended>,
    /// Buffers of requests that have been written.
    spent: Option<Receiver<Vec<u8>>>,
}

impl Desk {
    /// An empty desk to which such buffers come back.
    pub(super) fn new(spent: Receiver<Vec<u8>>) -> Self {
        Self { spent: Some(spent), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_full_or_have_waited() {
        let order: Vec<Ended> = (0..2_000).map(|at| (at * 10, 0, at as u32)).collect();
        let sizes = |flush| requests(&order, flush).map(<[Ended]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(u64::MAX), [512, 512, 512, 464]);
        assert_eq!(sizes(4_000), [401, 401, 401, 401, 396]);
        assert_eq!(sizes(0), [1; 2_000]);
    }

    #[test]
    fn what_is_torn_holds_no_whole_span() {
        let plan = Plan { extent: super::super::Extent { traces: 1, ..Plan::default().extent }, ..Plan::default() };
        for encoding in [Encoding::Proto, Encoding::Json] {
            let chunk = Stage::new(&plan).chunk(0, 1, encoding, &mut Desk::default());
            for batch in chunk.batches {
                assert_eq!(batch.torn(), None, "unless it is asked for");
                let batch = Batch { torn: true, ..batch };
                let torn = batch.torn().unwrap();
                assert!(!torn.is_empty() && torn.len() < batch.bytes.len());
                assert!(encoding == Encoding::Proto || !torn.windows(8).any(|text| text == b"\"spanId\""));
            }
        }
    }
}

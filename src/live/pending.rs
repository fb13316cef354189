//! Traces that are still arriving, and when each has settled.
//!
//! Comes in: batches and the time. Goes out: traces of which nothing more is expected, as OTLP/protobuf that any reader of this
//! house takes. Traces that settled are remembered for a while, so that late spans join them; memory is bounded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::arrival::Batch;
use super::gather::by_trace;
use crate::model::TraceId;

/// A trace whose root has ended is quiet after this part of the usual wait.
const ROOTED: u32 = 5;
/// Bytes of traces that are held; beyond them what has settled is forgotten, and those that were quiet the longest settle early.
const HELD: usize = 32 << 20;
/// Services that are counted one by one.
const SERVICES: usize = 1000;

/// A trace of which nothing more is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its id.
    pub trace: TraceId,
    /// Everything of it that came in time, as a request of OTLP/protobuf.
    pub message: Vec<u8>,
    /// What came after it had settled before.
    pub late: Vec<u8>,
    /// How many spans came late since it was last shown.
    pub late_spans: u64,
}

#[derive(Debug)]
struct Open {
    message: Vec<u8>,
    late: Vec<u8>,
    late_spans: u64,
    /// It has settled before.
    again: bool,
    rooted: bool,
    last: Instant,
}

/// Traces that are still arriving.
#[derive(Debug)]
pub struct Pending {
    settle: Duration,
    keep: usize,
    open: BTreeMap<TraceId, Open>,
    /// The open ones by their last arrival: those without a root, and those with one.
    quiet: [BTreeSet<(Instant, TraceId)>; 2],
    done: BTreeMap<TraceId, Settled>,
    order: VecDeque<TraceId>,
    held: usize,
    services: BTreeMap<String, u64>,
    errors: u64,
}

impl Pending {
    /// Traces settle after this much quiet, or sooner when their root has ended; so many are remembered afterwards.
    pub fn new(settle: Duration, keep: usize) -> Self {
        Self {
            settle,
            keep,
            open: BTreeMap::new(),
            quiet: [BTreeSet::new(), BTreeSet::new()],
            done: BTreeMap::new(),
            order: VecDeque::new(),
            held: 0,
            services: BTreeMap::new(),
            errors: 0,
        }
    }

    /// How many traces are still arriving.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Spans by service, as far as batches were shown here.
    pub fn services(&self) -> &BTreeMap<String, u64> {
        &self.services
    }

    /// Spans that failed, as far as batches were shown here.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// The trace that got a span last, as far as it has come.
    pub fn growing(&self) -> Option<Settled> {
        let (_, trace) = self.quiet.iter().filter_map(BTreeSet::last).max()?;
        let open = self.open.get(trace)?;
        Some(Settled {
            trace: *trace,
            message: open.message.clone(),
            late: open.late.clone(),
            late_spans: open.late_spans,
        })
    }

    /// Takes a batch in.
    pub fn take(&mut self, batch: &Batch, now: Instant) {
        let Self { open, quiet, done, held, services, errors, .. } = self;
        by_trace(&batch.bytes, batch.encoding, &mut |part| {
            // Names come from the network: there may not be any number of them.
            if let Some(spans) = services.get_mut(part.service) {
                *spans += part.spans;
            } else if services.len() < SERVICES {
                services.insert(part.service.to_owned(), part.spans);
            }
            let trace = open.entry(part.trace).or_insert_with(|| reopened(done.remove(&part.trace), now));
            *held += part.message.len();
            *errors += part.errors;
            if let Some(quiet) = quiet.get_mut(usize::from(trace.rooted)) {
                quiet.remove(&(trace.last, part.trace));
            }
            trace.rooted |= part.roots > 0;
            trace.last = now;
            if let Some(quiet) = quiet.get_mut(usize::from(trace.rooted)) {
                quiet.insert((now, part.trace));
            }
            if trace.again {
                trace.late.extend_from_slice(part.message);
                trace.late_spans += part.spans;
            } else {
                trace.message.extend_from_slice(part.message);
            }
        });
    }

    /// The traces that have settled by now, or all that are open, in the order of their last arrivals.
    pub fn settled(&mut self, now: Instant, all: bool) -> Vec<Settled> {
        let waits = [self.settle, self.settle / ROOTED];
        let mut settled = Vec::new();
        self.forget();
        loop {
            let crowded = self.held > HELD;
            let is_over = |last: Instant, wait| all || crowded || now.saturating_duration_since(last) >= wait;
            let oldest = self.quiet.iter().zip(waits).filter_map(|(quiet, wait)| Some((*quiet.first()?, wait)));
            let Some(((last, trace), _)) = oldest.filter(|((last, _), wait)| is_over(*last, *wait)).min() else {
                return settled;
            };
            for quiet in &mut self.quiet {
                quiet.remove(&(last, trace));
            }
            let Some(Open { message, late, late_spans, .. }) = self.open.remove(&trace) else { continue };
            let shown = Settled { trace, message, late, late_spans };
            self.remember(Settled { late_spans: 0, ..shown.clone() });
            settled.push(shown);
        }
    }

    fn remember(&mut self, settled: Settled) {
        self.order.push_back(settled.trace);
        self.done.insert(settled.trace, settled);
        self.forget();
    }

    /// Forgets the oldest of those that have settled, where there are too many or too little room.
    fn forget(&mut self) {
        while self.done.len() > self.keep || self.held > HELD {
            let Some(oldest) = self.order.pop_front() else { return };
            if let Some(gone) = self.done.remove(&oldest) {
                self.held = self.held.saturating_sub(gone.message.len() + gone.late.len());
            }
        }
        // Traces that opened again left their old places behind.
        if self.order.len() > 2 * self.keep + 16 {
            let done = &self.done;
            self.order.retain(|trace| done.contains_key(trace));
        }
    }
}

fn reopened(before: Option<Settled>, now: Instant) -> Open {
    let again = before.is_some();
    let (message, late) = before.map(|settled| (settled.message, settled.late)).unwrap_or_default();
    Open { message, late, late_spans: 0, again, rooted: again, last: now }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Encoding;

    fn batch(trace: u8, span: u8, parent: &str) -> Batch {
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{trace:032x}","spanId":"{span:016x}","parentSpanId":"{parent}"}}]}}]}}]}}"#
        );
        Batch { bytes: json.into(), encoding: Encoding::Json, spans: 1 }
    }

    #[test]
    fn a_rooted_trace_settles_sooner_and_late_spans_join_it() {
        let mut pending = Pending::new(Duration::from_secs(5), 10);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        pending.take(&batch(1, 1, ""), start);
        pending.take(&batch(2, 2, "00000000000000aa"), start);
        assert_eq!(pending.settled(after(0), false), []);
        let first = pending.settled(after(1), false);
        assert_eq!(first.iter().map(|s| (s.trace.0, s.late_spans)).collect::<Vec<_>>(), [(1, 0)]);
        assert_eq!(pending.settled(after(5), false).len(), 1);
        pending.take(&batch(1, 3, "0000000000000001"), after(6));
        let again = pending.settled(after(7), false);
        assert_eq!((again[0].late_spans, &again[0].message), (1, &first[0].message));
        assert!(!again[0].late.is_empty() && pending.is_empty());
    }

    #[test]
    fn where_room_is_short_the_quietest_settle_and_no_others() {
        let mut pending = Pending::new(Duration::from_secs(60), 10);
        let start = Instant::now();
        for trace in 1..=4 {
            pending.take(&batch(trace, 1, ""), start + Duration::from_millis(u64::from(5 - trace)));
        }
        // As if two of them had been large.
        let message = pending.open[&TraceId(1)].message.len();
        for trace in [3, 4] {
            pending.open.get_mut(&TraceId(trace)).unwrap().message.resize(HELD / 2, 0);
            pending.held += HELD / 2 - message;
        }
        let settled = pending.settled(start, false);
        assert_eq!(settled.iter().map(|settled| settled.trace.0).collect::<Vec<_>>(), [4]);
        assert_eq!((pending.len(), pending.growing().unwrap().trace.0), (3, 1));
        assert!(pending.held <= HELD && pending.settled(start, false).is_empty());
        assert_eq!(pending.settled(start, true).iter().map(|settled| settled.trace.0).collect::<Vec<_>>(), [3, 2, 1]);
        assert!(pending.is_empty() && pending.quiet.iter().all(BTreeSet::is_empty));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut pending = Pending::new(Duration::ZERO, 2);
        let now = Instant::now();
        for trace in 1..=5 {
            pending.take(&batch(trace, 1, ""), now);
            assert_eq!(pending.settled(now, true).len(), 1);
        }
        assert_eq!(pending.done.len(), 2);
        pending.take(&batch(1, 2, ""), now);
        assert_eq!(pending.settled(now, true)[0].late_spans, 0);
    }
}

//! Counters that all connections share.
//!
//! Comes in: what happened. Goes out: totals, at any moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use super::arrival::{Batch, Note, Signal};
use super::limits::{Claim, Room};

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Spans that were recorded.
    pub spans: u64,
    /// Requests that were acknowledged.
    pub requests: u64,
    /// Spans that were refused, and requests that were refused as a whole.
    pub rejected: u64,
    /// Bytes of acknowledged requests, uncompressed.
    pub bytes: u64,
    /// Spans that were recorded and not shown, because showing was too slow.
    pub unseen: u64,
    /// Requests of metrics and of logs that were let go.
    pub metrics: u64,
    /// As above, logs.
    pub logs: u64,
    /// Requests that were told to come again.
    pub deferred: u64,
    /// Requests passed on.
    pub forwarded: u64,
    /// Requests that could not be passed on.
    pub unforwarded: u64,
    /// Values nested too deeply to be recorded whole.
    pub too_deep: u64,
    /// Connections that are open.
    pub connections: u64,
}

/// The counters behind them, and the way out for arrivals.
pub(super) struct Meter {
    pub(super) spans: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) unseen: AtomicU64,
    pub(super) metrics: AtomicU64,
    pub(super) logs: AtomicU64,
    pub(super) deferred: AtomicU64,
    pub(super) forwarded: AtomicU64,
    pub(super) unforwarded: AtomicU64,
    pub(super) connections: AtomicU64,
    too_deep: AtomicU64,
    refused: AtomicBool,
    overloaded: AtomicBool,
    sampling: AtomicBool,
    notes: Mutex<Vec<Note>>,
    /// Requests to paths where nothing is, by path.
    astray: Mutex<BTreeMap<String, u64>>,
    out: Option<SyncSender<(Batch, Claim)>>,
    /// What waits to be shown has its own room, so that it takes none from what waits to be written.
    room: Arc<Room>,
}

/// Paths where nothing is that are counted one by one, and the characters of each.
const PATHS: usize = 16;
const PATH: usize = 100;

/// Bytes of batches that wait to be shown.
const SHOWN: usize = 16 << 20;

impl Meter {
    pub(super) fn new(out: Option<SyncSender<(Batch, Claim)>>) -> Self {
        Self {
            spans: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            unseen: AtomicU64::new(0),
            metrics: AtomicU64::new(0),
            logs: AtomicU64::new(0),
            deferred: AtomicU64::new(0),
            forwarded: AtomicU64::new(0),
            unforwarded: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            too_deep: AtomicU64::new(0),
            refused: AtomicBool::new(false),
            overloaded: AtomicBool::new(false),
            sampling: AtomicBool::new(false),
            notes: Mutex::default(),
            astray: Mutex::default(),
            out,
            room: Room::new(SHOWN),
        }
    }

    /// A request was acknowledged.
    pub(super) fn accepted(&self, batch: Batch, rejected: u64) {
        self.spans.fetch_add(batch.spans, Relaxed);
        self.rejected.fetch_add(rejected, Relaxed);
        self.bytes.fetch_add(batch.bytes.len() as u64, Relaxed);
        // Last, so that whoever sees the request sees its spans.
        self.requests.fetch_add(1, Relaxed);
        let Some(out) = self.out.as_ref().filter(|_| batch.spans > 0) else { return };
        let spans = batch.spans;
        let mut claim = self.room.enter();
        if !claim.grow(batch.bytes.len()) || out.try_send((batch, claim)).is_err() {
            self.unseen.fetch_add(spans, Relaxed);
            if !self.sampling.swap(true, Relaxed) {
                self.note(Note::Sampling);
            }
        }
    }

    /// A signal that nobody asked for was let go.
    pub(super) fn other(&self, signal: Signal) {
        let counter = if signal == Signal::Metrics { &self.metrics } else { &self.logs };
        if counter.fetch_add(1, Relaxed) == 0 {
            self.note(Note::OtherSignal(signal));
        }
    }

    /// A request was refused for good.
    pub(super) fn refused(&self, why: &str) {
        self.rejected.fetch_add(1, Relaxed);
        if !self.refused.swap(true, Relaxed) {
            self.note(Note::Refused(why.to_owned()));
        }
    }

    /// Values cannot be recorded whole.
    pub(super) fn cut_deep(&self, values: u64) {
        if self.too_deep.fetch_add(values, Relaxed) == 0 {
            self.note(Note::TooDeep);
        }
    }

    /// A request was sent to a path where nothing is.
    pub(super) fn astray(&self, path: &str) {
        let mut astray = self.astray.lock().unwrap_or_else(PoisonError::into_inner);
        // Paths come from the network: there may not be any number of them, nor of any length.
        let path: String = path.chars().take(PATH).collect();
        if astray.len() < PATHS || astray.contains_key(&path) {
            *astray.entry(path).or_default() += 1;
        }
    }

    /// Requests to paths where nothing is, the path with the most of them first.
    pub(super) fn strays(&self) -> Vec<(String, u64)> {
        let astray = self.astray.lock().unwrap_or_else(PoisonError::into_inner);
        let mut strays: Vec<_> = astray.iter().map(|(path, count)| (path.clone(), *count)).collect();
        strays.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        strays
    }

    /// A request has to come again.
    pub(super) fn deferred(&self, overloaded: bool) {
        self.deferred.fetch_add(1, Relaxed);
        if overloaded && !self.overloaded.swap(true, Relaxed) {
            self.note(Note::Overloaded);
        }
    }

    /// Says something to people.
    pub(super) fn note(&self, note: Note) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// What is to be said.
    pub(super) fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All counters.
    pub(super) fn totals(&self) -> Totals {
        Totals {
            spans: self.spans.load(Relaxed),
            requests: self.requests.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            unseen: self.unseen.load(Relaxed),
            metrics: self.metrics.load(Relaxed),
            logs: self.logs.load(Relaxed),
            deferred: self.deferred.load(Relaxed),
            forwarded: self.forwarded.load(Relaxed),
            unforwarded: self.unforwarded.load(Relaxed),
            too_deep: self.too_deep.load(Relaxed),
            connections: self.connections.load(Relaxed),
        }
    }
}

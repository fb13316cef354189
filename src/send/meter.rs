//! Counters of a sender.
//!
//! Comes in: requests and outcomes. Goes out: totals, at any moment.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::outcome::{Outcome, Verdict};

/// What a sender has counted. Spans handed over are accepted, rejected, failed or still under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SentTotals {
    /// Spans handed over.
    pub spans: u64,
    /// Requests handed over.
    pub requests: u64,
    /// Bytes handed over, not compressed.
    pub bytes: u64,
    /// Spans the receiver took.
    pub accepted: u64,
    /// Spans the receiver rejected, with their request or alone.
    pub rejected: u64,
    /// Spans that could not be delivered.
    pub failed: u64,
    /// Requests that came to their end.
    pub settled: u64,
    /// Requests that are being sent, or wait to be sent again.
    pub under_way: u64,
    /// Requests of which only some spans were taken.
    pub partial: u64,
    /// How often a request was sent again.
    pub retries: u64,
    /// Spans that were sent again after an answer was lost: they may be there twice.
    pub maybe_twice: u64,
    /// Spans that were refused or could not be delivered, but of which an answer was lost: they may be there nevertheless.
    pub maybe_there: u64,
}

/// The counters behind them.
#[derive(Debug, Default)]
pub(super) struct Meter {
    spans: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    failed: AtomicU64,
    settled: AtomicU64,
    begun: AtomicU64,
    partial: AtomicU64,
    retries: AtomicU64,
    maybe_twice: AtomicU64,
    maybe_there: AtomicU64,
}

impl Meter {
    /// A request was handed over.
    pub(super) fn entered(&self, spans: u64, bytes: usize) {
        self.spans.fetch_add(spans, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// A request is taken up.
    pub(super) fn taken_up(&self) {
        self.begun.fetch_add(1, Relaxed);
    }

    /// A request is sent again.
    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// A request goes back as if it had not been handed over.
    pub(super) fn returned(&self, spans: u64, bytes: usize) {
        self.spans.fetch_sub(spans, Relaxed);
        self.bytes.fetch_sub(bytes as u64, Relaxed);
        self.requests.fetch_sub(1, Relaxed);
        self.begun.fetch_sub(1, Relaxed);
    }

    /// A request has come to its end.
    pub(super) fn settled(&self, outcome: &Outcome) {
        let spans = outcome.spans;
        match &outcome.verdict {
            Verdict::Accepted { .. } => {
                self.accepted.fetch_add(spans, Relaxed);
            }
            Verdict::Partial { rejected, .. } => {
                let rejected = (*rejected).min(spans);
                self.rejected.fetch_add(rejected, Relaxed);
                self.accepted.fetch_add(spans - rejected, Relaxed);
                self.partial.fetch_add(1, Relaxed);
            }
            Verdict::Rejected { .. } => {
                self.rejected.fetch_add(spans, Relaxed);
            }
            Verdict::Failed { .. } => {
                self.failed.fetch_add(spans, Relaxed);
            }
            Verdict::Unsent => return,
        }
        if outcome.lost && matches!(outcome.verdict, Verdict::Rejected { .. } | Verdict::Failed { .. }) {
            self.maybe_there.fetch_add(spans, Relaxed);
        }
        if outcome.twice {
            self.maybe_twice.fetch_add(spans, Relaxed);
        }
        self.settled.fetch_add(1, Relaxed);
    }

    /// All counters.
    pub(super) fn totals(&self) -> SentTotals {
        let settled = self.settled.load(Relaxed);
        SentTotals {
            settled,
            under_way: self.begun.load(Relaxed).saturating_sub(settled),
            spans: self.spans.load(Relaxed),
            requests: self.requests.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            failed: self.failed.load(Relaxed),
            partial: self.partial.load(Relaxed),
            retries: self.retries.load(Relaxed),
            maybe_twice: self.maybe_twice.load(Relaxed),
            maybe_there: self.maybe_there.load(Relaxed),
        }
    }
}

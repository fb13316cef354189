//! How far a run of sending is, and how long it still takes.
//!
//! Comes in: how much there is, how much was handed over, what became of it, when the last request is due. Goes out: a part of the
//! whole and a time. It reads no clock.

use std::time::Duration;

use crate::send::SentTotals;

/// What is known of the way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    /// How far it is in all, if that is known: bytes, spans or traces.
    pub(super) total: Option<u64>,
    /// It is counted in spans.
    by_spans: bool,
    /// How far one has come with handing over.
    pub(super) done: u64,
    /// When the last request is due, where there is a pace.
    pub(super) lasts: Option<Duration>,
    /// Spans that had been sent before, and how far these were.
    skipped: (u64, u64),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Progress {
    /// From 0 to 1.
    pub(super) part: f64,
    /// How long it still takes, as far as one can tell.
    pub(super) left: Option<Duration>,
}

impl Way {
    /// A way of so much, if that is known.
    pub(super) fn of(total: Option<u64>, lasts: Option<Duration>) -> Self {
        Self { total: total.filter(|total| *total > 0), lasts, ..Self::default() }
    }

    /// The same, counted in spans.
    pub(super) fn of_spans(spans: u64, lasts: Option<Duration>) -> Self {
        Self { by_spans: true, ..Self::of(Some(spans), lasts) }
    }

    /// The part of all spans that the receiver has answered for; nothing where nobody knows how many there are.
    pub(super) fn part(&self, totals: &SentTotals) -> Option<f64> {
        let total = self.total.filter(|_| self.by_spans)?;
        Some(((totals.accepted + totals.rejected + self.skipped.0) as f64 / total as f64).min(1.0))
    }

    /// Spans that an earlier run has sent were passed by.
    pub(super) fn skip(&mut self, spans: u64) {
        self.skipped = (self.skipped.0 + spans, self.done);
    }

    /// How far it is after so long; nothing where nobody knows how far it will be.
    pub(super) fn progress(&self, totals: &SentTotals, elapsed: Duration) -> Option<Progress> {
        let total = self.total? as f64;
        let (skipped, from) = (self.skipped.0 as f64, self.skipped.1 as f64 / total);
        let settled = (totals.accepted + totals.rejected + totals.failed) as f64 + skipped;
        let handed = (totals.spans as f64 + skipped).max(1.0);
        // What was handed over is not there before it is settled.
        let part = (self.done as f64 / total * settled / handed).clamp(0.0, 1.0);
        let left = match self.lasts {
            Some(lasts) => Some(lasts.saturating_sub(elapsed)),
            None if part > from => {
                Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - part) / (part - from)).ok()
            }
            None => None,
        };
        Some(Progress { part, left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(spans: u64, accepted: u64) -> SentTotals {
        SentTotals { spans, accepted, ..SentTotals::default() }
    }

    #[test]
    fn only_what_is_settled_counts() {
        let way = Way { total: Some(1000), done: 500, ..Way::default() };
        let progress = way.progress(&totals(500, 250), Duration::from_secs(10)).unwrap();
        assert_eq!(progress, Progress { part: 0.25, left: Some(Duration::from_secs(30)) });
        assert_eq!(way.progress(&totals(500, 0), Duration::from_secs(1)).unwrap().left, None);
        assert_eq!(Way::default().progress(&totals(1, 1), Duration::ZERO), None);
        let known = Way { done: 1000, ..Way::of_spans(1000, None) };
        assert_eq!((known.part(&totals(500, 250)), way.part(&totals(500, 250))), (Some(0.25), None));
    }

    #[test]
    fn a_pace_says_when_it_is_over_and_what_was_sent_before_is_no_speed() {
        let paced = Way { total: Some(1000), done: 100, lasts: Some(Duration::from_secs(60)), ..Way::default() };
        let left =
            |way: Way, accepted| way.progress(&totals(accepted, accepted), Duration::from_secs(20)).unwrap().left;
        assert_eq!(left(paced, 100), Some(Duration::from_secs(40)));
        let mut resumed = Way { total: Some(1000), done: 800, ..Way::default() };
        resumed.skip(800);
        resumed.done = 900;
        assert_eq!(left(resumed, 100), Some(Duration::from_secs(20)));
    }
}

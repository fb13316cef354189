//! When requests are due: at their own time, and not more than so many spans a second.
//!
//! Comes in: planned requests, one after the other. Goes out: for each the time since the beginning. It reads no clock.

use std::time::Duration;

use crate::model::Rate;
use crate::replay::Planned;

/// A timetable.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timetable {
    /// Spans.
    rate: Option<Rate>,
    spans: u64,
    /// Where the present pass begins.
    begins: Duration,
    /// When the request before this one was due in its pass.
    last: Duration,
    /// Time before requests that need not be sent any more.
    skipped: Duration,
}

impl Timetable {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { rate, ..Self::default() }
    }

    /// The next pass begins then.
    pub(super) fn begin(&mut self, at: Duration) {
        (self.begins, self.last, self.skipped) = (at, Duration::ZERO, Duration::ZERO);
    }

    /// When this request, the next one, is due.
    pub(super) fn due(&mut self, planned: &Planned) -> Duration {
        self.last = self.last.max(planned.due);
        let paced = self.begins + planned.due.saturating_sub(self.skipped);
        let limited = self.rate.map_or(Duration::ZERO, |rate| Duration::from_nanos(rate.due(self.spans)));
        self.spans += planned.spans;
        paced.max(limited)
    }

    /// The next request has been sent by an earlier run: nobody waits for its time again.
    pub(super) fn skip(&mut self, planned: &Planned) {
        self.skipped += planned.due.saturating_sub(self.last);
        self.last = self.last.max(planned.due);
    }

    /// Time before requests that need not be sent any more.
    pub(super) fn skipped(&self) -> Duration {
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(seconds: u64) -> Planned {
        Planned { bytes: Vec::new().into(), spans: 10, due: Duration::from_secs(seconds), oversize: false }
    }

    #[test]
    fn what_was_sent_before_takes_no_time() {
        let mut timetable = Timetable::new(None);
        timetable.skip(&planned(5));
        assert_eq!(timetable.due(&planned(5)), Duration::ZERO);
        assert_eq!(timetable.due(&planned(7)), Duration::from_secs(2));
        timetable.skip(&planned(17));
        assert_eq!(timetable.due(&planned(18)), Duration::from_secs(3));
        timetable.begin(Duration::from_secs(4));
        assert_eq!(timetable.due(&planned(5)), Duration::from_secs(9));
    }

    #[test]
    fn a_rate_holds_whatever_the_pace_is() {
        let mut timetable = Timetable::new("2.5/s".parse().ok());
        let due: Vec<f64> = [0, 0, 9].map(|at| timetable.due(&planned(at)).as_secs_f64()).to_vec();
        assert_eq!(due, [0.0, 4.0, 9.0]);
    }
}

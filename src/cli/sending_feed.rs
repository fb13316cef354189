//! The way of requests into the sender: each at its time, past what an earlier run has sent.
//!
//! Comes in: planned requests. Goes out: requests to a sender, while notes are printed and Ctrl-C is heard.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::console::Console;
use super::replay_journal::Known;
use super::sending_ledger::Ledger;
use super::sending_talk::{Talk, counted};
use super::sending_timetable::Timetable;
use super::sending_way::Way;
use crate::model::ByteSize;
use crate::otlp::Encoding;
use crate::replay::{Planned, first_span};
use crate::send::{Request, Sender};

/// How long one waits without looking around: at first, so that a receiver that keeps up never waits for us, and at most.
const NAPS: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(2));
/// Spans over the bound that are told one by one.
pub(super) const TOLD: u64 = 5;

/// What takes requests in.
pub(super) struct Feed<'c> {
    pub(super) console: &'c mut Console,
    pub(super) talk: Talk,
    pub(super) sender: Sender,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) timetable: Timetable,
    pub(super) encoding: Encoding,
    pub(super) begun: Instant,
    pub(super) way: Way,
    /// There is no end to the requests.
    pub(super) endless: bool,
    /// Another run can go on where this one stops.
    pub(super) resumable: bool,
    /// What a request may have in bytes, in words.
    pub(super) bound: &'static str,
    /// The number of the next request.
    pub(super) next: u64,
    /// Spans that an earlier run has sent.
    pub(super) past: u64,
    /// Spans over the bound by themselves.
    pub(super) oversize: u64,
    pub(super) interrupted: bool,
    /// A request was not wanted any more.
    pub(super) cut: bool,
}

impl Feed<'_> {
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request in; `false` when no more are wanted.
    pub(super) fn take(&mut self, planned: Planned) -> bool {
        let number = self.next;
        let known = self.ledger().journal.as_ref().map_or(Known::No, |journal| journal.knows(number));
        if known == Known::Settled {
            self.timetable.skip(&planned);
            self.way.skip(planned.spans);
            self.past += planned.spans;
            self.next += 1;
            return !self.look_around();
        }
        if planned.oversize {
            self.note_oversize(&planned);
        }
        let due = self.timetable.due(&planned);
        let Planned { bytes, spans, .. } = planned;
        let doubtful = known == Known::Begun;
        let request = Request { bytes, encoding: self.encoding, spans, tag: number, doubtful };
        while self.begun.elapsed() < due {
            if self.look_around() {
                return self.keep(request);
            }
            std::thread::sleep(due.saturating_sub(self.begun.elapsed()).min(Duration::from_millis(20)));
        }
        self.hand_over(request)
    }

    fn hand_over(&mut self, mut request: Request) -> bool {
        let (mut nap, longest) = NAPS;
        loop {
            if self.look_around() {
                return self.keep(request);
            }
            match self.sender.try_send(request) {
                Ok(()) => break,
                Err(back) => request = back,
            }
            std::thread::sleep(nap);
            nap = (nap * 2).min(longest);
        }
        self.next += 1;
        true
    }

    /// What becomes of a request when nothing more is sent: where the receiver was given up on it is put aside with all that follow,
    /// if there is a file for that and an end to them; `false` when no more are wanted.
    fn keep(&mut self, request: Request) -> bool {
        let keeps = self.puts_aside();
        if keeps {
            self.ledger().put_unsent_aside(Some(request));
            self.next += 1;
        }
        self.cut |= !keeps;
        keeps
    }

    /// Whether what is not sent any more is put aside.
    pub(super) fn puts_aside(&self) -> bool {
        let ledger = self.ledger();
        let can = ledger.letters.is_some() && !ledger.is_broken() && !self.endless && !self.interrupted;
        can && self.sender.given_up().is_some()
    }

    fn note_oversize(&mut self, planned: &Planned) {
        self.oversize += 1;
        if self.oversize > TOLD {
            return;
        }
        let size = ByteSize(planned.bytes.len() as u64);
        let which = match first_span(&planned.bytes, self.encoding) {
            Some((trace, span, name)) => format!("span {span} of trace {trace} ('{name}')"),
            None => "a span".to_owned(),
        };
        let words = format!("{which} takes {size}, which is over {}: it is sent alone", self.bound);
        self.talk.say(self.console, "oversize", words);
    }

    /// Prints what is to be said; whether it is over.
    pub(super) fn look_around(&mut self) -> bool {
        let notes = self.ledger().take_notes();
        for note in &notes {
            self.talk.note(self.console, note);
        }
        let totals = self.sender.totals();
        self.talk.progress(self.console, &totals, |elapsed| self.way.progress(&totals, elapsed));
        if self.sender.interrupts() > 0 && !std::mem::replace(&mut self.interrupted, true) {
            let under_way = counted(totals.under_way, "request");
            let words = format!("finishing {under_way} under way; press Ctrl-C again to stop at once");
            self.talk.say(self.console, "interrupted", words);
        }
        self.interrupted || self.ledger().is_broken() || self.sender.given_up().is_some()
    }
}

//! A run of sending, wherever its requests come from: how it begins, and how it ends.
//!
//! Comes in: a receiver, bounds, the files of a run. Goes out: a [`Feed`] that takes requests, and in the end what became of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::console::Console;
use super::error::Error;
use super::listen_args::LogFormat;
use super::sending::DeliveryArgs;
use super::sending_feed::{Feed, TOLD};
use super::sending_ledger::Ledger;
use super::sending_sent::Sent;
use super::sending_talk::Talk;
use super::sending_timetable::Timetable;
use super::sending_way::Way;
use crate::model::Rate;
use crate::send::{Sender, Settings, Target};

/// What a run begins with.
pub(super) struct Run<'a> {
    pub(super) target: &'a Target,
    pub(super) delivery: &'a DeliveryArgs,
    pub(super) log_format: LogFormat,
    pub(super) ledger: Ledger,
    /// Spans in a thousand seconds at most.
    pub(super) rate: Option<Rate>,
    pub(super) way: Way,
    /// There is no end to the requests.
    pub(super) endless: bool,
    /// Another run can go on where this one stops.
    pub(super) resumable: bool,
    /// What a request may have in bytes, in words.
    pub(super) bound: &'static str,
    /// The seed of new ids, where recorded spans get some.
    pub(super) seed: Option<u64>,
}

impl Run<'_> {
    /// Begins.
    pub(super) fn begin(self, console: &mut Console) -> Result<Feed<'_>, Error> {
        let ledger = Arc::new(Mutex::new(self.ledger));
        let settings = Settings {
            concurrency: self.delivery.concurrency.into(),
            patience: self.delivery.retry_for,
            stops: true,
            now: console.around().now,
            seed: console.around().now,
            signals: true,
            ..Settings::default()
        };
        let heed = Arc::clone(&ledger);
        let sender = Sender::start(self.target.clone(), settings, move |event| {
            heed.lock().unwrap_or_else(PoisonError::into_inner).heed(event);
        })?;
        let talk = Talk::new(self.log_format, console);
        talk.started(console, self.target, self.seed);
        Ok(Feed {
            console,
            talk,
            sender,
            ledger,
            timetable: Timetable::new(self.rate),
            encoding: self.target.protocol().encoding(),
            begun: Instant::now(),
            way: self.way,
            endless: self.endless,
            resumable: self.resumable,
            bound: self.bound,
            next: 0,
            past: 0,
            oversize: 0,
            interrupted: false,
            cut: false,
        })
    }
}

/// How a run ended, before that is told.
pub(super) struct End<'c> {
    pub(super) console: &'c mut Console,
    talk: Talk,
    pub(super) sent: Sent,
    broken: bool,
}

impl<'c> Feed<'c> {
    /// Waits for what is under way, and says what has not been said yet. `whole`: there was no more to hand over.
    pub(super) fn end(mut self, target: &Target, whole: bool) -> End<'c> {
        loop {
            self.look_around();
            let totals = self.sender.totals();
            if totals.settled >= totals.requests {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if self.puts_aside() {
            self.ledger().put_unsent_aside(None);
        }
        let part = self.way.part(&self.sender.totals());
        let aside = self.puts_aside();
        let Feed {
            console, talk, sender, ledger, begun, next, past, interrupted, oversize, resumable, bound, cut, ..
        } = self;
        let given_up = sender.given_up();
        let totals = sender.finish();
        let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.take_notes().iter().for_each(|note| talk.note(console, note));
        if oversize > TOLD {
            talk.say(console, "oversize", format!("{oversize} spans in all are over {bound}: each was sent alone"));
        }
        for (times, words) in ledger.repeated() {
            let what = if words.is_empty() { "other messages of the receiver" } else { words };
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            talk.say(console, "repeated", format!("{times}: {what}"));
        }
        let broken = ledger.is_broken();
        let twice_before = ledger.journal.as_ref().map_or(0, |journal| journal.maybe_twice);
        // The first request that was neither sent nor put aside, where there is one.
        let unsent = ledger.first_unsent.filter(|_| !aside);
        let stopped = unsent.or((interrupted || cut && given_up.is_some()).then_some(next));
        let journal = ledger.close(whole && stopped.is_none() && !broken);
        let sent = Sent {
            event: "sent",
            spans: totals.spans + ledger.aside.spans,
            requests: totals.requests,
            accepted: totals.accepted,
            rejected: totals.rejected,
            failed: totals.failed + ledger.aside.spans,
            retries: totals.retries,
            maybe_twice: totals.maybe_twice + twice_before,
            maybe_there: totals.maybe_there,
            resumed_past: past,
            dead_letters: ledger.letters.as_ref().map_or(0, |letters| letters.spans),
            interrupted_at: stopped.filter(|_| interrupted),
            stopped_at: stopped.filter(|_| !interrupted),
            aside_from: ledger.first_aside,
            given_up: given_up.is_some(),
            seconds: begun.elapsed().as_secs_f64(),
            to: format!("{} ({})", target.place(), target.protocol().name()),
            part,
            letters: ledger.letters.as_ref().map(|letters| letters.path.display().to_string()),
            journal,
            resumable,
        };
        End { console, talk, sent, broken }
    }
}

impl End<'_> {
    /// Whether it was interrupted before everything was handed over.
    pub(super) fn interrupted(&self) -> bool {
        self.sent.interrupted_at.is_some()
    }

    /// Whether something did not arrive, or could not be written down.
    pub(super) fn lost(&self) -> bool {
        self.sent.is_lossy() || self.broken
    }

    /// Says something before the end.
    pub(super) fn say(&mut self, kind: &str, words: String) {
        self.talk.say(self.console, kind, words);
    }

    /// Says how it ended.
    pub(super) fn tell(self) {
        self.talk.sent(self.console, &self.sent);
    }
}

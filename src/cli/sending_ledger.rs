//! What became of the requests that were sent: dead letters, the journal, and what there is to say.
//!
//! Comes in: events of the sender, on its threads. Goes out: files, and notes that the command prints when it comes round to it.

use super::replay_journal::Journal;
use super::sending_letters::Letters;
use super::sending_talk::short_time;
use crate::send::{Event, Outcome, Request, Verdict};
use std::collections::BTreeMap;
use std::io;

/// Different messages of the receiver that are told; the rest is only counted.
const MESSAGES: usize = 10;

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// The receiver does not take requests at the moment.
    Waiting(String),
    /// It does again.
    Again,
    /// It warned of something.
    Warning(String),
    /// It rejected spans.
    Rejected(String),
    /// A request could not be delivered.
    Failed(String),
    /// A file cannot be written.
    Broken(String),
}

/// Requests and the spans in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) requests: u64,
    pub(super) spans: u64,
}

impl Amount {
    fn add(&mut self, spans: u64) {
        *self = Self { requests: self.requests + 1, spans: self.spans + spans };
    }
}

/// What is written down of a replay.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) letters: Option<Letters>,
    pub(super) journal: Option<Journal>,
    notes: Vec<Note>,
    /// What was said how often.
    said: BTreeMap<String, u64>,
    /// Requests that are to be sent again by a resumed run.
    pub(super) open: u64,
    /// Requests that came back unsent, by their numbers, until somebody decides what becomes of them.
    unsent: BTreeMap<u64, Request>,
    /// The first of them.
    pub(super) first_unsent: Option<u64>,
    /// The first request that was put aside without being sent.
    pub(super) first_aside: Option<u64>,
    /// What was put aside without having been sent.
    pub(super) aside: Amount,
    broken: bool,
}

impl Ledger {
    /// A ledger with these files.
    pub(super) fn new(letters: Option<Letters>, journal: Option<Journal>) -> Self {
        Self { letters, journal, ..Self::default() }
    }

    /// Takes an event in.
    pub(super) fn heed(&mut self, event: Event) {
        match event {
            Event::Begun { tag } => self.note_down(|journal| journal.begin(tag)),
            Event::Back { tag } => self.note_down(|journal| journal.back(tag)),
            Event::Waiting { why, wait, asked } => {
                let wait = short_time(wait);
                let words = if asked { "as it asked, trying again in" } else { "trying again in" };
                self.notes.push(Note::Waiting(format!("{why}; {words} {wait}")));
            }
            Event::Again => self.notes.push(Note::Again),
            Event::Done(outcome) => self.settle(outcome),
        }
    }

    /// Writes something into the journal, if there is one.
    fn note_down(&mut self, write: impl FnOnce(&mut Journal) -> io::Result<()>) {
        if let Some(Err(error)) = self.journal.as_mut().map(write) {
            self.break_down(format!("cannot write the journal: {error}"));
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        let Outcome { tag, spans, undelivered, .. } = outcome;
        match &outcome.verdict {
            Verdict::Accepted { warning } if warning.is_empty() => {}
            Verdict::Accepted { warning } => self.say(warning, Note::Warning),
            Verdict::Partial { rejected, message } => {
                let words = format!("{rejected} of the {spans} spans of a request: {message}");
                self.say(&words, Note::Rejected);
            }
            Verdict::Rejected { message } => self.say(message, Note::Rejected),
            Verdict::Failed { message } => self.say(message, Note::Failed),
            Verdict::Unsent => {
                self.first_unsent = Some(self.first_unsent.map_or(tag, |first| first.min(tag)));
                self.unsent.extend(undelivered.map(|request| (tag, request)));
                return;
            }
        }
        // A partial success is final, whichever spans were rejected.
        let taken = matches!(outcome.verdict, Verdict::Accepted { .. } | Verdict::Partial { .. });
        let put_aside = undelivered.is_some_and(|request| self.put_aside(&request));
        let settled = taken || put_aside;
        self.open += u64::from(!settled);
        let twice = if outcome.twice { spans } else { 0 };
        match (settled, outcome.lost) {
            (true, _) => self.note_down(|journal| journal.end(tag, twice)),
            (false, false) => self.note_down(|journal| journal.back(tag)),
            (false, true) => {}
        }
    }

    /// Writes a request to the dead letters; `false` where there are none, or they cannot be written.
    fn put_aside(&mut self, request: &Request) -> bool {
        let Some(letters) = &mut self.letters else { return false };
        let written =
            letters.write(request).map_err(|error| format!("cannot write {}: {error}", letters.path.display()));
        match written {
            Ok(()) => true,
            Err(words) => {
                self.break_down(words);
                false
            }
        }
    }

    /// Puts requests aside that were never sent, those first that came back.
    pub(super) fn put_unsent_aside(&mut self, next: Option<Request>) {
        let back = std::mem::take(&mut self.unsent);
        for request in back.into_values().chain(next) {
            if self.put_aside(&request) {
                self.aside.add(request.spans);
                self.first_aside = Some(self.first_aside.map_or(request.tag, |first| first.min(request.tag)));
                self.note_down(|journal| journal.end(request.tag, 0));
            }
        }
    }

    /// Says something the first time; counts it after that.
    fn say(&mut self, words: &str, note: impl FnOnce(String) -> Note) {
        let room = self.said.len() < MESSAGES;
        let key = if room || self.said.contains_key(words) { words } else { "" };
        let times = self.said.entry(key.to_owned()).or_default();
        *times += 1;
        if *times == 1 && !key.is_empty() {
            self.notes.push(note(words.to_owned()));
        }
    }

    /// Says once that a file cannot be written.
    pub(super) fn break_down(&mut self, words: String) {
        if !std::mem::replace(&mut self.broken, true) {
            self.notes.push(Note::Broken(words));
        }
    }

    /// Whether a file could not be written.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// What is to be said.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// What the receiver said more than once: how often, and the words (none for what was not told at all).
    pub(super) fn repeated(&self) -> impl Iterator<Item = (u64, &str)> {
        let again = self.said.iter().filter(|(words, times)| **times > 1 || words.is_empty());
        again.map(|(words, times)| (*times, words.as_str()))
    }

    /// Closes the files. The journal goes when nothing is left to resume; else this is where it is.
    pub(super) fn close(&mut self, whole: bool) -> Option<String> {
        if let Some(letters) = &self.letters {
            letters.close();
        }
        let journal = self.journal.take()?;
        let path = journal.path.display().to_string();
        if !whole || self.open > 0 {
            return Some(path);
        }
        // A journal that stays says that everything is settled, which is true.
        let _ = journal.remove();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::replay_journal::{Known, Terms};
    use crate::otlp::Encoding;
    use crate::replay::converted;

    fn outcome(tag: u64, verdict: Verdict, lost: bool) -> Outcome {
        let bytes = converted(
            br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"n"}]}]}]}"#,
            Encoding::Json,
            Encoding::Proto,
        );
        let request = Request { bytes: bytes.into(), encoding: Encoding::Proto, spans: 1, tag, doubtful: false };
        let undelivered = match verdict {
            Verdict::Accepted { .. } => None,
            Verdict::Partial { rejected, .. } => (rejected == 1).then_some(request),
            Verdict::Rejected { .. } | Verdict::Failed { .. } | Verdict::Unsent => Some(request),
        };
        Outcome { tag, spans: 1, verdict, tries: 1, lost, twice: false, undelivered }
    }

    fn accepted() -> Verdict {
        Verdict::Accepted { warning: String::new() }
    }

    fn refused() -> Verdict {
        Verdict::Rejected { message: "no".into() }
    }

    #[test]
    fn what_was_not_delivered_is_put_aside_and_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pb");
        let mut ledger = Ledger::new(Some(Letters::new(&path, false).unwrap()), None);
        for tag in 0..2 {
            ledger.heed(Event::Done(outcome(tag, refused(), false)));
        }
        ledger.heed(Event::Done(outcome(2, Verdict::Partial { rejected: 1, message: "all".into() }, false)));
        ledger.heed(Event::Done(outcome(3, accepted(), false)));
        let told = [Note::Rejected("no".into()), Note::Rejected("1 of the 1 spans of a request: all".into())];
        assert_eq!(ledger.take_notes(), told);
        assert_eq!(ledger.repeated().collect::<Vec<_>>(), [(2, "no")]);
        assert_eq!((ledger.letters.as_ref().unwrap().spans, ledger.open, ledger.close(true)), (3, 0, None));
        assert!(path.exists());
    }

    #[test]
    fn the_journal_keeps_open_what_was_neither_taken_nor_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let terms = Terms { run: "r".into(), now: 0, shift: 0, seed: 0, pseudonyms: String::new(), spans: 1 };
        let mut ledger = Ledger::new(None, Some(Journal::open(&path, &terms).unwrap()));
        let lost = Verdict::Failed { message: "gone".into() };
        let partial = Verdict::Partial { rejected: 1, message: "all".into() };
        for (tag, verdict) in (0..).zip([accepted(), refused(), lost, partial, Verdict::Unsent]) {
            if verdict != Verdict::Unsent {
                ledger.heed(Event::Begun { tag });
            }
            ledger.heed(Event::Done(outcome(tag, verdict, tag == 2)));
        }
        assert_eq!((ledger.open, ledger.first_unsent), (2, Some(4)));
        assert_eq!(ledger.close(true), Some(path.display().to_string()));
        drop(ledger);
        let journal = Journal::open(&path, &terms).unwrap();
        let known: Vec<_> = (0..5).map(|number| journal.knows(number)).collect();
        assert_eq!(known, [Known::Settled, Known::No, Known::Begun, Known::Settled, Known::No]);
    }

    #[test]
    fn what_came_back_unsent_is_put_aside_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let letters = Letters::new(&folder.path().join("a.jsonl"), false).unwrap();
        let mut ledger = Ledger::new(Some(letters), None);
        for tag in [7, 5] {
            ledger.heed(Event::Done(outcome(tag, Verdict::Unsent, false)));
        }
        assert_eq!((ledger.aside, ledger.first_unsent), (Amount::default(), Some(5)));
        ledger.put_unsent_aside(outcome(8, refused(), false).undelivered);
        assert_eq!(ledger.aside, Amount { requests: 3, spans: 3 });
    }

    #[test]
    fn different_messages_are_told_up_to_a_bound() {
        let mut ledger = Ledger::default();
        for tag in 0..50 {
            ledger.heed(Event::Done(outcome(tag, Verdict::Failed { message: format!("no {tag}") }, false)));
        }
        assert_eq!((ledger.take_notes().len(), ledger.open), (MESSAGES, 50));
        assert_eq!(ledger.repeated().collect::<Vec<_>>(), [(40, "")]);
    }
}

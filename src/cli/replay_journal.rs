//! What a run has sent, written down as it goes, so that another run can go on from there.
//!
//! Comes in: numbers of requests as they are begun and as they come to their end. Goes out: a small file, and what an earlier run
//! wrote into it. The same inputs and options always give the same requests, so a number is enough.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What all requests of a run follow from, apart from the inputs themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    /// A digest of inputs, options and receiver.
    pub(super) run: String,
    /// The time that relative ones are counted from, Unix nanoseconds.
    pub(super) now: u64,
    /// Nanoseconds that times are moved by.
    pub(super) shift: i64,
    /// The seed of new ids.
    pub(super) seed: u64,
    /// What pseudonyms are made from, where nobody named a seed.
    pub(super) pseudonyms: String,
    /// Spans of a request at most.
    pub(super) spans: u64,
}

/// How far an earlier run came with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is not there.
    No,
    /// It was begun, and its end is not written down: it may be there.
    Begun,
    /// It has come to its end.
    Settled,
}

/// A journal that is being written.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) path: PathBuf,
    file: File,
    /// All requests below this one are settled; beyond it these are.
    below: u64,
    settled: BTreeSet<u64>,
    begun: BTreeSet<u64>,
    /// Spans that may be there twice, of all runs before.
    pub(super) maybe_twice: u64,
}

/// The terms that a journal was begun under, if it is there.
pub(super) fn terms(path: &Path) -> io::Result<Option<Terms>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(mut file) => split(&contents(&mut file)?).map(|(terms, _)| terms),
    }
}

/// All of a journal but a line that was cut off: it stands for nothing.
fn contents(file: &mut File) -> io::Result<String> {
    // Anything else may never end.
    if !file.metadata()?.is_file() {
        return Err(strange());
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|_| strange())?;
    let begins = text.get(..8.min(text.len())).unwrap_or_default();
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    match whole == 0 && !"{\"run\":\"".starts_with(begins) {
        true => Err(strange()),
        false => {
            text.truncate(whole);
            Ok(text)
        }
    }
}

/// The terms and the lines behind them. A run that was stopped before they were written has sent nothing.
fn split(text: &str) -> io::Result<(Option<Terms>, &str)> {
    match text.split_once('\n') {
        None => Ok((None, "")),
        Some((first, rest)) => serde_json::from_str(first).map(|terms| (Some(terms), rest)).map_err(|_| strange()),
    }
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is no journal of a replay, or one of another version")
}

impl Journal {
    /// Opens the journal of a run, or begins it. It is for its owner's eyes, and for one run at a time.
    pub(super) fn open(path: &Path, terms: &Terms) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another replay is using it"));
        }
        let text = contents(&mut file)?;
        file.set_len(text.len() as u64)?;
        let (known, lines) = split(&text)?;
        if known.as_ref().is_some_and(|known| known != terms) {
            return Err(strange());
        }
        if known.is_none() {
            let line = serde_json::to_string(terms).map_err(io::Error::other)?;
            file.write_all(format!("{line}\n").as_bytes())?;
        }
        let (settled, begun) = (BTreeSet::new(), BTreeSet::new());
        let mut journal = Self { path: path.to_owned(), file, below: 0, settled, begun, maybe_twice: 0 };
        lines.lines().for_each(|line| journal.remember(line));
        Ok(journal)
    }

    fn remember(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (sign, number) = (words.next(), words.next().and_then(|number| number.parse().ok()));
        let Some(number) = number else { return };
        match sign {
            Some(">") => {
                self.begun.insert(number);
            }
            Some("!") => {
                self.begun.remove(&number);
            }
            Some("=") => {
                self.settle(number);
                self.maybe_twice += words.next().and_then(|spans| spans.parse::<u64>().ok()).unwrap_or_default();
            }
            _ => {}
        }
    }

    fn settle(&mut self, number: u64) {
        self.begun.remove(&number);
        self.settled.insert(number);
        while self.settled.remove(&self.below) {
            self.below += 1;
        }
    }

    /// What is known of a request.
    pub(super) fn knows(&self, number: u64) -> Known {
        match number {
            number if number < self.below || self.settled.contains(&number) => Known::Settled,
            number if self.begun.contains(&number) => Known::Begun,
            _ => Known::No,
        }
    }

    /// A request is about to be sent.
    pub(super) fn begin(&mut self, number: u64) -> io::Result<()> {
        self.write(format_args!("> {number}"))
    }

    /// A request was taken, or put aside: it is not to be sent again. So many spans of it may be there twice.
    pub(super) fn end(&mut self, number: u64, maybe_twice: u64) -> io::Result<()> {
        self.settle(number);
        match maybe_twice {
            0 => self.write(format_args!("= {number}")),
            spans => self.write(format_args!("= {number} {spans}")),
        }
    }

    /// A request was surely not taken.
    pub(super) fn back(&mut self, number: u64) -> io::Result<()> {
        self.begun.remove(&number);
        self.write(format_args!("! {number}"))
    }

    fn write(&mut self, line: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())
    }

    /// Nothing is left to resume.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Terms {
        Terms { run: "abc".into(), now: 1, shift: -5, seed: u64::MAX, pseudonyms: "key".into(), spans: 512 }
    }

    #[test]
    fn a_journal_says_how_far_a_run_came() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        assert_eq!(terms(&path).unwrap(), None);
        let mut journal = Journal::open(&path, &started()).unwrap();
        for number in 0..5 {
            journal.begin(number).unwrap();
        }
        journal.end(0, 0).unwrap();
        journal.end(1, 10).unwrap();
        journal.end(3, 7).unwrap();
        journal.back(2).unwrap();
        assert_eq!(Journal::open(&path, &started()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(journal);
        assert_eq!(terms(&path).unwrap(), Some(started()));
        let mut again = Journal::open(&path, &started()).unwrap();
        let known: Vec<_> = (0..6).map(|number| again.knows(number)).collect();
        assert_eq!(known, [Known::Settled, Known::Settled, Known::No, Known::Settled, Known::Begun, Known::No]);
        assert_eq!(again.maybe_twice, 17);
        again.end(2, 0).unwrap();
        assert_eq!((again.below, again.settled.len()), (4, 0));
        again.remove().unwrap();
        assert!(!path.exists());
        std::fs::write(&path, "hello\n").unwrap();
        assert!(terms(&path).is_err() && Journal::open(&path, &started()).is_err());
    }

    #[test]
    fn a_journal_is_sound_wherever_it_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, &started()).unwrap();
        journal.begin(123).unwrap();
        journal.end(123, 45).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut journal = Journal::open(&path, &started()).unwrap();
            // Neither "12" nor "4" is what was meant.
            assert!(journal.below == 0 && journal.settled.is_empty() && journal.maybe_twice == 0, "{cut}");
            assert!(journal.begun.iter().all(|number| *number == 123), "{cut}");
            journal.end(7, 0).unwrap();
            drop(journal);
            assert_eq!(Journal::open(&path, &started()).unwrap().knows(7), Known::Settled, "{cut}");
        }
    }
}

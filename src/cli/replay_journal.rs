//! What a run has sent, written down as it goes, so that another run can go on from there.
//!
//! Comes in: numbers of requests as they are begun and as they come to their end. Goes out: a small file, and what an earlier run
//! wrote into it. The same inputs and options always give the same requests, so a number is enough.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What all requests of a run follow from, apart from the inputs themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    /// A digest of inputs, options and receiver.
    pub(super) run: String,
    /// Nanoseconds that times are moved by.
    pub(super) shift: i64,
    /// The seed of new ids.
    pub(super) seed: u64,
}

/// How far an earlier run came with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing is known of it.
    No,
    /// It was begun, and its end is not written down: it may be there.
    Begun,
    /// It has come to its end.
    Settled,
}

/// A journal that is being written.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// All requests below this one are settled; beyond it these are.
    below: u64,
    settled: BTreeSet<u64>,
    begun: BTreeSet<u64>,
}

/// The terms that a journal was begun under, if it is there.
pub(super) fn terms(path: &Path) -> io::Result<Option<Terms>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(file) => {
            let mut line = String::new();
            BufReader::new(file).read_line(&mut line)?;
            // A run that was stopped before the first line was written has sent nothing.
            if line.is_empty() {
                return Ok(None);
            }
            let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "this is no journal of a replay");
            serde_json::from_str(&line).map(Some).map_err(wrong)
        }
    }
}

impl Journal {
    /// Opens the journal of a run, or begins it.
    pub(super) fn open(path: &Path, terms: &Terms) -> io::Result<Self> {
        let mut journal = Self {
            path: path.to_owned(),
            file: OpenOptions::new().read(true).append(true).create(true).open(path)?,
            below: 0,
            settled: BTreeSet::new(),
            begun: BTreeSet::new(),
        };
        if journal.file.metadata()?.len() == 0 {
            let line = serde_json::to_string(terms).map_err(io::Error::other)?;
            journal.file.write_all(format!("{line}\n").as_bytes())?;
            return Ok(journal);
        }
        let reader = BufReader::new(journal.file.try_clone()?);
        for line in reader.lines().skip(1) {
            journal.remember(&line?);
        }
        // A line that was cut off must not run into the next one.
        journal.file.write_all(b"\n")?;
        Ok(journal)
    }

    fn remember(&mut self, line: &str) {
        let Some((sign, Ok(number))) = line.split_once(' ').map(|(sign, number)| (sign, number.parse::<u64>())) else {
            return;
        };
        match sign {
            ">" => {
                self.begun.insert(number);
            }
            "!" => {
                self.begun.remove(&number);
            }
            "=" => self.settle(number),
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
        self.write('>', number)
    }

    /// A request was taken, refused, or put aside: it is not to be sent again.
    pub(super) fn end(&mut self, number: u64) -> io::Result<()> {
        self.settle(number);
        self.write('=', number)
    }

    /// A request was surely not taken.
    pub(super) fn fail(&mut self, number: u64) -> io::Result<()> {
        self.begun.remove(&number);
        self.write('!', number)
    }

    fn write(&mut self, sign: char, number: u64) -> io::Result<()> {
        self.file.write_all(format!("{sign} {number}\n").as_bytes())
    }

    /// Nothing is left to resume.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_says_how_far_a_run_came() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let started = Terms { run: "abc".into(), shift: -5, seed: u64::MAX };
        assert_eq!(terms(&path).unwrap(), None);
        let mut journal = Journal::open(&path, &started).unwrap();
        for number in 0..5 {
            journal.begin(number).unwrap();
        }
        [0, 1, 3].iter().for_each(|number| journal.end(*number).unwrap());
        journal.fail(2).unwrap();
        journal.file.write_all(b"= ").unwrap();
        drop(journal);
        assert_eq!(terms(&path).unwrap(), Some(started.clone()));
        let mut again = Journal::open(&path, &started).unwrap();
        let known: Vec<_> = (0..6).map(|number| again.knows(number)).collect();
        assert_eq!(known, [Known::Settled, Known::Settled, Known::No, Known::Settled, Known::Begun, Known::No]);
        again.end(2).unwrap();
        assert_eq!((again.below, again.settled.len()), (4, 0));
        again.remove().unwrap();
        assert!(!path.exists());
        std::fs::write(&path, "hello\n").unwrap();
        assert!(terms(&path).is_err());
    }
}

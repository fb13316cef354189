//! The file of a record: whole messages or nothing of them.
//!
//! Comes in: what is to be written at once. Goes out: bytes at the end of the file; what could not be written whole is taken
//! back, so that the file opens at any moment. Older files step aside when it is full. What an earlier run left goes, or is gone
//! on with, only when the new record begins.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;

use super::arrival::{Note, Written};
use super::record_form::{Compression, Layout};
use super::record_tail::{Tail, replaceable, tail};
use super::settings::Record;

/// Readable by nobody else: prompts are in it.
const MODE: u32 = 0o600;
/// Slices that are written at once at most.
const SLICES: usize = 512;

/// A record being written.
pub struct RecordFile {
    record: Record,
    file: File,
    /// What was there before, until the record begins.
    before: Option<Before>,
    /// The file was not there before.
    created: bool,
    /// Bytes that are in it for good.
    length: u64,
    /// A file that can be cut, not a pipe or a device.
    regular: bool,
    /// How often a full file stepped aside.
    turns: u32,
    /// Spans in it, and in each of the files that stepped aside and are there.
    spans: u64,
    older: VecDeque<u64>,
    /// Spans in files that are gone.
    gone_spans: u64,
    packed: Vec<u8>,
}

/// What a file held before.
#[derive(Clone, Copy, Debug)]
struct Before {
    length: u64,
    kept: Tail,
}

impl RecordFile {
    /// Opens the file, creates it if need be, and changes nothing in it. One that is to be replaced and holds something else than a
    /// record is refused.
    pub fn open(record: Record) -> io::Result<Self> {
        let (file, created) = open(&record.path)?;
        let meta = file.metadata()?;
        let regular = meta.is_file();
        if !record.append && regular && meta.len() > 0 {
            replaceable(&record.path)?;
        }
        let kept = if record.append && regular { tail(&record.path, record.form)? } else { Tail::default() };
        let before = regular.then_some(Before { length: meta.len(), kept });
        let (older, packed) = (VecDeque::new(), Vec::new());
        let (length, turns, spans, gone_spans) = (0, 0, 0, 0);
        Ok(Self { record, file, before, created, length, regular, turns, spans, older, gone_spans, packed })
    }

    /// Begins the record, unless it has begun: what is not to be kept goes. Says what that was.
    pub fn begin(&mut self) -> io::Result<Vec<Note>> {
        let Some(Before { length, kept }) = self.before else { return Ok(Vec::new()) };
        self.file.set_permissions(fs::Permissions::from_mode(MODE))?;
        self.file.set_len(kept.whole)?;
        self.length = kept.whole;
        if kept.unended {
            self.file.write_all(b"\n")?;
            self.length += 1;
        }
        self.before = None;
        let path = || self.record.path.clone();
        let (appending, cut) = (self.record.append, length - kept.whole);
        let notes = [
            (appending && length > 0).then(|| Note::Appending { path: path(), bytes: kept.whole }),
            (appending && cut > 0).then(|| Note::Cut { path: path(), bytes: cut }),
            (!appending && length > 0).then(|| Note::Replaced { path: path(), bytes: length }),
        ];
        Ok(notes.into_iter().flatten().collect())
    }

    /// Begins the record unless an earlier one would go for it: that stays until something takes its place.
    pub(super) fn begin_beside(&mut self) -> io::Result<Vec<Note>> {
        match self.before {
            Some(Before { length: 1.., .. }) if !self.record.append => Ok(Vec::new()),
            _ => self.begin(),
        }
    }

    /// Counts spans of messages that were written last.
    pub(super) fn count(&mut self, spans: u64) {
        self.spans += spans;
    }

    /// The files of this record, oldest first.
    pub(super) fn written(&self) -> Written {
        let there = self.turns.min(self.record.keep);
        let files = (0..=there).rev().map(|number| aside(&self.record.path, number)).collect();
        Written { files, gone: self.turns - there, gone_spans: self.gone_spans }
    }

    /// Writes messages, all or none.
    pub fn write(&mut self, messages: &[&[u8]]) -> io::Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        self.make_room(messages)?;
        let written = self.write_all(messages).and_then(|bytes| self.sync().map(|()| bytes));
        match written {
            Ok(bytes) => {
                self.length += bytes;
                Ok(())
            }
            Err(error) => {
                self.take_back();
                Err(error)
            }
        }
    }

    fn write_all(&mut self, messages: &[&[u8]]) -> io::Result<u64> {
        let lengths: Vec<[u8; 4]> = messages.iter().map(|message| length(message)).collect();
        let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(2 * messages.len());
        for (message, length) in messages.iter().zip(&lengths) {
            match self.record.form.layout {
                Layout::Framed => slices.extend([IoSlice::new(length), IoSlice::new(message)]),
                Layout::Lines => slices.extend([IoSlice::new(message), IoSlice::new(b"\n")]),
            }
        }
        match self.record.form.compression {
            Compression::None => write_slices(&mut self.file, &mut slices),
            compression => {
                self.packed.clear();
                pack(compression, &slices, &mut self.packed)?;
                self.file.write_all(&self.packed)?;
                Ok(self.packed.len() as u64)
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.record.fsync && self.regular { self.file.sync_data() } else { Ok(()) }
    }

    /// Cuts off what was written in part.
    fn take_back(&mut self) {
        if self.regular {
            // When even this fails the tail is torn, which readers tell and survive.
            let _ = self.file.set_len(self.length);
        }
    }

    /// Puts a full file aside and begins a new one.
    fn make_room(&mut self, messages: &[&[u8]]) -> io::Result<()> {
        let Some(limit) = self.record.rotate.filter(|_| self.regular && self.length > 0) else { return Ok(()) };
        let coming: usize = messages.iter().map(|message| message.len() + 4).sum();
        if self.length.saturating_add(coming as u64) <= limit {
            return Ok(());
        }
        self.file = replaced(&self.record.path, self.record.keep)?;
        self.turns += 1;
        self.length = 0;
        self.older.push_back(std::mem::take(&mut self.spans));
        while self.older.len() > usize::try_from(self.record.keep).unwrap_or(usize::MAX) {
            self.gone_spans += self.older.pop_front().unwrap_or_default();
        }
        Ok(())
    }

    /// Makes sure that everything is on the disk. A file that was made for a record that has never begun goes again.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if self.created && self.before.is_some() {
            return fs::remove_file(&self.record.path);
        }
        self.sync()
    }
}

/// Opens a file for appending, one that nobody else is writing a record to; and whether it was not there before.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.append(true).mode(MODE);
    let (file, created) = match options.create_new(true).open(path) {
        Ok(file) => (file, true),
        // A link that leads nowhere is there as well.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            (options.create_new(false).create(true).open(path)?, false)
        }
        Err(error) => return Err(error),
    };
    match file.metadata()?.is_file().then(|| file.try_lock()) {
        Some(Err(TryLockError::WouldBlock)) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "somebody else is writing a record there"))
        }
        // A file system without locks cannot tell.
        _ => Ok((file, created)),
    }
}

/// A new file in the place of a full one, which steps aside. It is opened before anything moves, so that a try that fails costs no
/// older file, however often it is made.
fn replaced(path: &Path, keep: u32) -> io::Result<File> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let next = path.with_file_name(format!(".{name}.next"));
    let (file, _) = open(&next)?;
    let placed = file.set_len(0).and_then(|()| step_aside(path, keep)).and_then(|()| {
        // Where this fails, writing goes on in the old file under its own name.
        fs::rename(&next, path).inspect_err(|_| drop(fs::rename(aside(path, keep.min(1)), path)))
    });
    if placed.is_err() {
        let _ = fs::remove_file(&next);
    }
    placed.map(|()| file)
}

/// `run.jsonl` becomes `run.1.jsonl`, that `run.2.jsonl`, and so on up to the first number that is free; where none is, the oldest
/// goes. Where nothing is kept, the file stays to be replaced.
fn step_aside(path: &Path, keep: u32) -> io::Result<()> {
    let free = (1..keep).find(|number| !aside(path, *number).exists()).unwrap_or(keep);
    (0..free).rev().try_for_each(|number| fs::rename(aside(path, number), aside(path, number + 1)))
}

fn aside(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, rest) = name.split_once('.').map_or((name.as_str(), None), |(stem, rest)| (stem, Some(rest)));
    let name = match rest {
        Some(rest) => format!("{stem}.{number}.{rest}"),
        None => format!("{stem}.{number}"),
    };
    path.with_file_name(name)
}

fn length(message: &[u8]) -> [u8; 4] {
    u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes()
}

fn write_slices(file: &mut File, slices: &mut [IoSlice<'_>]) -> io::Result<u64> {
    let mut rest = slices;
    let mut total = 0;
    while !rest.is_empty() {
        let some = rest.len().min(SLICES);
        match file.write_vectored(rest.get(..some).unwrap_or_default()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                total += written as u64;
                IoSlice::advance_slices(&mut rest, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

fn pack(compression: Compression, slices: &[IoSlice<'_>], out: &mut Vec<u8>) -> io::Result<()> {
    match compression {
        Compression::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(out, 3)?;
            slices.iter().try_for_each(|slice| encoder.write_all(slice))?;
            encoder.finish().map(drop)
        }
        _ => {
            let mut encoder = GzEncoder::new(out, flate2::Compression::new(4));
            slices.iter().try_for_each(|slice| encoder.write_all(slice))?;
            encoder.finish().map(drop)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::RecordForm;

    fn record(path: PathBuf) -> Record {
        let form = RecordForm::of(&path);
        Record { path, form, append: false, fsync: true, rotate: Some(20), keep: 2 }
    }

    fn begin(record: Record) -> (RecordFile, Vec<Note>) {
        let mut file = RecordFile::open(record).unwrap();
        let notes = file.begin().unwrap();
        (file, notes)
    }

    #[test]
    fn full_files_step_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let (mut file, notes) = begin(record(path.clone()));
        assert_eq!(notes, []);
        for number in 0..5 {
            file.write(&[format!("{{\"number\":{number}}}").as_bytes()]).unwrap();
            file.count(10 + number);
        }
        file.close().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!((read("run.jsonl"), read("run.1.jsonl")), ("{\"number\":4}\n".into(), "{\"number\":3}\n".into()));
        assert_eq!(read("run.2.jsonl"), "{\"number\":2}\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        let named = |name: &str| folder.path().join(name);
        let files = vec![named("run.2.jsonl"), named("run.1.jsonl"), path];
        assert_eq!(file.written(), Written { files, gone: 2, gone_spans: 21 });
    }

    #[test]
    fn a_file_that_cannot_be_opened_costs_no_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let (mut file, _) = begin(record(path.clone()));
        let message = |number: u32| format!("{{\"number\":{number}}}").into_bytes();
        for number in 0..3 {
            file.write(&[&message(number)]).unwrap();
        }
        let obstacle = folder.path().join(".run.jsonl.next");
        fs::create_dir(&obstacle).unwrap();
        for _ in 0..3 {
            assert!(file.write(&[&message(3)]).is_err());
        }
        fs::remove_dir(&obstacle).unwrap();
        file.write(&[&message(3)]).unwrap();
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(
            (read("run.2.jsonl"), read("run.1.jsonl")),
            (b"{\"number\":1}\n".into(), b"{\"number\":2}\n".into())
        );
        assert_eq!((read("run.jsonl"), fs::read_dir(folder.path()).unwrap().count()), (b"{\"number\":3}\n".into(), 3));
        assert_eq!(file.written().gone, 1);
    }

    #[test]
    fn a_record_that_never_began_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        RecordFile::open(record(path.clone())).unwrap().close().unwrap();
        assert!(!path.exists());
        let (mut file, _) = begin(record(path.clone()));
        file.close().unwrap();
        drop(file);
        assert!(path.exists());
        RecordFile::open(record(path.clone())).unwrap().close().unwrap();
        assert!(path.exists());
    }

    #[test]
    fn an_earlier_record_stays_until_something_comes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        fs::write(&path, "{}\n").unwrap();
        let mut file = RecordFile::open(record(path.clone())).unwrap();
        assert_eq!(file.begin_beside().unwrap(), []);
        assert_eq!(fs::read(&path).unwrap(), b"{}\n");
        assert_eq!(file.begin().unwrap().len(), 1);
        file.write(&[b"{ }"]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{ }\n");
    }

    #[test]
    fn many_messages_at_once_stand_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.pb");
        let (mut file, _) = begin(Record { rotate: None, ..record(path.clone()) });
        let messages: Vec<Vec<u8>> = (0..2000u32).map(|number| number.to_le_bytes().to_vec()).collect();
        let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        file.write(&borrowed).unwrap();
        let wanted: Vec<u8> = messages.iter().flat_map(|m| [&[0, 0, 0, 4], m.as_slice()].concat()).collect();
        assert_eq!(fs::read(path).unwrap(), wanted);
    }

    #[test]
    fn what_was_there_stays_until_the_record_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        fs::write(&path, "{}\n{}\n").unwrap();
        drop(RecordFile::open(record(path.clone())).unwrap());
        assert_eq!(fs::read(&path).unwrap().len(), 6);
        let (file, notes) = begin(record(path.clone()));
        assert_eq!(notes, [Note::Replaced { path: path.clone(), bytes: 6 }]);
        assert_eq!(fs::read(&path).unwrap().len(), 0);
        // What is no record is never replaced.
        let other = folder.path().join("prog.py");
        fs::write(&other, "print('x')\n").unwrap();
        assert!(RecordFile::open(record(other)).is_err());
        // Two cannot write one record.
        assert!(RecordFile::open(record(path.clone())).is_err());
        drop(file);
        assert!(RecordFile::open(record(path)).is_ok());
    }

    #[test]
    fn every_form_is_gone_on_with_behind_its_last_whole_message() {
        let messages: [&[u8]; 2] = [br#"{"resourceSpans":[]}"#, &[0x0a, 2, 0x12, 0]];
        for name in ["run.jsonl", "run.pb", "run.jsonl.gz", "run.pb.zst"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let append = || Record { append: true, rotate: None, ..record(path.clone()) };
            let message = messages[usize::from(name.contains("pb"))];
            let (mut file, _) = begin(append());
            file.write(&[message]).unwrap();
            let one = fs::read(&path).unwrap();
            file.write(&[message, message]).unwrap();
            let whole = fs::read(&path).unwrap();
            drop(file);
            for cut in one.len()..=whole.len() {
                fs::write(&path, &whole[..cut]).unwrap();
                let (mut file, notes) = begin(append());
                let kept = file.length;
                assert!((one.len() as u64..=cut as u64 + 1).contains(&kept), "{name} {cut}");
                assert_eq!(notes[0], Note::Appending { path: path.clone(), bytes: kept.min(cut as u64) });
                assert_eq!(notes.len() == 2, kept < cut as u64, "{name} {cut}: {notes:?}");
                file.write(&[message]).unwrap();
                let now = fs::read(&path).unwrap();
                assert_eq!(now[kept as usize..], one[..], "{name} {cut}");
                assert_eq!(now[..kept.min(cut as u64) as usize], whole[..kept.min(cut as u64) as usize]);
            }
            // What is something else is not touched.
            fs::write(&path, b"hello, this is no record\n").unwrap();
            assert!(RecordFile::open(append()).is_err(), "{name}");
        }
    }
}

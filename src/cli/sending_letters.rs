//! Dead letters: a file of requests that could not be delivered, which is a capture that can be replayed.
//!
//! Comes in: requests. Goes out: records of the form that the file's name asks for, behind those that are to be kept.

use std::io;
use std::path::{Path, PathBuf};

use crate::live::{Layout, Record, RecordFile, RecordForm};
use crate::otlp::Encoding;
use crate::replay::converted;
use crate::send::Request;

/// A file of requests that could not be delivered.
pub(super) struct Letters {
    pub(super) path: PathBuf,
    encoding: Encoding,
    file: RecordFile,
    /// Spans that were put aside.
    pub(super) spans: u64,
}

impl Letters {
    /// Letters that go to this file, in the form that its name asks for. `keep`: behind what an earlier run left there; else there
    /// must be nothing.
    pub(super) fn new(path: &Path, keep: bool) -> io::Result<Self> {
        let refused = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if path == Path::new("-") {
            return refused("a file is needed, from which they can be sent again");
        }
        let held = std::fs::metadata(path).map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 });
        if held > 0 && !keep {
            return refused("it is there already and holds something: move it away, or name another file");
        }
        let form = RecordForm::of(path);
        let encoding = if form.layout == Layout::Framed { Encoding::Proto } else { Encoding::Json };
        let record = Record { path: path.to_owned(), form, append: true, fsync: false, rotate: None, keep: 0 };
        let mut file = RecordFile::open(record)?;
        // A record that was cut off goes: nothing was journaled that is not whole.
        file.begin()?;
        Ok(Self { path: path.to_owned(), encoding, file, spans: 0 })
    }

    /// Puts a request aside.
    pub(super) fn write(&mut self, request: &Request) -> io::Result<()> {
        let message = match request.encoding == self.encoding {
            true => request.bytes.clone(),
            false => converted(&request.bytes, request.encoding, self.encoding).into(),
        };
        self.file.write(&[&message])?;
        self.spans += request.spans;
        Ok(())
    }

    /// An empty file is not left behind.
    pub(super) fn close(&self) {
        if std::fs::metadata(&self.path).is_ok_and(|meta| meta.is_file() && meta.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::Grade;

    fn request(encoding: Encoding) -> Request {
        let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"n","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;
        let bytes = converted(json, Encoding::Json, encoding).into();
        Request { bytes, encoding, spans: 1, tag: 0, doubtful: false }
    }

    #[test]
    fn the_name_says_the_form_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.pb", "a.jsonl", "a", "a.pb.zst", "a.jsonl.gz"] {
            let path = folder.path().join(name);
            let mut letters = Letters::new(&path, false).unwrap();
            letters.write(&request(Encoding::Proto)).unwrap();
            letters.write(&request(Encoding::Json)).unwrap();
            assert_eq!(letters.spans, 2);
            letters.close();
            drop(letters);
            let one = std::fs::read(&path).unwrap();
            let packed = [&[0x1f, 0x8b][..], &[0x28, 0xb5, 0x2f, 0xfd]].iter().any(|magic| one.starts_with(magic));
            assert_eq!(packed, name.ends_with("gz") || name.ends_with("zst"), "{name}");
            assert!(Letters::new(&path, false).is_err(), "{name}");
            assert_eq!(std::fs::read(&path).unwrap(), one);
            // What was cut off by a crash goes before something follows it.
            std::fs::write(&path, &one[..one.len() - 3]).unwrap();
            let mut more = Letters::new(&path, true).unwrap();
            more.write(&request(Encoding::Proto)).unwrap();
            drop(more);
            let capture =
                crate::capture::open(&[path.display().to_string()], &Default::default(), &mut |_| {}).unwrap();
            let odd = capture.troubles().iter().filter(|trouble| trouble.kind.grade() > Grade::Note).count();
            assert_eq!((capture.len(), odd), (2, 0), "{name}");
        }
        let path = folder.path().join("empty.pb");
        Letters::new(&path, false).unwrap().close();
        assert!(!path.exists() && Letters::new(Path::new("-"), false).is_err());
    }
}

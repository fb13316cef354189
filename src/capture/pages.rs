//! Spans of a capture in place, one at a time and in any order.
//!
//! Comes in: a span somebody wants to see. Goes out: its bytes, read where they lie. Compressed inputs and pipes are laid out once, one
//! behind the other, in a temporary file; of everything else nothing is kept but open files.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::head::{SourceId, SpanRef};
use super::table::Capture;
use crate::input::{InputError, Store, Stream};
use crate::otlp::RawSpan;

/// Files that are open at a time.
const OPEN: usize = 64;

/// The inputs of a capture, open for reading anywhere.
#[derive(Debug, Default)]
pub struct Pages {
    /// The one that was read last comes last.
    open: VecDeque<(SourceId, File)>,
    /// What cannot be read anywhere as it is, laid out, and where the content of each input begins in it.
    laid_out: Option<File>,
    begins: BTreeMap<SourceId, u64>,
    bytes: Vec<u8>,
}

impl Pages {
    /// The span in place; `None` when its bytes are no longer there, or no longer that span's.
    pub fn span(&mut self, capture: &Capture, span: SpanRef) -> Result<Option<RawSpan<'_>>, InputError> {
        let source = capture.head(span).source;
        self.read(capture, span).map_err(|error| InputError::read(&capture.source(source).path, error))?;
        let mut raw = RawSpan::default();
        let sound = capture.reads(span, &self.bytes, &mut raw);
        (raw.shape, raw.raw) = (capture.head(span).marks.shape(), &self.bytes);
        Ok(sound.then_some(raw))
    }

    /// Reads a span's bytes, as far as they are still there.
    fn read(&mut self, capture: &Capture, span: SpanRef) -> io::Result<()> {
        let head = capture.head(span);
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let (file, begins) = self.file(capture, head.source)?;
        file.seek(SeekFrom::Start(begins + head.at))?;
        file.take(u64::from(head.size)).read_to_end(&mut bytes)?;
        self.bytes = bytes;
        Ok(())
    }

    /// The file that an input's content is in, and where it begins there.
    fn file(&mut self, capture: &Capture, source: SourceId) -> io::Result<(&mut File, u64)> {
        let store = capture.store(source)?;
        if let Store::Path(path) = store
            && capture.source(source).compression.is_none()
        {
            match self.open.iter().position(|(open, _)| *open == source) {
                Some(at) => {
                    let last = self.open.remove(at);
                    self.open.extend(last);
                }
                None => {
                    if self.open.len() >= OPEN {
                        self.open.pop_front();
                    }
                    self.open.push_back((source, File::open(path)?));
                }
            }
            let (_, file) = self.open.back_mut().ok_or(io::ErrorKind::NotFound)?;
            return Ok((file, 0));
        }
        if self.laid_out.is_none() {
            self.laid_out = Some(tempfile::tempfile()?);
        }
        let file = self.laid_out.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let begins = match self.begins.get(&source) {
            Some(begins) => *begins,
            None => {
                let begins = file.seek(SeekFrom::End(0))?;
                io::copy(&mut Stream::reopen(store)?, file)?;
                self.begins.insert(source, begins);
                begins
            }
        };
        Ok((file, begins))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::capture::open;
    use crate::input::Options;

    fn line(number: u32) -> String {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{number:032x}","spanId":"{number:016x}"}}]}}]}}]}}"#
        )
    }

    #[test]
    fn every_compressed_input_is_laid_out_once() {
        let folder = tempfile::tempdir().unwrap();
        let count = OPEN as u32 + 6;
        for number in 1..=count {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(line(number).as_bytes()).unwrap();
            fs::write(folder.path().join(format!("{number}.gz")), packed.finish().unwrap()).unwrap();
        }
        let capture = open(&[folder.path()], &Options::default(), &mut |_| {}).unwrap();
        let mut pages = Pages::default();
        for _ in 0..3 {
            for span in capture.spans() {
                assert_eq!(pages.span(&capture, span).unwrap().unwrap().span_id.span(), capture.head(span).id);
            }
        }
        let laid_out = pages.laid_out.unwrap().metadata().unwrap().len();
        assert_eq!((capture.len(), laid_out), (count as usize, u64::from(count) * line(1).len() as u64));
    }

    #[test]
    fn files_take_turns_and_the_one_in_use_stays_open() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=OPEN as u32 + 6 {
            fs::write(folder.path().join(format!("{number}.jsonl")), line(number)).unwrap();
        }
        let capture = open(&[folder.path()], &Options::default(), &mut |_| {}).unwrap();
        let mut pages = Pages::default();
        let first = capture.spans().next().unwrap();
        for span in capture.spans() {
            assert!(pages.span(&capture, span).unwrap().is_some() && pages.span(&capture, first).unwrap().is_some());
        }
        assert_eq!(pages.open.len(), OPEN);
        fs::remove_file(folder.path().join("1.jsonl")).unwrap();
        assert!(pages.span(&capture, first).unwrap().is_some());
    }

    #[test]
    fn another_span_in_the_same_place_is_not_taken_for_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), line(1)).unwrap();
        let capture = open(&[file.path()], &Options::default(), &mut |_| {}).unwrap();
        fs::write(file.path(), line(2)).unwrap();
        assert!(Pages::default().span(&capture, SpanRef(0)).unwrap().is_none());
    }
}

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

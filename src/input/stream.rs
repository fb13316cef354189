//! Decompressed bytes of one input, read once or again from the start.
//!
//! Comes in: a file, standard input or what was kept of it. Goes out: its content with compression undone. Damage ends the
//! stream early, or costs a message where each is compressed on its own, and is reported; it is never an error.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::MultiGzDecoder;
use tempfile::SpooledTempFile;

use super::messages::Messages;
use super::sniff::Compression;

const READ_AHEAD: usize = 256 << 10;

/// Where an input can be read again.
#[derive(Debug)]
pub enum Store {
    /// A file on disk.
    Path(PathBuf),
    /// What came in once, kept in memory or in a temporary file.
    Spool(Arc<Mutex<SpooledTempFile>>),
    /// Nowhere: it came in once and was not kept.
    Gone,
}

type Source = Box<dyn Read + Send>;

/// The content of an input.
pub struct Stream {
    inner: Source,
    compression: Option<Compression>,
    stored: Arc<AtomicU64>,
    damage: Option<io::Error>,
    lost: Arc<AtomicU64>,
}

impl Stream {
    /// Undoes the compression that the data itself shows.
    pub fn new(mut source: Source) -> io::Result<Self> {
        let mut head = Vec::with_capacity(8);
        (&mut source).take(8).read_to_end(&mut head)?;
        let compression = Compression::of(&head);
        let (stored, lost) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let raw = Counted { inner: io::Cursor::new(head).chain(source), count: Arc::clone(&stored) };
        let inner: Source = match compression {
            None => Box::new(raw),
            Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_AHEAD, raw))),
            Some(Compression::Zstd) => Box::new(zstd::stream::read::Decoder::new(raw)?),
            Some(Compression::ZstdMessages) => Box::new(Messages::new(raw, Arc::clone(&lost))),
        };
        Ok(Self { inner, compression, stored, damage: None, lost })
    }

    /// Opens what was stored.
    pub fn reopen(store: &Store) -> io::Result<Self> {
        match store {
            Store::Path(path) => Self::new(Box::new(File::open(path)?)),
            Store::Spool(spool) => Self::new(Box::new(Replay { spool: Arc::clone(spool), at: 0 })),
            Store::Gone => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    /// The compression that was found.
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// How many bytes were read so far, as stored.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// How many compressed messages so far were damaged.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// What ended the stream early, if something did.
    pub fn damage(&self) -> Option<&io::Error> {
        self.damage.as_ref()
    }
}

/// Reads a spool from its start.
struct Replay {
    spool: Arc<Mutex<SpooledTempFile>>,
    at: u64,
}

impl Read for Replay {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
        spool.seek(SeekFrom::Start(self.at))?;
        let read = spool.read(into)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.damage.is_some() {
            return Ok(0);
        }
        loop {
            match self.inner.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.compression.is_some() => {
                    self.damage = Some(error);
                    return Ok(0);
                }
                other => return other,
            }
        }
    }
}

/// Counts what passes.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Copies what passes into a spool.
pub(crate) struct Tee<R> {
    inner: R,
    spool: Arc<Mutex<SpooledTempFile>>,
}

impl<R: Read> Tee<R> {
    pub(crate) fn new(inner: R, spool: Arc<Mutex<SpooledTempFile>>) -> Self {
        Self { inner, spool }
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
        spool.write_all(into.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: Vec<u8>) -> (Vec<u8>, Option<Compression>, bool) {
        let mut stream = Stream::new(Box::new(io::Cursor::new(bytes))).unwrap();
        let mut out = Vec::new();
        stream.read_to_end(&mut out).unwrap();
        (out, stream.compression(), stream.damage().is_some())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(bytes, 1).unwrap()
    }

    #[test]
    fn every_member_and_frame_is_read() {
        let mut members = gzip(b"first ");
        members.extend(gzip(b"second"));
        assert_eq!(read(members), (b"first second".to_vec(), Some(Compression::Gzip), false));
        let mut frames = zstd(b"first ");
        frames.extend(zstd(b"second"));
        assert_eq!(read(frames), (b"first second".to_vec(), Some(Compression::Zstd), false));
        assert_eq!(read(b"plain".to_vec()), (b"plain".to_vec(), None, false));
    }

    #[test]
    fn a_cut_stream_yields_what_it_holds() {
        let text: Vec<u8> = (0..200_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for packed in [gzip(&text), zstd(&text)] {
            let (out, _, damaged) = read(packed[..packed.len() / 2].to_vec());
            assert!(damaged && out.len() > text.len() / 4, "{}", out.len());
            assert!(text.starts_with(&out));
        }
    }
}

//! What is already there: whether it is a record, and where it ends, which is behind its last whole message.
//!
//! Comes in: a file and its form. Goes out: how many of its bytes are whole messages; what follows them was being written when
//! its writer died. A file that is something else is refused: nothing is cut from what is not understood.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::arrival::Encoding;
use super::inspect::inspect;
use super::record_form::{Compression, Layout, RecordForm};

/// What is read of a file at once.
const PIECE: usize = 64 << 10;
/// A line without an end that is longer than this is not looked at: it counts as unfinished.
const LINE: u64 = 256 << 20;

/// The end of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// Bytes that are whole messages.
    pub(super) whole: u64,
    /// The last line is whole but for its end.
    pub(super) unended: bool,
}

/// Looks for the end of the last whole message.
pub(super) fn tail(path: &Path, form: RecordForm) -> io::Result<Tail> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(Tail::default());
    }
    let tail = match (form.compression, form.layout) {
        (Compression::None, Layout::Lines) => lines(file, length)?,
        (Compression::None, Layout::Framed) => Tail { whole: frames(file, length)?, unended: false },
        (compression, layout) => Tail { whole: members(file, compression, layout)?, unended: false },
    };
    if tail.whole == 0 {
        return Err(foreign());
    }
    Ok(tail)
}

/// What is looked at to tell a record from other files.
const HEAD: u64 = 64 << 10;
/// No message of a record is longer.
const MESSAGE: u32 = 1 << 28;

/// Refuses a file that holds something else than a record, in whatever form: it would be lost.
pub(super) fn replaceable(path: &Path) -> io::Result<()> {
    let mut start = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut start)?;
    let file = BufReader::with_capacity(PIECE, File::open(path)?);
    let mut head = Vec::new();
    let read = match *start {
        [0x1f, 0x8b, ..] => GzDecoder::new(file).take(HEAD).read_to_end(&mut head),
        [0x28, 0xb5, 0x2f, 0xfd] => zstd::stream::read::Decoder::with_buffer(file)?.take(HEAD).read_to_end(&mut head),
        _ => file.take(HEAD).read_to_end(&mut head),
    };
    // What was cut off is a record as far as it goes; what cannot be unpacked at all is none.
    let readable = read.is_ok() || !head.is_empty();
    if readable && is_record(&head) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the file is there and holds no record: it would be lost"))
}

/// Whether bytes begin like requests, as lines or behind their lengths.
fn is_record(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    if text.is_empty() {
        return true;
    }
    if let Some(object) = text.strip_prefix(b"{") {
        let member = object.trim_ascii_start();
        return [&b"}"[..], b"\"resource", b"\"scope"].iter().any(|begins| member.starts_with(begins));
    }
    let Some((length, message)) = head.split_first_chunk::<4>() else { return false };
    let length = u32::from_be_bytes(*length);
    // A request begins with a field 1 that has a length.
    length > 0 && length < MESSAGE && message.first().is_none_or(|tag| *tag == 0x0a)
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it holds no message of the form that is to be written behind it")
}

/// JSON Lines: what follows the last line break is a line only if it is a whole request.
fn lines(file: File, length: u64) -> io::Result<Tail> {
    let mut file = BufReader::with_capacity(PIECE, file);
    let first = loop {
        let piece = file.fill_buf()?;
        let Some(first) = piece.iter().find(|byte| !byte.is_ascii_whitespace()) else {
            if piece.is_empty() {
                return Ok(Tail { whole: length, unended: false });
            }
            let all = piece.len();
            file.consume(all);
            continue;
        };
        break *first;
    };
    if first != b'{' {
        return Err(foreign());
    }
    let whole = behind_last_break(file.get_mut(), length)?;
    let rest = length - whole;
    if rest == 0 || rest > LINE {
        return Ok(Tail { whole, unended: false });
    }
    file.seek(SeekFrom::Start(whole))?;
    let mut line = Vec::new();
    file.read_to_end(&mut line)?;
    match inspect(&line, Encoding::Json, &mut |_| {}) {
        Ok(_) => Ok(Tail { whole: length, unended: true }),
        Err(_) => Ok(Tail { whole, unended: false }),
    }
}

/// Where the last line begins, looked for from the end.
fn behind_last_break(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut piece = vec![0; PIECE];
    while end > 0 {
        let start = end.saturating_sub(PIECE as u64);
        let some = usize::try_from(end - start).unwrap_or(PIECE);
        let part = piece.get_mut(..some).unwrap_or_default();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = memchr::memrchr(b'\n', part) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Messages behind their lengths: from one to the next. The first has to be a request, or the file is of another kind.
fn frames(file: File, length: u64) -> io::Result<u64> {
    let mut file = BufReader::with_capacity(PIECE, file);
    let mut whole = 0;
    while length - whole >= 4 {
        let mut size = [0; 4];
        file.read_exact(&mut size)?;
        let size = u64::from(u32::from_be_bytes(size));
        if length - whole - 4 < size {
            break;
        }
        if whole == 0 {
            let mut first = Vec::new();
            (&mut file).take(size).read_to_end(&mut first)?;
            inspect(&first, Encoding::Proto, &mut |_| {}).map_err(|_| foreign())?;
        } else {
            file.seek_relative(i64::try_from(size).unwrap_or(i64::MAX))?;
        }
        whole += 4 + size;
    }
    Ok(whole)
}

/// Members of gzip or frames of Zstandard, each of which holds whole messages: one after another, unpacked to see its end.
fn members(file: File, compression: Compression, layout: Layout) -> io::Result<u64> {
    let mut file = Counted { inner: BufReader::with_capacity(PIECE, file), taken: 0 };
    let mut whole = 0;
    while !file.fill_buf()?.is_empty() {
        let mut sight = Sight { layout, seen: 0, fits: true };
        let unpacked = match compression {
            Compression::Gzip => io::copy(&mut GzDecoder::new(&mut file), &mut sight),
            _ => zstd::stream::read::Decoder::with_buffer(&mut file)
                .and_then(|decoder| io::copy(&mut decoder.single_frame(), &mut sight)),
        };
        if unpacked.is_err() || !sight.fits {
            break;
        }
        whole = file.taken;
    }
    Ok(whole)
}

/// Looks at the first byte of what was packed, which tells the layouts apart, and forgets the rest.
struct Sight {
    layout: Layout,
    seen: u64,
    fits: bool,
}

impl io::Write for Sight {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let (0, Some(first)) = (self.seen, bytes.first()) {
            self.fits = (*first == b'{') == (self.layout == Layout::Lines);
        }
        self.seen += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader that knows how much was taken from it.
struct Counted<R> {
    inner: R,
    taken: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.taken += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.inner.consume(bytes);
        self.taken += bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_from_other_files() {
        for head in [
            &b""[..],
            b"\n",
            b"{}\n{}",
            b"{\"resourceSpans\":[",
            b"{\n \"resourceLogs\": []",
            b"\0\0\0\x0c\x0a\x0a\x12",
        ] {
            assert!(is_record(head), "{}", head.escape_ascii());
        }
        for head in [
            &b"import os\nprint('x')\n"[..],
            b"a,b\n1,2\n",
            b"{\"name\":\"package\"}",
            b"[1]",
            b"ab",
            b"\0\0\0\0",
            b"\x7fELF\x02",
        ] {
            assert!(!is_record(head), "{}", head.escape_ascii());
        }
    }
}

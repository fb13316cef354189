//! Messages that are compressed one by one, each a zstd frame behind its length (four bytes, big-endian), as the collector's
//! file exporter writes them with `compression: zstd`.
//!
//! Comes in: the bytes as stored. Goes out: a stream of lines (JSON) or of messages behind the length of what they inflate to
//! (protobuf). A damaged message costs what of it cannot be inflated: reading goes on with the next one, which begins where the
//! length says or at the next frame. It never holds more than one message.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// No message may inflate to more.
const MAX_MESSAGE: u64 = 1 << 30;
/// A length above this is taken for damage.
const MAX_STORED: usize = 256 << 20;
/// How much is read at once.
const PIECE: u64 = 256 << 10;
/// How a zstd frame begins (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The length, and how the frame behind it begins.
const HEADER: usize = 8;

/// The messages of a stream.
pub(super) struct Messages<R> {
    reader: R,
    /// What was read and not used up: from `from` on.
    held: Vec<u8>,
    from: usize,
    out: Vec<u8>,
    at: usize,
    /// The last message was cut off.
    cut: bool,
    lost: Arc<AtomicU64>,
}

impl<R: Read> Messages<R> {
    /// Reads messages and counts in `lost` those that were damaged.
    pub(super) fn new(reader: R, lost: Arc<AtomicU64>) -> Self {
        Self { reader, held: Vec::new(), from: 0, out: Vec::new(), at: 0, cut: false, lost }
    }

    fn rest(&self) -> &[u8] {
        self.held.get(self.from..).unwrap_or_default()
    }

    /// Holds at least so many bytes, unless the stream ends before.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.rest().len() < wanted {
            if self.from > 0 {
                self.held.drain(..self.from);
                self.from = 0;
            }
            let missing = (wanted - self.held.len()) as u64;
            if (&mut self.reader).take(missing.max(PIECE)).read_to_end(&mut self.held)? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Inflates the next message, or what can be had of it. `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.at = 0;
        self.fill(HEADER)?;
        let rest = self.rest();
        let length = rest.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize);
        match length {
            _ if self.cut => return Err(io::ErrorKind::UnexpectedEof.into()),
            None if rest.is_empty() => return Ok(false),
            Some(0) => {
                self.from += 4;
                return Ok(true);
            }
            _ if rest.len() < HEADER => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(length) if begins(rest) && length <= MAX_STORED => self.message(length + 4)?,
            _ => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                self.go_on()?;
            }
        }
        Ok(true)
    }

    /// Inflates the message that begins here and has so many bytes, its length included.
    fn message(&mut self, whole: usize) -> io::Result<()> {
        self.fill(whole + HEADER)?;
        let rest = self.held.get(self.from..).unwrap_or_default();
        let frame = rest.get(4..whole.min(rest.len())).unwrap_or_default();
        let sound = inflate(frame, &mut self.out).is_ok();
        let (ends, follows) = (rest.len() < whole, rest.get(whole..).unwrap_or_default());
        let fits = !ends && (follows.is_empty() || begins(follows));
        if sound && !ends {
            self.from += whole;
        } else if fits {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.from += whole;
        } else if self.go_on()? || !ends {
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            // Cut off: what there is comes first, and then the news.
            self.cut = true;
        }
        Ok(())
    }

    /// Goes to the next header behind the one that begins here. `false` where there is none.
    fn go_on(&mut self) -> io::Result<bool> {
        self.from = (self.from + 1).min(self.held.len());
        loop {
            let found = memchr::memmem::find(self.rest().get(4..).unwrap_or_default(), &MAGIC);
            if let Some(found) = found {
                self.from += found;
                return Ok(true);
            }
            // The magic number may begin in the last bytes that were read.
            self.from = self.held.len().saturating_sub(HEADER - 1).max(self.from);
            let before = self.rest().len();
            self.fill(before + 1)?;
            if self.rest().len() == before {
                self.from = self.held.len();
                return Ok(false);
            }
        }
    }
}

/// Whether a length and a frame begin here.
fn begins(bytes: &[u8]) -> bool {
    bytes.get(4..).is_some_and(|bytes| bytes.starts_with(&MAGIC))
}

/// Inflates a frame as a line, or behind the length of what came of it; nothing where nothing came.
fn inflate(frame: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(&[0; 4]);
    let result = zstd::stream::read::Decoder::with_buffer(frame)
        .and_then(|decoder| decoder.take(MAX_MESSAGE).read_to_end(out).map(drop));
    match out.get(4) {
        None => out.clear(),
        Some(b'{' | b'[') => {
            out.drain(..4);
            out.push(b'\n');
        }
        Some(_) => {
            let size = u32::try_from(out.len() - 4).unwrap_or(u32::MAX);
            if let Some(prefix) = out.first_chunk_mut::<4>() {
                *prefix = size.to_be_bytes();
            }
        }
    }
    result
}

impl<R: Read> Read for Messages<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.out.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let count = self.out.get(self.at..).unwrap_or_default().read(into)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn framed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(bytes).unwrap();
        let packed = encoder.finish().unwrap();
        [(packed.len() as u32).to_be_bytes().to_vec(), packed].concat()
    }

    /// What is read in all, how many messages were lost, and whether it ended early.
    fn read(bytes: &[u8]) -> (Vec<u8>, u64, bool) {
        let lost = Arc::new(AtomicU64::new(0));
        let mut out = Vec::new();
        let ended = Messages::new(bytes, Arc::clone(&lost)).read_to_end(&mut out);
        (out, lost.load(Ordering::Relaxed), ended.is_err())
    }

    #[test]
    fn messages_become_lines_or_framed_messages() {
        let json = [framed(b"{\"a\":1}"), vec![0; 4], framed(b"{}")].concat();
        assert_eq!(read(&json), (b"{\"a\":1}\n{}\n".to_vec(), 0, false));
        assert_eq!(read(&framed(b"\x0a\x00")), (b"\0\0\0\x02\x0a\x00".to_vec(), 0, false));
        let first = framed(b"{\"a\":1}");
        for cut in [1, 3, 6, first.len() - 1] {
            let (out, lost, early) = read(&[&first, &first[..cut]].concat());
            assert!(out.starts_with(b"{\"a\":1}\n") && lost == 0 && early, "{cut}");
        }
    }

    #[test]
    fn a_damaged_message_costs_only_itself() {
        let text = |number: u32| {
            let noise: String = (0..400u32).map(|n| (n.wrapping_mul(number + 7) % 97).to_string()).collect();
            format!("{{\"number\":{number},\"noise\":\"{noise}\"}}")
        };
        let messages: Vec<Vec<u8>> = (0..5).map(|number| framed(text(number).as_bytes())).collect();
        let whole = |out: &[u8], number| memchr::memmem::find(out, text(number).as_bytes()).is_some();
        let second = messages[0].len()..messages[0].len() + messages[1].len();
        for at in second {
            let mut bytes = messages.concat();
            bytes[at] ^= 0xff;
            let (out, lost, early) = read(&bytes);
            // Where the content shows nothing of the damage (a length, a flag) nothing was lost.
            assert!(lost == 1 || whole(&out, 1), "{at}: {lost}");
            assert!([0, 2, 3, 4].iter().all(|number| whole(&out, *number)) && !early, "damage at {at}");
        }
    }
}

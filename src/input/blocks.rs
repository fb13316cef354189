//! A stream cut into blocks of about two megabytes, at the ends of documents or messages where those can be told at a glance.
//!
//! Comes in: a stream of known format. Goes out: blocks with their offsets, each saying whether it begins with a document.
//! It never parses.

use std::io::{self, Read};

use super::sniff::{Format, varint};
use super::stream::Stream;
use crate::otlp::Framing;

const BLOCK: usize = 2 << 20;
/// A block grows to this size in search of a place to cut before it is cut anywhere.
const MAX_BLOCK: usize = 16 << 20;
/// So much at a time: what is behind the cut has to be moved to the next block.
const STEP: usize = 64 << 10;

/// Where a block may end.
enum Cut {
    /// Here, where something new begins.
    At(usize),
    /// Not before it has so many bytes.
    Beyond(usize),
}

/// A piece of a stream. Its buffer is filled again and again.
#[derive(Debug, Default)]
pub struct Block {
    buffer: Vec<u8>,
    length: usize,
    /// Offset of the first byte in the decoded stream.
    pub at: u64,
    /// Its number, from 0.
    pub sequence: u64,
    /// It begins where a document or message does (as far as can be told at a glance).
    pub clean: bool,
    /// Nothing follows.
    pub last: bool,
}

impl Block {
    /// The bytes of the block.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

/// The blocks of a stream.
pub struct Blocks {
    stream: Stream,
    format: Format,
    /// The buffer of the next block, and how much of its beginning is filled already.
    next: Vec<u8>,
    pending: usize,
    offset: u64,
    sequence: u64,
    clean: bool,
    /// Bytes of a protobuf message that begins in an earlier block and ends in a later one.
    open: usize,
    done: bool,
}

impl Blocks {
    /// Cuts a stream of this format, of which `head` was read already.
    pub fn new(stream: Stream, format: Format, head: Vec<u8>) -> Self {
        let pending = head.len();
        Self { stream, format, next: head, pending, offset: 0, sequence: 0, clean: true, open: 0, done: false }
    }

    /// The stream that is cut.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Whether the end of the stream was reached.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Fills `block` with the next piece. `false` when there is none.
    pub fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        if self.done {
            return Ok(false);
        }
        std::mem::swap(&mut block.buffer, &mut self.next);
        let buffer = &mut block.buffer;
        let mut length = std::mem::take(&mut self.pending);
        let mut target = length.max(BLOCK);
        let mut searched = target.saturating_sub(STEP);
        block.clean = self.clean;
        loop {
            grow(buffer, target);
            if !fill(&mut self.stream, buffer.get_mut(..target).unwrap_or_default(), &mut length)? {
                self.done = true;
                break;
            }
            let bytes = buffer.get(..length).unwrap_or_default();
            let grows = block.clean && length < MAX_BLOCK;
            match self.cut(bytes, if grows { searched } else { 0 }, grows) {
                Cut::At(cut) => {
                    let rest = bytes.get(cut..).unwrap_or_default();
                    grow(&mut self.next, rest.len());
                    if let Some(front) = self.next.get_mut(..rest.len()) {
                        front.copy_from_slice(rest);
                    }
                    self.pending = rest.len();
                    length = cut;
                    self.clean = true;
                    break;
                }
                Cut::Beyond(more) if grows => (searched, target) = (length, more.min(MAX_BLOCK)),
                Cut::Beyond(_) => {
                    self.clean = false;
                    break;
                }
            }
        }
        block.length = length;
        block.at = self.offset;
        block.sequence = self.sequence;
        block.last = self.done;
        self.offset += length as u64;
        self.sequence += 1;
        Ok(true)
    }

    /// The last place in `bytes` where something new begins, not before `searched`.
    fn cut(&mut self, bytes: &[u8], searched: usize, grows: bool) -> Cut {
        match self.format {
            Format::Proto(framing) => self.cut_messages(bytes, framing, grows),
            _ => cut_documents(bytes, searched.saturating_sub(1)).map_or(Cut::Beyond(bytes.len() + STEP), Cut::At),
        }
    }

    /// Behind the last message, which is waited for while the block grows.
    fn cut_messages(&mut self, bytes: &[u8], framing: Framing, grows: bool) -> Cut {
        let mut at = self.open;
        let mut end = at;
        while end <= bytes.len() {
            at = end;
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(size) = message_size(rest, framing) else { break };
            end = at.saturating_add(size);
        }
        if grows && end > bytes.len() && end <= MAX_BLOCK {
            return Cut::Beyond(end);
        }
        if at > 0 && at <= bytes.len() {
            self.open = 0;
            return Cut::At(at);
        }
        if !grows {
            self.open = end.saturating_sub(bytes.len());
        }
        Cut::Beyond(bytes.len() + BLOCK)
    }
}

/// The size of the message (or of the field, where nothing stands between messages) that begins here.
fn message_size(bytes: &[u8], framing: Framing) -> Option<usize> {
    let (length, header) = match framing {
        Framing::Length32 => (u64::from(u32::from_be_bytes(*bytes.first_chunk::<4>()?)), 4),
        Framing::Varint => varint(bytes)?,
        Framing::None => {
            let (b"\x0a", rest) = bytes.split_at_checked(1)? else { return None };
            let (length, used) = varint(rest)?;
            (length, used + 1)
        }
    };
    usize::try_from(length).ok()?.checked_add(header)
}

/// Behind the last line break that is followed by what begins a document.
fn cut_documents(bytes: &[u8], from: usize) -> Option<usize> {
    let mut end = bytes.len();
    while let Some(at) = memchr::memrchr(b'\n', bytes.get(from..end)?) {
        let at = from + at;
        if matches!(bytes.get(at + 1), Some(b'{' | b'[')) {
            return Some(at + 1);
        }
        end = at;
    }
    None
}

fn grow(buffer: &mut Vec<u8>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
}

/// Reads until the buffer is full. `false` at the end of the stream.
fn fill(stream: &mut Stream, buffer: &mut [u8], length: &mut usize) -> io::Result<bool> {
    while let Some(room) = buffer.get_mut(*length..).filter(|room| !room.is_empty()) {
        match stream.read(room)? {
            0 => return Ok(false),
            read => *length += read,
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: Vec<u8>, format: Format) -> Vec<(u64, usize, bool, bool)> {
        let stream = Stream::new(Box::new(io::Cursor::new(bytes))).unwrap();
        let mut blocks = Blocks::new(stream, format, Vec::new());
        let mut block = Block::default();
        let mut found = Vec::new();
        while blocks.next(&mut block).unwrap() {
            found.push((block.at, block.bytes().len(), block.clean, block.last));
        }
        found
    }

    #[test]
    fn lines_are_cut_where_documents_begin() {
        let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(300_000));
        let found = blocks(line.repeat(20).into_bytes(), Format::Json);
        assert!(found.len() > 2);
        assert!(found.iter().all(|(at, _, clean, _)| *clean && *at % line.len() as u64 == 0));
        let total: usize = found.iter().map(|(_, length, _, _)| length).sum();
        assert_eq!(total, line.len() * 20);
        assert_eq!(found.iter().filter(|(.., last)| *last).count(), 1);
    }

    #[test]
    fn blocks_end_with_the_line_or_message_that_makes_them_large_enough() {
        let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(900_000));
        let message = [900_000u32.to_be_bytes().to_vec(), vec![7; 900_000]].concat();
        let framed = Format::Proto(Framing::Length32);
        for (part, format) in [(line.into_bytes(), Format::Json), (message, framed)] {
            let found = blocks(part.repeat(6), format);
            let lengths: Vec<usize> =
                found.iter().map(|block| block.1 / part.len()).filter(|parts| *parts > 0).collect();
            assert_eq!(lengths, [3, 3]);
            let ends = |at: u64, length: usize| (at as usize + length).is_multiple_of(part.len());
            assert!(found.iter().all(|(at, length, clean, _)| *clean && ends(*at, *length)));
        }
    }

    #[test]
    fn messages_are_cut_between_each_other() {
        let message = |size: usize| [(size as u32).to_be_bytes().to_vec(), vec![7; size]].concat();
        let found = blocks(message(700_000).repeat(5), Format::Proto(Framing::Length32));
        assert!(found.len() > 1 && found.iter().all(|(at, _, clean, _)| *clean && at % 700_004 == 0), "{found:?}");
        let huge = [message(40 << 20), message(10), message(10)].concat();
        let length = huge.len();
        let found = blocks(huge, Format::Proto(Framing::Length32));
        assert!(!found[1].2 && found.iter().map(|block| block.1).sum::<usize>() == length);
    }

    #[test]
    fn one_large_document_is_cut_anywhere() {
        let found = blocks(format!("{{\"a\":\"{}\"}}", "x".repeat(40 << 20)).into_bytes(), Format::Json);
        assert_eq!((found[0].2, found[1].2), (true, false));
        assert!(found.iter().all(|block| block.1 <= MAX_BLOCK + BLOCK));
    }
}

//! The envelope of JSON input: documents of every known form, one after another, in pieces of any size.
//!
//! Comes in: consecutive pieces of a stream. Goes out: resources, scopes and spans in place, and a tally of what was odd.
//! It holds back only an unfinished leaf (a span, a resource, a scope), never a whole document, and what it cannot parse
//! never costs the spans around it.

use super::super::carry::Carry;
use super::super::cursor::{Cursor, Halt};
use super::super::discard::{Discard, Progress};
use super::super::notes::Notes;
use super::super::raw::RawSpan;
use super::super::seen::{Seen, Tally};
use super::super::trouble::TroubleKind;
use super::frame::{Frame, Level};
use super::members::RECORDS;
use super::probe::{Nature, begins_document, probe};

/// Envelopes do not nest deeper; what does is stepped over.
const MAX_FRAMES: usize = 32;

/// A reader of JSON documents.
#[derive(Debug, Default)]
pub struct JsonReader {
    pub(super) frames: Vec<Frame>,
    carry: Carry,
    /// Offset of the first byte of the piece that is read.
    pub(super) base: u64,
    /// How long `carry` has to be before another try is worth it.
    wait: usize,
    /// Where the current leaf begins.
    pub(super) leaf: Option<usize>,
    /// How a sound span begins, up to its first colon: the mark to look for behind a broken one.
    pub(super) span_start: Vec<u8>,
    /// Offset of the piece at whose beginning nothing stood open, and the bytes that were read in vain since then.
    pub(super) idle_at: u64,
    pub(super) in_vain: u64,
    pub(super) tally: Tally,
    notes: Notes,
}

impl JsonReader {
    /// Takes the next piece of the stream, which begins at offset `at`. `last` says that nothing follows.
    pub fn feed(&mut self, piece: &[u8], at: u64, last: bool, sink: &mut impl FnMut(Seen<'_, '_>)) {
        if self.is_idle() {
            (self.idle_at, self.in_vain) = (at, 0);
        }
        let mut carry = std::mem::take(&mut self.carry);
        let wait = self.wait;
        let fed = carry.feed((piece, at), last, wait, |bytes, base| {
            self.base = base;
            self.run(bytes, last, sink)
        });
        if fed {
            self.wait = 2 * carry.len();
        }
        self.carry = carry;
    }

    /// Whether the stream stands between two documents.
    pub fn is_idle(&self) -> bool {
        self.frames.is_empty() && self.carry.is_empty()
    }

    /// What was odd so far; counting starts anew.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Reads as much of `bytes` as it can and says how much that was.
    fn run(&mut self, bytes: &[u8], last: bool, sink: &mut impl FnMut(Seen<'_, '_>)) -> usize {
        let mut notes = std::mem::take(&mut self.notes);
        let mut cursor = Cursor::new(bytes, 0, &mut notes);
        let mut span = RawSpan::default();
        loop {
            let mark = cursor.at;
            cursor.bytes = bytes;
            self.leaf = None;
            let halt = match self.step(&mut cursor, &mut span, sink) {
                Ok(true) => continue,
                Ok(false) => break,
                Err(halt) => halt,
            };
            cursor.notes.clear();
            let whole = cursor.bytes.len() == bytes.len();
            cursor.bytes = bytes;
            let go_on = match halt {
                Halt::End if whole => self.run_out(&mut cursor, mark, last, sink),
                Halt::End | Halt::Syntax => {
                    self.in_vain += cursor.at.saturating_sub(mark) as u64;
                    self.recover(&mut cursor, mark, last, sink)
                }
            };
            if !go_on {
                break;
            }
        }
        let used = cursor.at.min(bytes.len());
        self.notes = notes;
        used
    }

    /// One member of the envelope. `false` at the end of the piece. Nothing has changed when it fails.
    fn step<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<bool, Halt> {
        let Some(&frame) = self.frames.last() else { return self.between(cursor, span, sink) };
        match frame.level {
            Level::Skip(discard) => return self.step_over(cursor, discard, sink),
            Level::Line | Level::Resync => return Ok(self.pass_by(cursor, frame.level)),
            _ => {}
        }
        let close = if frame.is_array() { b']' } else { b'}' };
        let mut next = cursor.peek()?;
        if frame.count > 0 {
            if next == b',' {
                while next == b',' {
                    cursor.at += 1;
                    next = cursor.peek()?;
                }
            } else if next != close && !(frame.is_array() && next == b'{') {
                return Err(Halt::Syntax);
            }
        }
        if next == close {
            cursor.at += 1;
            self.pop(cursor, sink);
            return Ok(true);
        }
        if next == b'{' && frame.level != Level::List && begins_document(cursor.bytes, cursor.at) {
            cursor.at -= 1;
            return Err(Halt::Syntax);
        }
        match frame.level {
            Level::Spans if next == b'{' => self.span(cursor, span, sink)?,
            Level::Groups if next == b'{' => self.descend(cursor, Level::Group, "", sink),
            Level::Scopes if next == b'{' => self.descend(cursor, Level::ScopeGroup, "", sink),
            Level::LogList if next == b'{' && frame.name == RECORDS => self.log_record(cursor, sink)?,
            Level::LogList if next == b'{' => self.descend(cursor, Level::Logs, "", sink),
            Level::Logs => self.logs_member(cursor, sink)?,
            Level::List => self.document(cursor, span, sink)?,
            Level::Object => self.object_member(cursor, sink)?,
            Level::Group => self.group_member(cursor, sink)?,
            Level::ScopeGroup => self.scope_member(cursor, sink)?,
            _ => {
                if !cursor.null()? {
                    cursor.note(TroubleKind::WrongType);
                    self.skip_value();
                }
                self.settle(cursor, 0, "", None);
            }
        }
        Ok(true)
    }

    /// Between documents: white space, commas, byte order marks, record separators, and lines that are no JSON.
    fn between<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<bool, Halt> {
        while let Some(&c) = cursor.bytes.get(cursor.at) {
            match c {
                b' ' | b'\n' | b'\t' | 0x1e | 0 => cursor.at += 1,
                b'\r' => {
                    if cursor.bytes.get(cursor.at + 1) == Some(&b'\n') {
                        cursor.note(TroubleKind::CarriageReturn);
                    }
                    cursor.at += 1;
                }
                b',' => {
                    cursor.note(TroubleKind::CommaBetweenDocuments);
                    cursor.at += 1;
                }
                0xef if cursor.take(b"\xef\xbb\xbf") => cursor.note(TroubleKind::ByteOrderMark),
                _ => break,
            }
        }
        self.settle(cursor, 0, "", None);
        match cursor.bytes.get(cursor.at) {
            None => Ok(false),
            Some(b'{' | b'[') => self.document(cursor, span, sink).map(|()| true),
            Some(_) => {
                self.note_at(TroubleKind::OtherText, cursor.at);
                self.push(Level::Line, "");
                self.behind_prefix(cursor);
                Ok(true)
            }
        }
    }

    /// Goes to a request on a line that begins with something else, as loggers write it.
    fn behind_prefix(&mut self, cursor: &mut Cursor<'_, '_>) {
        const PREFIX: usize = 512;
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        let line = rest.get(..PREFIX).unwrap_or(rest).split(|c| *c == b'\n').next().unwrap_or_default();
        if let Some(at) = memchr::memmem::find(line, b"{\"resourceSpans\"") {
            cursor.at += at;
            self.frames.pop();
        }
    }

    /// A document, as far as it has to be known to go into it.
    fn document<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        match cursor.peek()? {
            b'[' => {
                self.descend(cursor, Level::List, "", sink);
                return Ok(());
            }
            b'{' => {}
            _ => {
                self.enter_leaf(cursor, cursor.at);
                cursor.skip()?;
                cursor.notes.clear();
                self.bump();
                return Ok(());
            }
        }
        cursor.bytes = self.horizon(cursor.bytes, cursor.at);
        match probe(cursor)? {
            Nature::Envelope => self.descend(cursor, Level::Object, "", sink),
            Nature::Bare => self.bare(cursor, span, sink)?,
        }
        Ok(())
    }

    fn span<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let from = cursor.at;
        self.enter_leaf(cursor, from);
        cursor.span(span)?;
        if span.trace_id.bits == 0 && span.span_id.bits == 0 && span.trace_id.spelling.is_empty() {
            cursor.notes.add(TroubleKind::IdMissing, from);
        }
        sink(Seen::Span(span, self.base + from as u64));
        if self.span_start.is_empty() {
            let colon = memchr::memchr(b':', span.raw).unwrap_or(0);
            self.span_start.extend_from_slice(span.raw.get(..colon).unwrap_or_default());
        }
        self.settle(cursor, from, "", Some(span));
        self.bump();
        Ok(())
    }

    /// Opens an array or object that stands at the cursor.
    pub(super) fn descend(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        level: Level,
        name: &'static str,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) {
        if self.frames.len() >= MAX_FRAMES {
            self.note_at(TroubleKind::TooDeep, cursor.at);
            self.skip_value();
            return;
        }
        cursor.at += 1;
        self.bump();
        self.push(level, name);
        match level {
            Level::Group => sink(Seen::Open),
            Level::ScopeGroup => sink(Seen::OpenScope),
            _ => {}
        }
    }

    /// Begins a leaf.
    #[inline(always)]
    pub(super) fn enter_leaf(&mut self, cursor: &mut Cursor<'_, '_>, leaf: usize) {
        self.leaf = Some(leaf);
        if self.in_vain > 0 {
            cursor.bytes = self.horizon(cursor.bytes, leaf);
        }
    }

    pub(super) fn push(&mut self, level: Level, name: &'static str) {
        self.frames.push(Frame { level, name, count: 0 });
    }

    /// Counts a member of the innermost frame as begun.
    pub(super) fn bump(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.count += 1;
        }
    }

    pub(super) fn skip_value(&mut self) {
        self.bump();
        self.push(Level::Skip(Discard::default()), "");
    }

    /// Closes the innermost frame.
    pub(super) fn pop(&mut self, cursor: &mut Cursor<'_, '_>, sink: &mut impl FnMut(Seen<'_, '_>)) {
        let frame = self.frames.pop();
        match frame.map(|frame| frame.level) {
            Some(Level::Group) => sink(Seen::Close),
            Some(Level::ScopeGroup) => sink(Seen::CloseScope),
            _ => {}
        }
        if self.frames.is_empty() && cursor.take(b"\r\n") {
            self.note_at(TroubleKind::CarriageReturn, cursor.at);
        }
    }

    fn step_over(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        mut discard: Discard,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<bool, Halt> {
        match discard.run(cursor.bytes, cursor.at, false) {
            Progress::Done(end) => {
                cursor.at = end;
                self.pop(cursor, sink);
                Ok(true)
            }
            Progress::CutOff(at) => {
                cursor.at = at;
                Err(Halt::Syntax)
            }
            Progress::More(at) if at > cursor.at => {
                cursor.at = at;
                if let Some(frame) = self.frames.last_mut() {
                    frame.level = Level::Skip(discard);
                }
                Ok(true)
            }
            Progress::More(_) => Err(Halt::End),
        }
    }
}

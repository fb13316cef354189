//! The envelope of JSON input: documents of every known form, one after another, in pieces of any size.
//!
//! Comes in: consecutive pieces of a stream. Goes out: resources, scopes and spans in place, and a tally of what was odd.
//! It holds back only an unfinished leaf (a span, a resource, a scope), never a whole document, and what it cannot parse
//! never costs the spans around it.

use super::cursor::{Cursor, Halt};
use super::discard::{Discard, Progress};
use super::json::camel;
use super::lift::{Foreign, Origin, classify, console, is_leaf_key, jaeger, zipkin};
use super::notes::Notes;
use super::path;
use super::raw::{RawResource, RawScope, RawSpan, Shape, Text};
use super::seen::{Place, Seen, Tally};
use super::trouble::TroubleKind;

/// A leaf larger than this is left out: no span may exhaust the process.
const MAX_LEAF: usize = 256 << 20;
/// How much of an object is looked at to find out what it is, or where a broken value ends.
const MAX_PROBE: usize = 16 << 20;
/// The name of the array of log records.
const RECORDS: &str = "logRecords";
/// Envelopes do not nest deeper; what does is stepped over.
const MAX_FRAMES: usize = 32;

/// What stands open around the current position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// An array whose elements are documents.
    List,
    /// A document, or an object around one.
    Object,
    /// The array of `resourceSpans`.
    Groups,
    /// A ResourceSpans.
    Group,
    /// The array of `scopeSpans`.
    Scopes,
    /// A ScopeSpans.
    ScopeGroup,
    /// The array of `spans`.
    Spans,
    /// An array of ResourceLogs, ScopeLogs or log records, by its name.
    LogList,
    /// A ResourceLogs or ScopeLogs.
    Logs,
    /// A value that is stepped over.
    Skip(Discard),
    /// A line that is not JSON.
    Line,
    /// Everything up to where the next document may begin.
    Resync,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    level: Level,
    /// The key this stands under; empty for elements.
    name: &'static str,
    /// Members begun so far.
    count: u64,
}

impl Frame {
    fn is_array(&self) -> bool {
        matches!(self.level, Level::List | Level::Groups | Level::Scopes | Level::Spans | Level::LogList)
    }
}

/// A reader of JSON documents.
#[derive(Debug, Default)]
pub struct JsonReader {
    frames: Vec<Frame>,
    /// What was fed and not used up yet.
    carry: Vec<u8>,
    /// Offset of the first byte of the piece that is read.
    base: u64,
    /// How long `carry` has to be before another try is worth it.
    wait: usize,
    /// Where the current leaf begins.
    leaf: Option<usize>,
    /// How a sound span begins, up to its first colon: the mark to look for behind a broken one.
    span_start: Vec<u8>,
    tally: Tally,
    notes: Notes,
}

impl JsonReader {
    /// Takes the next piece of the stream, which begins at offset `at`. `last` says that nothing follows.
    pub fn feed(&mut self, piece: &[u8], at: u64, last: bool, sink: &mut impl FnMut(Seen<'_, '_>)) {
        if self.carry.is_empty() {
            self.base = at;
            let used = self.run(piece, last, sink);
            self.carry.extend_from_slice(piece.get(used..).unwrap_or_default());
            self.base += used as u64;
        } else {
            self.carry.extend_from_slice(piece);
            if !last && self.carry.len() < self.wait {
                return;
            }
            let mut carry = std::mem::take(&mut self.carry);
            let used = self.run(&carry, last, sink);
            carry.drain(..used);
            self.carry = carry;
            self.base += used as u64;
        }
        self.wait = 2 * self.carry.len();
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
            self.leaf = None;
            let halt = match self.step(&mut cursor, &mut span, sink) {
                Ok(true) => continue,
                Ok(false) => break,
                Err(halt) => halt,
            };
            cursor.notes.clear();
            let go_on = match halt {
                Halt::Syntax => self.recover(&mut cursor, mark, last, sink),
                Halt::End => self.run_out(&mut cursor, mark, last, sink),
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
        if self.base == 0 && cursor.at == 0 && cursor.take(b"\xef\xbb\xbf") {
            cursor.note(TroubleKind::ByteOrderMark);
        }
        while let Some(&c) = cursor.bytes.get(cursor.at) {
            match c {
                b' ' | b'\n' | b'\t' | 0x1e => cursor.at += 1,
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
                self.leaf = Some(cursor.at);
                cursor.skip()?;
                cursor.notes.clear();
                self.bump();
                return Ok(());
            }
        }
        match probe(cursor)? {
            Nature::Envelope => self.descend(cursor, Level::Object, "", sink),
            Nature::Bare => self.bare(cursor, span, sink)?,
        }
        Ok(())
    }

    /// An object that is no envelope: a span or trace of another format, or something else altogether.
    fn bare<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let from = cursor.at;
        self.leaf = Some(from);
        cursor.skip()?;
        cursor.notes.clear();
        let foreign = classify(cursor.bytes.get(from..cursor.at).unwrap_or_default());
        if let Foreign::Unknown(looks) = &foreign {
            self.tally.look(looks.sentence());
            self.note_at(TroubleKind::OtherDocument, from);
        } else {
            cursor.at = from;
            self.foreign(cursor, &foreign, span, sink)?;
        }
        self.bump();
        Ok(())
    }

    /// Spans of another format, each with its own resource and scope.
    fn foreign<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        foreign: &Foreign,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let (base, bytes) = (self.base, cursor.bytes);
        let (tally, frames) = (&mut self.tally, &self.frames);
        let mut each =
            |origin: (&RawResource<'_>, &RawScope<'_>), url: Text<'_>, span: &RawSpan<'_>, notes: &mut Notes| {
                let place = |part: &[u8]| base + offset_in(bytes, part) as u64;
                tally_notes(
                    tally,
                    notes,
                    base,
                    |at| {
                        let from = offset_in(bytes, span.raw);
                        format!("{}{}", path_of(frames, ""), path::to_offset(span.raw, at.saturating_sub(from)))
                    },
                    Some(span),
                );
                sink(Seen::Open);
                sink(Seen::Resource(origin.0, place(origin.0.raw), span.shape));
                if !url.is_empty() {
                    sink(Seen::ResourceSchema(url));
                }
                sink(Seen::OpenScope);
                sink(Seen::Scope(origin.1, place(origin.1.raw)));
                sink(Seen::Span(span, place(span.raw)));
                sink(Seen::CloseScope);
                sink(Seen::Close);
            };
        let mut origin = Origin::default();
        match foreign {
            Foreign::JaegerTrace => {
                return jaeger::trace(cursor, span, &mut |resource, scope, span, notes| {
                    each((resource, scope), Text::default(), span, notes);
                });
            }
            Foreign::ZipkinSpan => zipkin::span(cursor, span, &mut origin)?,
            Foreign::ConsoleSpan => console::span(cursor, span, &mut origin)?,
            Foreign::Unknown(_) => return cursor.skip(),
        }
        each((&origin.resource, &origin.scope), origin.schema_url, span, cursor.notes);
        Ok(())
    }

    fn span<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        span: &mut RawSpan<'a>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let from = cursor.at;
        self.leaf = Some(from);
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

    /// A member of a document's outermost object, or of an object around the envelope.
    fn object_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let before = cursor.at;
        let key = self.field(cursor)?;
        let next = cursor.peek()?;
        match (key, next) {
            (b"resourceSpans", b'[') => self.descend(cursor, Level::Groups, "resourceSpans", sink),
            (b"batches", b'[') => self.descend(cursor, Level::Groups, "batches", sink),
            (b"trace", b'{') => self.descend(cursor, Level::Object, "trace", sink),
            (b"result", b'{') => self.descend(cursor, Level::Object, "result", sink),
            (b"data", b'{') => self.descend(cursor, Level::Object, "data", sink),
            (b"result", b'[') => self.descend(cursor, Level::List, "result", sink),
            (b"data", b'[') => self.descend(cursor, Level::List, "data", sink),
            (b"resource" | b"scopeSpans" | b"instrumentationLibrarySpans", _) => {
                // The document is a bare ResourceSpans: this member is one of those already.
                cursor.at = before;
                if let Some(frame) = self.frames.last_mut() {
                    frame.level = Level::Group;
                }
                self.tally.otlp_documents += 1;
                sink(Seen::Open);
                return self.group_member(cursor, sink);
            }
            (b"resourceLogs" | b"scopeLogs", b'[') => self.logs(cursor, before, sink),
            (b"resourceMetrics" | b"scopeMetrics", _) => self.other_signal(1, before),
            (b"resourceProfiles" | b"scopeProfiles", _) => self.other_signal(2, before),
            (b"status", b'"') => {
                if cursor.string()?.decode().eq_ignore_ascii_case("partial") {
                    cursor.note(TroubleKind::PartialAnswer);
                }
                self.bump();
            }
            _ => {
                if matches!(key, b"resourceSpans" | b"batches") && !cursor.null()? {
                    cursor.note(TroubleKind::WrongType);
                    self.skip_value();
                } else if !matches!(key, b"resourceSpans" | b"batches") {
                    self.skip_value();
                } else {
                    self.bump();
                }
            }
        }
        if matches!(key, b"resourceSpans" | b"batches" | b"resourceLogs" | b"resourceMetrics" | b"resourceProfiles") {
            self.tally.otlp_documents += 1;
        }
        self.settle(cursor, 0, "", None);
        Ok(())
    }

    /// A member of a ResourceSpans.
    fn group_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let before = cursor.at;
        let key = self.field(cursor)?;
        let next = cursor.peek()?;
        let from = cursor.at;
        match (key, next) {
            (b"scopeSpans", b'[') => self.descend(cursor, Level::Scopes, "scopeSpans", sink),
            (b"instrumentationLibrarySpans", b'[') => {
                cursor.note(TroubleKind::LegacyLibrary);
                self.descend(cursor, Level::Scopes, "instrumentationLibrarySpans", sink);
            }
            (b"resource", _) => {
                self.leaf = Some(from);
                let resource = cursor.resource()?;
                sink(Seen::Resource(&resource, self.base + from as u64, Shape::OtlpJson));
                self.settle(cursor, from, "resource", None);
                self.bump();
            }
            (b"schemaUrl", _) => {
                self.leaf = Some(from);
                let url = cursor.text_field()?;
                sink(Seen::ResourceSchema(url));
                self.settle(cursor, from, "schemaUrl", None);
                self.bump();
            }
            (b"scopeLogs", b'[') => self.logs(cursor, before, sink),
            (b"scopeMetrics", _) => self.other_signal(1, before),
            (b"scopeProfiles", _) => self.other_signal(2, before),
            (b"scopeSpans" | b"instrumentationLibrarySpans", b'n') => {
                cursor.null()?;
                self.bump();
            }
            _ => self.skip_value(),
        }
        self.settle(cursor, from, "", None);
        Ok(())
    }

    /// A member of a ScopeSpans.
    fn scope_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let key = self.field(cursor)?;
        let next = cursor.peek()?;
        let from = cursor.at;
        match (key, next) {
            (b"spans", b'[') => self.descend(cursor, Level::Spans, "spans", sink),
            (b"scope" | b"instrumentationLibrary", _) => {
                self.leaf = Some(from);
                let scope = cursor.scope()?;
                sink(Seen::Scope(&scope, self.base + from as u64));
                self.settle(cursor, from, "scope", None);
                self.bump();
            }
            (b"schemaUrl", _) => {
                self.leaf = Some(from);
                let url = cursor.text_field()?;
                sink(Seen::ScopeSchema(url));
                self.settle(cursor, from, "schemaUrl", None);
                self.bump();
            }
            (b"spans", b'n') => {
                cursor.null()?;
                self.bump();
            }
            _ => self.skip_value(),
        }
        self.settle(cursor, from, "", None);
        Ok(())
    }

    /// A key of the envelope, in camelCase however it was written.
    fn field<'a>(&mut self, cursor: &mut Cursor<'a, '_>) -> Result<&'a [u8], Halt> {
        let key = cursor.key()?.raw;
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        if rest.starts_with(b"\n{\"") || rest.starts_with(b"\r\n{\"") {
            // Nobody breaks the line between a key and its value: the line was cut off here.
            return Err(Halt::Syntax);
        }
        match camel(key) {
            Some(name) => {
                cursor.note(TroubleKind::SnakeCaseKey);
                Ok(name)
            }
            None => Ok(key),
        }
    }

    /// Metrics or profiles: counted and stepped over.
    fn other_signal(&mut self, signal: usize, at: usize) {
        self.count_signal(signal, at);
        self.skip_value();
    }

    fn count_signal(&mut self, signal: usize, at: usize) {
        if let Some(count) = self.tally.other_signals.get_mut(signal) {
            *count += 1;
        }
        self.note_at(TroubleKind::OtherSignal, at);
    }

    /// Logs: counted, and looked through for exceptions of spans.
    fn logs(&mut self, cursor: &mut Cursor<'_, '_>, at: usize, sink: &mut impl FnMut(Seen<'_, '_>)) {
        self.count_signal(0, at);
        self.descend(cursor, Level::LogList, "", sink);
    }

    /// A member of a ResourceLogs or ScopeLogs.
    fn logs_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let key = self.field(cursor)?;
        match (key, cursor.peek()?) {
            (b"scopeLogs", b'[') => self.descend(cursor, Level::LogList, "scopeLogs", sink),
            (b"logRecords", b'[') => self.descend(cursor, Level::LogList, RECORDS, sink),
            _ => self.skip_value(),
        }
        cursor.notes.clear();
        Ok(())
    }

    fn log_record<'a>(&mut self, cursor: &mut Cursor<'a, '_>, sink: &mut impl FnMut(Seen<'_, '_>)) -> Result<(), Halt> {
        self.leaf = Some(cursor.at);
        if let Some(exception) = cursor.log_record()? {
            sink(Seen::LogException(exception));
        }
        self.bump();
        Ok(())
    }

    /// Opens an array or object that stands at the cursor.
    fn descend(
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

    fn push(&mut self, level: Level, name: &'static str) {
        self.frames.push(Frame { level, name, count: 0 });
    }

    /// Counts a member of the innermost frame as begun.
    fn bump(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.count += 1;
        }
    }

    fn skip_value(&mut self) {
        self.bump();
        self.push(Level::Skip(Discard::default()), "");
    }

    /// Closes the innermost frame.
    fn pop(&mut self, cursor: &mut Cursor<'_, '_>, sink: &mut impl FnMut(Seen<'_, '_>)) {
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

    /// Goes to the end of a line, or to where a document may begin. `false` when the piece ends first.
    fn pass_by(&mut self, cursor: &mut Cursor<'_, '_>, level: Level) -> bool {
        while let Some(step) = memchr::memchr(b'\n', cursor.bytes.get(cursor.at..).unwrap_or_default()) {
            let line = cursor.at + step + 1;
            match cursor.bytes.get(line) {
                None if level == Level::Resync => {
                    // Whether a document begins on the next line is for the next piece to say.
                    cursor.at = line - 1;
                    return false;
                }
                Some(b'{' | b'[') => {}
                _ if level == Level::Resync => {
                    cursor.at = line;
                    continue;
                }
                _ => {}
            }
            cursor.at = line;
            self.frames.pop();
            return true;
        }
        cursor.at = cursor.bytes.len();
        false
    }

    /// After broken syntax: first the broken value alone is given up, then everything up to the next span that begins
    /// like the ones before, then everything up to a line that begins like a document. `false` when more bytes are needed.
    fn recover(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        mark: usize,
        last: bool,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> bool {
        let mut broken = cursor.at;
        let in_spans = self.frames.last().is_some_and(|frame| frame.level == Level::Spans);
        if let Some(leaf) = self.leaf {
            let kind = if in_spans { TroubleKind::BrokenSpan } else { TroubleKind::Syntax };
            let found = Discard::default().run(cursor.bytes, leaf, true);
            if matches!(found, Progress::More(_)) && !last && cursor.bytes.len() - mark < MAX_PROBE {
                cursor.at = mark;
                return false;
            }
            if let Progress::Done(end) = found
                && self.frames.len() > usize::from(!in_spans)
                && continues(cursor.bytes, end)
            {
                self.note_broken(kind, cursor.bytes, leaf, broken);
                cursor.at = end;
                self.bump();
                return true;
            }
            let line_end = match found {
                Progress::CutOff(at) => {
                    broken = broken.min(at);
                    at
                }
                _ => cursor.bytes.len(),
            };
            if in_spans && let Some(next) = self.next_span(cursor.bytes, leaf + 1, line_end) {
                self.note_broken(kind, cursor.bytes, leaf, broken);
                cursor.at = next;
                self.bump();
                return true;
            }
        }
        self.give_up(cursor, mark, broken, sink);
        true
    }

    /// Where behind a broken span another one begins.
    fn next_span(&self, bytes: &[u8], from: usize, to: usize) -> Option<usize> {
        if self.span_start.is_empty() {
            return None;
        }
        let rest = bytes.get(from..to)?;
        memchr::memmem::find(rest, &self.span_start).map(|at| from + at)
    }

    /// Leaves all frames and looks for the next document.
    fn give_up(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        mark: usize,
        broken: usize,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) {
        // A bracket with no value behind it began a line of text, not an array.
        let only_text = matches!(self.frames.as_slice(), [Frame { level: Level::List, count: 0, .. }]);
        let kind = if only_text { TroubleKind::OtherText } else { TroubleKind::Syntax };
        self.note_broken(kind, cursor.bytes, self.leaf.unwrap_or(mark), broken);
        cursor.at = broken.max(mark);
        // A line break right at the fault may be the one before the next document.
        if cursor.bytes.get(cursor.at) != Some(&b'\n')
            && cursor.at > mark
            && cursor.bytes.get(cursor.at - 1) == Some(&b'\n')
        {
            cursor.at -= 1;
        }
        self.close_all(cursor, sink);
        self.push(Level::Resync, "");
    }

    fn close_all(&mut self, cursor: &mut Cursor<'_, '_>, sink: &mut impl FnMut(Seen<'_, '_>)) {
        while !self.frames.is_empty() {
            self.pop(cursor, sink);
        }
    }

    /// The piece ends inside a leaf. `false` when the next piece may complete it.
    fn run_out(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        mark: usize,
        last: bool,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> bool {
        let end = cursor.bytes.len();
        let cut_off = |leaf| matches!(Discard::default().run(cursor.bytes, leaf, true), Progress::CutOff(_));
        if last && self.leaf.is_some_and(cut_off) {
            return self.recover(cursor, mark, last, sink);
        }
        if last {
            self.note_broken(TroubleKind::Truncated, cursor.bytes, self.leaf.unwrap_or(mark), end);
            self.close_all(cursor, sink);
            cursor.at = end;
            return false;
        }
        cursor.at = mark;
        let too_large = end - mark > MAX_LEAF;
        if too_large {
            self.note_at(TroubleKind::TooLarge, self.leaf.unwrap_or(mark));
            match self.leaf {
                Some(leaf) => {
                    cursor.at = leaf;
                    self.skip_value();
                }
                None => {
                    self.close_all(cursor, sink);
                    self.push(Level::Resync, "");
                }
            }
        }
        too_large
    }

    /// Counts something odd at a position of the piece.
    #[cold]
    fn note_at(&mut self, kind: TroubleKind, at: usize) {
        let offset = self.base + at as u64;
        let json_path = self.path("");
        self.tally.add(kind, || Place { offset, json_path, ..Place::default() });
    }

    #[cold]
    fn note_broken(&mut self, kind: TroubleKind, bytes: &[u8], leaf: usize, at: usize) {
        let offset = self.base + at as u64;
        let inside = path::to_offset(bytes.get(leaf..).unwrap_or_default(), at.saturating_sub(leaf));
        let json_path = format!("{}{inside}", self.path(""));
        self.tally.add(kind, || Place {
            offset,
            json_path: json_path.trim_start_matches('.').to_owned(),
            ..Place::default()
        });
    }

    /// Counts what was noted while a leaf was read that began at `from` and stands under `field`.
    #[inline(always)]
    fn settle(&mut self, cursor: &mut Cursor<'_, '_>, from: usize, field: &str, span: Option<&RawSpan<'_>>) {
        if !cursor.notes.is_empty() {
            self.settle_notes(cursor, from, field, span);
        }
    }

    #[cold]
    fn settle_notes(&mut self, cursor: &mut Cursor<'_, '_>, from: usize, field: &str, span: Option<&RawSpan<'_>>) {
        let is_leaf = span.is_some() || !field.is_empty();
        let leaf = cursor.bytes.get(from..cursor.at).unwrap_or_default();
        let frames = &self.frames;
        let path = |at: usize| {
            let inside = if is_leaf { path::to_offset(leaf, at.saturating_sub(from)) } else { String::new() };
            format!("{}{inside}", path_of(frames, field))
        };
        tally_notes(&mut self.tally, cursor.notes, self.base, path, span);
    }

    fn path(&self, field: &str) -> String {
        path_of(&self.frames, field)
    }
}

/// Counts what was noted while a leaf was read.
fn tally_notes(
    tally: &mut Tally,
    notes: &mut Notes,
    base: u64,
    path: impl Fn(usize) -> String,
    span: Option<&RawSpan<'_>>,
) {
    for (kind, at) in notes.drain() {
        tally.add(kind, || Place {
            offset: base + at as u64,
            json_path: path(at).trim_start_matches('.').to_owned(),
            trace_id: span.map(|span| span.trace_id.trace()).filter(|id| !id.is_none()),
            span_id: span.map(|span| span.span_id.span()).filter(|id| !id.is_none()),
        });
    }
}

/// Where a part of the buffer begins in it; zero for what is no part of it.
fn offset_in(bytes: &[u8], part: &[u8]) -> usize {
    let offset = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    if offset <= bytes.len() { offset } else { 0 }
}

/// The path of the envelope down to the member that is being read.
fn path_of(frames: &[Frame], field: &str) -> String {
    let mut path = String::new();
    for (depth, frame) in frames.iter().enumerate() {
        if !frame.name.is_empty() {
            path.push('.');
            path.push_str(frame.name);
        }
        if frame.is_array() {
            let inner = depth + 1 < frames.len();
            path.push_str(&format!("[{}]", frame.count.saturating_sub(u64::from(inner))));
        }
    }
    if !field.is_empty() {
        path.push('.');
        path.push_str(field);
    }
    path.trim_start_matches('.').to_owned()
}

/// Whether what stands here, where a member of a document is expected, begins a document of its own on a new line: the line
/// before was cut off.
fn begins_document(bytes: &[u8], at: usize) -> bool {
    const STARTS: [&[u8]; 6] = [
        b"{\"resourceSpans\"",
        b"{\"resource_spans\"",
        b"{\"resourceLogs\"",
        b"{\"resourceMetrics\"",
        b"{\"batches\"",
        b"{\"result\"",
    ];
    let rest = bytes.get(at..).unwrap_or_default();
    at > 0 && bytes.get(at - 1) == Some(&b'\n') && STARTS.iter().any(|start| rest.starts_with(start))
}

/// Whether after a value that ends at `end` an array or object goes on or closes.
fn continues(bytes: &[u8], end: usize) -> bool {
    let next = bytes.get(end..).unwrap_or_default().iter().find(|c| !c.is_ascii_whitespace());
    matches!(next, Some(b',' | b']' | b'}'))
}

/// What an object is, as its keys tell.
enum Nature {
    /// It holds, or may hold, an OTLP envelope.
    Envelope,
    /// It is something of its own.
    Bare,
}

fn probe(cursor: &Cursor<'_, '_>) -> Result<Nature, Halt> {
    const ENVELOPE: &[&[u8]] = &[
        b"resourceSpans",
        b"batches",
        b"trace",
        b"result",
        b"data",
        b"resourceLogs",
        b"resourceMetrics",
        b"resourceProfiles",
        b"scopeSpans",
        b"instrumentationLibrarySpans",
        b"resource",
        b"scopeLogs",
        b"scopeMetrics",
        b"scopeProfiles",
    ];
    let mut notes = Notes::default();
    let mut look = Cursor::new(cursor.bytes, cursor.at, &mut notes);
    let mut search = || {
        if !look.enter(b'{', b'}')? {
            return Ok(Nature::Envelope);
        }
        loop {
            let key = look.key()?.raw;
            if ENVELOPE.contains(&camel(key).unwrap_or(key)) {
                return Ok(Nature::Envelope);
            }
            if is_leaf_key(key) {
                return Ok(Nature::Bare);
            }
            look.skip()?;
            if !look.more(b'}')? {
                return Ok(Nature::Bare);
            }
        }
    };
    match search() {
        Err(Halt::End) if cursor.bytes.len() - cursor.at > MAX_PROBE => Ok(Nature::Envelope),
        other => other,
    }
}

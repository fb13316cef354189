//! A trace while it is being made up: plain spans, and one text in which everything that is not a constant stands.
//!
//! Comes in: openings, attributes, events and ends at virtual times. Goes out: spans by number. A word costs nothing to use
//! twice, which is what makes a hundred spans about one agent cheap.

use std::fmt::{self, Write as _};

use super::chance::Chance;
use super::words::looks_cut;

/// A text: a constant, or a stretch of the sheet's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A constant.
    Fixed(&'static str),
    /// A stretch of the sheet's text.
    Made {
        /// Where it begins.
        at: u32,
        /// Its bytes.
        bytes: u32,
    },
}

impl Default for Word {
    fn default() -> Self {
        Self::Fixed("")
    }
}

impl From<&'static str> for Word {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

/// An attribute's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Datum {
    /// A string.
    Text(Word),
    /// An integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A number in thousandths.
    Milli(i64),
    /// An array, written as JSON.
    List(Word),
}

impl From<&'static str> for Datum {
    fn from(text: &'static str) -> Self {
        Self::Text(Word::Fixed(text))
    }
}

impl From<Word> for Datum {
    fn from(word: Word) -> Self {
        Self::Text(word)
    }
}

impl From<u64> for Datum {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Datum {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// An attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Attr {
    /// Its key.
    pub(super) key: Word,
    /// Its value.
    pub(super) value: Datum,
}

/// An event of a span.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    /// Unix nanoseconds.
    pub(super) time: u64,
    /// Its name.
    pub(super) name: Word,
    /// Its attributes.
    pub(super) attributes: Vec<Attr>,
}

/// A span that another one names.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    /// Its trace.
    pub(super) trace: u128,
    /// Its id.
    pub(super) span: u64,
    /// What the link says.
    pub(super) attributes: Vec<Attr>,
}

/// What a span is in the run, whatever the convention calls it: faults look for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// The span that the trace begins with.
    Root,
    /// An agent's run.
    Agent,
    /// A step of it.
    Step,
    /// A call to a model.
    Llm,
    /// A tool executed: the outermost span of it.
    Tool,
    /// Everything else.
    #[default]
    Other,
}

/// What instrumentation wrote a span: a place in [`super::cast::SCOPES`].
pub(super) type Scope = u8;
/// What service it ran in: a place in the cast's list of services.
pub(super) type Service = u8;

/// A span.
#[derive(Clone, Debug, Default)]
pub(super) struct Span {
    /// Its trace.
    pub(super) trace: u128,
    /// Its id.
    pub(super) id: u64,
    /// Its parent's id; 0 for none.
    pub(super) parent: u64,
    /// The parent is in another process.
    pub(super) remote: bool,
    /// Its name.
    pub(super) name: Word,
    /// OTLP's number of its kind.
    pub(super) kind: i32,
    /// The instrumentation.
    pub(super) scope: Scope,
    /// The service.
    pub(super) service: Service,
    /// Unix nanoseconds.
    pub(super) start: u64,
    /// Unix nanoseconds.
    pub(super) end: u64,
    /// OTLP's number of its status.
    pub(super) status: i32,
    /// What the status says.
    pub(super) message: Word,
    /// Its attributes.
    pub(super) attributes: Vec<Attr>,
    /// Its events.
    pub(super) events: Vec<Event>,
    /// Spans that it names besides its parent.
    pub(super) links: Vec<Link>,
    /// Attributes that it says it dropped.
    pub(super) dropped: u32,
    /// What it is in the run.
    pub(super) part: Part,
}

/// OTLP's numbers of kinds and statuses.
pub(super) mod number {
    /// SPAN_KIND_INTERNAL.
    pub(in crate::emit) const INTERNAL: i32 = 1;
    /// SPAN_KIND_SERVER.
    pub(in crate::emit) const SERVER: i32 = 2;
    /// SPAN_KIND_CLIENT.
    pub(in crate::emit) const CLIENT: i32 = 3;
    /// STATUS_CODE_UNSET.
    pub(in crate::emit) const UNSET: i32 = 0;
    /// STATUS_CODE_OK.
    pub(in crate::emit) const OK: i32 = 1;
    /// STATUS_CODE_ERROR.
    pub(in crate::emit) const ERROR: i32 = 2;
}

/// A span of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle(pub(super) usize);

/// Bytes of text that most traces need.
const ROOM: usize = 64 << 10;

/// A trace being made up.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Everything said that is not a constant.
    text: String,
    /// The spans, parents before children.
    pub(super) spans: Vec<Span>,
    /// Spans of an earlier trace, whose room is used again.
    spare: Vec<Span>,
    /// The trace's id.
    pub(super) trace: u128,
    /// The id of its first span.
    root: Option<u64>,
    /// Chance for ids and for everything else.
    pub(super) chance: Chance,
    /// What the next spans are written by.
    pub(super) scope: Scope,
    /// Where the next spans run.
    pub(super) service: Service,
    /// The message that carries the trace is written a second time, cut off in the middle.
    pub(super) torn: bool,
}

impl Sheet {
    /// An empty sheet for the trace of this stream.
    pub(super) fn new(chance: Chance) -> Self {
        let mut sheet = Self {
            text: String::with_capacity(ROOM),
            spans: Vec::with_capacity(160),
            spare: Vec::new(),
            trace: 0,
            root: None,
            chance,
            scope: 0,
            service: 0,
            torn: false,
        };
        sheet.trace = sheet.new_trace();
        sheet
    }

    /// Empties the sheet for the trace of this number. Its room is kept, unless that trace was an unusual one.
    pub(super) fn begin(&mut self, seed: u64, number: u64) {
        self.text.clear();
        self.text.shrink_to(4 * ROOM);
        self.spare.append(&mut self.spans);
        (self.chance, self.scope, self.service, self.torn) = (Chance::new(seed, number), 0, 0, false);
        let (trace, root) = Self::beginning(seed, number);
        (self.trace, self.root) = (trace, Some(root));
    }

    /// The ids of a trace and of the span that it begins with: others may name them before or after it is told.
    pub(super) fn beginning(seed: u64, number: u64) -> (u128, u64) {
        let mut chance = Chance::new(seed ^ 0x1d5, number);
        (u128::from(chance.id()) << 64 | u128::from(chance.id()), chance.id())
    }

    /// The id of one more trace.
    pub(super) fn new_trace(&mut self) -> u128 {
        u128::from(self.chance.id()) << 64 | u128::from(self.chance.id())
    }

    /// A formatted text.
    pub(super) fn word(&mut self, text: fmt::Arguments<'_>) -> Word {
        self.write(|out| {
            // A string takes everything.
            let _: fmt::Result = out.write_fmt(text);
        })
    }

    /// A text as it is.
    pub(super) fn say(&mut self, text: &str) -> Word {
        self.write(|out| out.push_str(text))
    }

    /// A text that is written piece by piece.
    pub(super) fn write(&mut self, fill: impl FnOnce(&mut String)) -> Word {
        let at = self.text.len();
        fill(&mut self.text);
        self.since(at)
    }

    /// A number in decimal digits.
    pub(super) fn number(&mut self, mut number: u64) -> Word {
        let mut digits = [b'0'; 20];
        let mut from = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            from -= 1;
            if number == 0 {
                break;
            }
        }
        let digits = digits.get(from..).and_then(|digits| std::str::from_utf8(digits).ok());
        self.say(digits.unwrap_or_default())
    }

    /// A text whose pieces are words of this sheet.
    pub(super) fn join(&mut self, pieces: &[Word]) -> Word {
        let at = self.text.len();
        for piece in pieces {
            self.append(*piece);
        }
        self.since(at)
    }

    /// Where the sheet's text ends now: [`Self::since`] makes a word of what comes next.
    pub(super) fn mark(&self) -> usize {
        self.text.len()
    }

    /// Adds to the text that a word is being made of.
    pub(super) fn append(&mut self, piece: Word) {
        match piece {
            Word::Fixed(text) => self.text.push_str(text),
            Word::Made { at, bytes } => {
                let (at, end) = (at as usize, at as usize + bytes as usize);
                if self.text.get(at..end).is_some() {
                    self.text.extend_from_within(at..end);
                }
            }
        }
    }

    /// What was said since a mark.
    pub(super) fn since(&self, mark: usize) -> Word {
        let bytes = self.text.len() - mark;
        Word::Made { at: u32::try_from(mark).unwrap_or(u32::MAX), bytes: u32::try_from(bytes).unwrap_or(0) }
    }

    /// The characters of a word.
    pub(super) fn read(&self, word: Word) -> &str {
        match word {
            Word::Fixed(text) => text,
            Word::Made { at, bytes } => self.text.get(at as usize..at as usize + bytes as usize).unwrap_or_default(),
        }
    }

    /// An id like Letta's: a prefix and a UUID.
    pub(super) fn uuid(&mut self, prefix: &str) -> Word {
        let bits = (self.chance.next(), self.chance.next());
        self.uuid_of(prefix, bits)
    }

    /// The same of these bits.
    pub(super) fn uuid_of(&mut self, prefix: &str, (high, low): (u64, u64)) -> Word {
        self.write(|out| {
            out.push_str(prefix);
            push_uuid(out, high, low);
        })
    }

    /// An id as providers make them: a prefix and letters and digits.
    pub(super) fn token(&mut self, prefix: &str) -> Word {
        const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let draws = [self.chance.next(), self.chance.next()];
        self.write(|out| {
            out.push_str(prefix);
            for mut draw in draws {
                for _ in 0..11 {
                    out.push(char::from(LETTERS.get((draw & 63) as usize % 62).copied().unwrap_or(b'0')));
                    draw >>= 5;
                }
            }
        })
    }

    /// The first bytes of a word, with a note where there are more.
    pub(super) fn clip(&mut self, word: Word, bytes: u64) -> Word {
        let text = self.read(word);
        let (all, end) = (text.len(), usize::try_from(bytes).unwrap_or(usize::MAX));
        if all <= end {
            return word;
        }
        let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let head = match word {
            Word::Fixed(text) => Word::Fixed(text.get(..end).unwrap_or_default()),
            Word::Made { at, .. } => Word::Made { at, bytes: u32::try_from(end).unwrap_or(0) },
        };
        let note = self.word(format_args!("... [NOTE: output was cut, it had {all} characters of {bytes}]"));
        let end = if looks_cut(end + self.read(note).len()) { "." } else { "" };
        self.join(&[head, note, end.into()])
    }

    /// Opens a span; it ends when it began until somebody says otherwise.
    pub(super) fn open(&mut self, parent: Option<Handle>, name: impl Into<Word>, at: u64) -> Handle {
        let id = self.root.take().unwrap_or_else(|| self.chance.id());
        let parent = parent.and_then(|parent| self.spans.get(parent.0)).map_or(0, |span| span.id);
        let mut spare = self.spare.pop().unwrap_or_default();
        spare.attributes.clear();
        spare.events.clear();
        spare.links.clear();
        self.spans.push(Span {
            trace: self.trace,
            id,
            parent,
            name: name.into(),
            kind: number::INTERNAL,
            scope: self.scope,
            service: self.service,
            start: at,
            end: at,
            attributes: spare.attributes,
            events: spare.events,
            links: spare.links,
            ..Span::default()
        });
        Handle(self.spans.len() - 1)
    }

    /// Changes a span.
    pub(super) fn with(&mut self, span: Handle, change: impl FnOnce(&mut Span)) {
        if let Some(span) = self.spans.get_mut(span.0) {
            change(span);
        }
    }

    /// Sets an attribute.
    pub(super) fn set(&mut self, span: Handle, key: &'static str, value: impl Into<Datum>) {
        let attribute = Attr { key: key.into(), value: value.into() };
        self.with(span, |span| span.attributes.push(attribute));
    }

    /// Sets several attributes.
    pub(super) fn set_all(&mut self, span: Handle, attributes: &[(&'static str, Datum)]) {
        self.with(span, |span| {
            span.attributes.reserve(attributes.len());
            span.attributes.extend(attributes.iter().map(|(key, value)| Attr { key: (*key).into(), value: *value }));
        });
    }

    /// Adds an event.
    pub(super) fn event(
        &mut self,
        span: Handle,
        time: u64,
        name: impl Into<Word>,
        attributes: &[(&'static str, Datum)],
    ) {
        let attributes = attributes.iter().map(|(key, value)| Attr { key: (*key).into(), value: *value }).collect();
        let event = Event { time, name: name.into(), attributes };
        self.with(span, |span| span.events.push(event));
    }

    /// Names another span, with attributes that say why.
    pub(super) fn link(&mut self, span: Handle, (trace, other): (u128, u64), attributes: &[(&'static str, Datum)]) {
        let attributes = attributes.iter().map(|(key, value)| Attr { key: (*key).into(), value: *value }).collect();
        self.with(span, |span| span.links.push(Link { trace, span: other, attributes }));
    }

    /// Ends a span.
    pub(super) fn close(&mut self, span: Handle, at: u64, status: i32) {
        self.with(span, |span| (span.end, span.status) = (at, status));
    }

    /// The id of a span.
    pub(super) fn id(&self, span: Handle) -> u64 {
        self.spans.get(span.0).map_or(0, |span| span.id)
    }
}

/// Appends a version 4 UUID.
fn push_uuid(out: &mut String, high: u64, low: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bits = [high & 0xffff_ffff_ffff_0fff | 0x4000, low >> 2 | 1 << 63].map(u64::to_be_bytes);
    let mut text = *b"........-....-....-....-............";
    let mut places = text.iter_mut().filter(|place| **place == b'.');
    for byte in bits.as_flattened() {
        for nibble in [byte >> 4, byte & 15] {
            if let Some(place) = places.next() {
                *place = DIGITS[usize::from(nibble)];
            }
        }
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_joined() {
        let mut sheet = Sheet::new(Chance::new(1, 1));
        let agent = sheet.word(format_args!("agent-{}", 7));
        let joined = sheet.join(&["<".into(), agent, "|".into(), agent, ">".into()]);
        assert_eq!(sheet.read(joined), "<agent-7|agent-7>");
        for number in [0, 7, 10, 1_234, u64::MAX] {
            let word = sheet.number(number);
            assert_eq!(sheet.read(word), number.to_string());
        }
        assert_eq!(sheet.read(Word::default()), "");
        assert_eq!(sheet.read(Word::Made { at: 1 << 30, bytes: 9 }), "");
    }

    #[test]
    fn uuids_are_of_version_four() {
        let mut sheet = Sheet::new(Chance::new(1, 1));
        let id = sheet.uuid("run-");
        let text = sheet.read(id).to_owned();
        assert_eq!(text.len(), 40);
        assert_eq!(&text[18..19], "4", "{text}");
        assert!(matches!(&text[23..24], "8" | "9" | "a" | "b"), "{text}");
    }

    #[test]
    fn spans_know_their_parents() {
        let mut sheet = Sheet::new(Chance::new(1, 1));
        let root = sheet.open(None, "root", 5);
        let child = sheet.open(Some(root), "child", 6);
        assert_eq!((sheet.spans[0].parent, sheet.spans[1].parent), (0, sheet.id(root)));
        assert_ne!(sheet.id(root), sheet.id(child));
    }
}

//! A forgiving pull reader over JSON that lies in one buffer.
//!
//! Comes in: a byte slice, complete or only its beginning. Goes out: strings in place, exact numbers, skipped values.
//! It never recurses, never allocates on the ordinary path, and tells "there is no more" apart from "this is wrong".

use wide::u8x16;

use super::id::{self, Width};
use super::notes::Notes;
use super::number;
use super::raw::{IdForm, RawId, Text};
use super::tape::Tape;
use super::text;
use super::trouble::TroubleKind;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The bytes end here: with more of them reading might go on.
    End,
    /// What stands here is not JSON, however forgiving the reader.
    Syntax,
}

/// A position in a buffer, and the oddities met so far.
pub(super) struct Cursor<'a, 'n> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) notes: &'n mut Notes,
    /// Takes down the members of nested values, where somebody wants them.
    pub(super) tape: Option<&'n mut Tape<'a>>,
}

const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);
const CONTROL: u8x16 = u8x16::new([0x1f; 16]);

/// Of 32 bytes of a string: which are quotes, backslashes or control characters, and which are not ASCII.
#[inline(always)]
pub(super) fn masks(block: &[u8; 32]) -> (u32, u32) {
    let (low, high) = block.split_at(16);
    let half = |bytes: &[u8]| {
        let block = u8x16::new(bytes.try_into().unwrap_or_default());
        let stops = block.simd_eq(QUOTE) | block.simd_eq(BACKSLASH) | block.min(CONTROL).simd_eq(block);
        (stops.to_bitmask() & 0xffff, block.to_bitmask() & 0xffff)
    };
    let (low, high) = (half(low), half(high));
    (low.0 | high.0 << 16, low.1 | high.1 << 16)
}

impl<'a, 'n> Cursor<'a, 'n> {
    pub(super) fn new(bytes: &'a [u8], at: usize, notes: &'n mut Notes) -> Self {
        Self { bytes, at, notes, tape: None }
    }

    #[cold]
    pub(super) fn note(&mut self, kind: TroubleKind) {
        self.notes.add(kind, self.at);
    }

    /// The next byte that is not white space, without taking it.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Result<u8, Halt> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(&c) => return Ok(c),
                None => return Err(Halt::End),
            }
        }
    }

    /// Takes one byte after white space, which must be `wanted`.
    #[inline(always)]
    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), Halt> {
        if self.peek()? == wanted {
            self.at += 1;
            Ok(())
        } else {
            Err(Halt::Syntax)
        }
    }

    /// Takes `literal` if it stands right here.
    #[inline(always)]
    pub(super) fn take(&mut self, literal: &[u8]) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(literal));
        if found {
            self.at += literal.len();
        }
        found
    }

    /// Opens an object or array. `false` when it is empty, and then it is closed already.
    #[inline(always)]
    pub(super) fn enter(&mut self, open: u8, close: u8) -> Result<bool, Halt> {
        self.expect(open)?;
        if self.peek()? == close {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// After a member: `true` when another one follows, `false` when the object or array is closed.
    #[inline(always)]
    pub(super) fn more(&mut self, close: u8) -> Result<bool, Halt> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            c if c == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(Halt::Syntax),
        }
    }

    /// A member's name, and its colon.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Result<Text<'a>, Halt> {
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// A string, checked: every stop is an escape, a control character or the end.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Text<'a>, Halt> {
        self.expect(b'"')?;
        self.string_body()
    }

    /// What follows the opening quote of a string.
    #[inline(always)]
    pub(super) fn string_body(&mut self) -> Result<Text<'a>, Halt> {
        let start = self.at;
        let mut at = start;
        let mut escaped = false;
        let mut high = 0u32;
        let end = loop {
            let stop = match self.bytes.get(at..at + 32).and_then(|block| <[u8; 32]>::try_from(block).ok()) {
                Some(block) => {
                    let (stops, upper) = masks(&block);
                    if stops == 0 {
                        high |= upper;
                        at += 32;
                        continue;
                    }
                    let stop = stops.trailing_zeros();
                    high |= upper & ((1 << stop) - 1);
                    at + stop as usize
                }
                None => self.stop_near_end(at, &mut high).ok_or(Halt::End)?,
            };
            match self.bytes.get(stop) {
                Some(b'"') => break stop,
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(stop)?;
                }
                _ => {
                    self.control(stop)?;
                    at = stop + 1;
                }
            }
        };
        let raw = self.bytes.get(start..end).unwrap_or_default();
        self.at = end + 1;
        let sound = high == 0 || simdutf8::basic::from_utf8(raw).is_ok();
        if !sound {
            self.notes.add(TroubleKind::BadUtf8, start);
        }
        Ok(Text { raw, escaped, sound })
    }

    /// The next stop in the last few bytes of the buffer.
    fn stop_near_end(&self, at: usize, high: &mut u32) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        let stop = rest.iter().position(|&c| c == b'"' || c == b'\\' || c < 0x20)?;
        *high |= u32::from(rest.iter().take(stop).any(|c| !c.is_ascii()));
        Some(at + stop)
    }

    /// Steps over an escape.
    #[inline]
    fn escape(&mut self, at: usize) -> Result<usize, Halt> {
        match self.bytes.get(at + 1) {
            Some(b'n' | b'"' | b'\\' | b't' | b'r' | b'/' | b'b' | b'f') => Ok(at + 2),
            Some(b'u') => self.unicode_escape(at),
            Some(_) => {
                self.notes.add(TroubleKind::BadEscape, at);
                Ok(at + 1)
            }
            None => Err(Halt::End),
        }
    }

    fn unicode_escape(&mut self, at: usize) -> Result<usize, Halt> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        if rest.len() < 6 && !rest.contains(&b'"') {
            return Err(Halt::End);
        }
        match text::code_unit(rest) {
            Some(0xd800..0xdc00) => {
                let next = rest.get(6..).unwrap_or_default();
                if next.len() < 6 && !next.contains(&b'"') {
                    return Err(Halt::End);
                }
                if matches!(text::code_unit(next), Some(0xdc00..0xe000)) {
                    return Ok(at + 12);
                }
                self.notes.add(TroubleKind::LoneSurrogate, at);
                Ok(at + 6)
            }
            Some(0xdc00..0xe000) => {
                self.notes.add(TroubleKind::LoneSurrogate, at);
                Ok(at + 6)
            }
            Some(_) => Ok(at + 6),
            None => {
                self.notes.add(TroubleKind::BadEscape, at);
                Ok(at + 2)
            }
        }
    }

    /// A control character inside a string: tolerated, except for a line break after which a new document begins. There
    /// a line was cut off, and to read on would take the next one along.
    #[cold]
    fn control(&mut self, at: usize) -> Result<(), Halt> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'\n') {
            match rest.get(1..3) {
                None => return Err(Halt::End),
                Some(b"{\"" | b"{}" | b"{ " | b"{\n" | b"{\r" | b"[{" | b"[\n") => {
                    self.at = at;
                    return Err(Halt::Syntax);
                }
                Some(_) => {}
            }
        }
        self.notes.add(TroubleKind::ControlCharacter, at);
        Ok(())
    }

    /// The characters of a number, or of the words that stand where numbers should.
    pub(super) fn number(&mut self) -> Result<&'a [u8], Halt> {
        self.peek()?;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end =
            rest.iter().position(|c| !matches!(c, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).ok_or(Halt::End)?;
        let word = match rest.get(end) {
            Some(b'I' | b'N' | b'n' | b'i') if end <= 1 => {
                rest.iter().position(|c| !c.is_ascii_alphabetic() && *c != b'-')
            }
            _ => None,
        };
        let text = rest.get(..word.unwrap_or(end)).unwrap_or_default();
        if word.is_some() && number::double(text).is_some() {
            self.note(TroubleKind::BareNaN);
        } else if word.is_some() || text.is_empty() {
            return Err(Halt::Syntax);
        }
        self.at += text.len();
        Ok(text)
    }

    /// Takes a literal word like `true`.
    pub(super) fn word(&mut self, word: &[u8]) -> Result<(), Halt> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if self.take(word) {
            Ok(())
        } else if word.starts_with(rest) {
            Err(Halt::End)
        } else {
            Err(Halt::Syntax)
        }
    }

    /// Takes a `null`, which stands for a field that is not given.
    #[inline(always)]
    pub(super) fn null(&mut self) -> Result<bool, Halt> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.word(b"null")?;
        self.note(TroubleKind::NullField);
        Ok(true)
    }

    /// Steps over any value, however deep it is nested, checking strings, words, numbers and the count of brackets.
    pub(super) fn skip(&mut self) -> Result<(), Halt> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' if self.bytes.get(self.at + 1) != Some(&b'a') => self.word(b"null")?,
                _ => {
                    self.number()?;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Steps over a value that has the wrong type for its field.
    #[cold]
    pub(super) fn wrong(&mut self) -> Result<(), Halt> {
        self.note(TroubleKind::WrongType);
        self.skip()
    }

    /// A field that holds text. Null and other types read as empty.
    #[inline(always)]
    pub(super) fn text_field(&mut self) -> Result<Text<'a>, Halt> {
        if self.peek()? == b'"' {
            return self.string();
        }
        if !self.null()? {
            self.wrong()?;
        }
        Ok(Text::default())
    }

    /// An id: bare hex of the right length in the ordinary case.
    #[inline(always)]
    pub(super) fn id(&mut self, width: Width) -> Result<RawId<'a>, Halt> {
        if self.peek()? == b'"' {
            let from = self.at + 1;
            let to = from + 2 * width.bytes();
            if self.bytes.get(to) == Some(&b'"')
                && let Some(digits) = self.bytes.get(from..to)
                && let Some(bits @ 1..) = id::hex(digits)
            {
                self.at = to + 1;
                return Ok(RawId { bits, form: IdForm::Whole, spelling: digits });
            }
        }
        self.odd_id(width)
    }

    #[cold]
    fn odd_id(&mut self, width: Width) -> Result<RawId<'a>, Halt> {
        let text = match self.peek()? {
            b'"' => self.string()?,
            b'0'..=b'9' => {
                let digits = self.number()?;
                self.note(TroubleKind::IdNotHex);
                let bits = number::integer(digits).and_then(|bits| u128::try_from(bits).ok());
                // The whole id as one decimal number, or a spelling like any other.
                return Ok(match bits.filter(|bits| *bits > 0 && bits >> (8 * width.bytes() - 1) <= 1) {
                    Some(bits) => RawId { bits, form: IdForm::Whole, spelling: digits },
                    None => id::of_text(Text::plain(digits), width).0,
                });
            }
            _ => {
                if !self.null()? {
                    self.wrong()?;
                }
                return Ok(RawId::default());
            }
        };
        let (id, trouble) = id::of_text(text, width);
        if let Some(trouble) = trouble {
            self.note(trouble);
        }
        Ok(id)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is read of a text, and what was odd in it.
    pub(in crate::otlp) fn read<T>(
        text: &str,
        f: impl Fn(&mut Cursor<'_, '_>) -> Result<T, Halt>,
    ) -> (Result<T, Halt>, Vec<TroubleKind>) {
        let mut notes = Notes::default();
        let result = f(&mut Cursor::new(text.as_bytes(), 0, &mut notes));
        let kinds = notes.drain().map(|(kind, _)| kind).collect();
        (result, kinds)
    }

    #[test]
    fn strings_tell_what_is_wrong_with_them() {
        use TroubleKind::*;
        let cases = [
            (r#""plain and long enough to cross a block""#, vec![]),
            (r#""\n\u00e9\ud83d\ude00""#, vec![]),
            (r#""lone \ud800 half""#, vec![LoneSurrogate]),
            (r#""bad \x escape""#, vec![BadEscape]),
            ("\"a raw\ttab\"", vec![ControlCharacter]),
        ];
        for (text, kinds) in cases {
            let (result, found) = read(text, |c| c.string().map(drop));
            assert!(result.is_ok(), "{text}");
            assert_eq!(found, kinds, "{text}");
        }
        assert_eq!(read("\"cut off", |c| c.string().map(drop)).0.err(), Some(Halt::End));
        assert_eq!(read("\"cut off\n{\"next\":1}", |c| c.string().map(drop)).0.err(), Some(Halt::Syntax));
    }

    #[test]
    fn skipping_needs_no_stack() {
        let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(read(&deep, |c| c.skip().map(|()| c.at)).0, Ok(deep.len()));
        assert_eq!(read("[1,2", |c| c.skip()).0, Err(Halt::End));
        assert_eq!(read("[NaN,-Infinity]", |c| c.skip()).1, [TroubleKind::BareNaN, TroubleKind::BareNaN]);
        assert_eq!(read("wrong", |c| c.skip()).0, Err(Halt::Syntax));
    }
}

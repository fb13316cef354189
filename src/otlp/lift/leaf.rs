//! The small parts that foreign formats have in common: ids of either width, microseconds, fields that are often null.
//!
//! Comes in: a cursor at the part. Goes out: the part in OTLP's own units. What is ordinary in those formats is not noted.

use crate::otlp::cursor::{Cursor, Halt};
use crate::otlp::id::{self, Width};
use crate::otlp::notes::Notes;
use crate::otlp::number;
use crate::otlp::raw::{IdForm, RawAttribute, RawId, RawValue, Text};
use crate::otlp::trouble::TroubleKind;

/// A text of ours as a value or key.
pub(super) const fn text(text: &'static str) -> Text<'static> {
    Text::known(text)
}

/// A member's name as text: with a backslash in it, it is escaped.
pub(super) fn key(raw: &[u8]) -> Text<'_> {
    Text::json(raw, raw.contains(&b'\\'))
}

/// An attribute whose key is ours.
pub(super) const fn attribute<'a>(key: &'static str, value: RawValue<'a>) -> RawAttribute<'a> {
    RawAttribute { key: text(key), value }
}

/// Takes a `null`, which these formats write for everything that is not there.
#[inline]
pub(super) fn null(cursor: &mut Cursor<'_, '_>) -> Result<bool, Halt> {
    if cursor.peek()? != b'n' {
        return Ok(false);
    }
    cursor.word(b"null").map(|()| true)
}

/// Steps over a value that is read another time, noting nothing; where it is broken, to the bracket that closes it.
pub(super) fn pass(cursor: &mut Cursor<'_, '_>) -> Result<(), Halt> {
    cursor.peek()?;
    let mut ignored = Notes::default();
    let mut scout = Cursor::new(cursor.bytes, cursor.at, &mut ignored);
    let passed = match scout.skip() {
        Err(Halt::Syntax) => {
            scout.at = cursor.at;
            balance(&mut scout)
        }
        other => other,
    };
    cursor.at = scout.at;
    passed
}

#[cold]
fn balance(cursor: &mut Cursor<'_, '_>) -> Result<(), Halt> {
    let mut depth = 0usize;
    loop {
        match cursor.peek()? {
            b'"' => {
                cursor.string()?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => return Err(Halt::Syntax),
            _ => {}
        }
        cursor.at += 1;
        if depth == 0 {
            return Ok(());
        }
    }
}

/// Elements of an array that may be null.
#[inline]
pub(super) fn elements<'a, 'n>(
    cursor: &mut Cursor<'a, 'n>,
    element: impl FnMut(&mut Cursor<'a, 'n>) -> Result<(), Halt>,
) -> Result<(), Halt> {
    if null(cursor)? { Ok(()) } else { cursor.elements(element) }
}

/// An id in hex, with `0x` or not, of any length up to the right one: these formats have ids of 64 bits, and some
/// producers leave leading zeros out. Null is no id.
pub(super) fn id<'a>(cursor: &mut Cursor<'a, '_>, width: Width) -> Result<RawId<'a>, Halt> {
    if cursor.peek()? != b'"' {
        return if null(cursor)? { Ok(RawId::default()) } else { cursor.id(width) };
    }
    let at = cursor.at;
    let written = cursor.string()?;
    let digits = written.raw.strip_prefix(b"0x").unwrap_or(written.raw);
    if digits.len() <= 2 * width.bytes()
        && let Some(bits @ 1..) = id::hex(digits)
    {
        return Ok(RawId { bits, form: IdForm::Whole, spelling: written.raw });
    }
    let (id, trouble) = id::of_text(written, width);
    if let Some(trouble) = trouble {
        cursor.notes.add(trouble, at);
    }
    Ok(id)
}

/// The id of a parent: all zeros, or nothing, for a root.
pub(super) fn parent_id<'a>(cursor: &mut Cursor<'a, '_>) -> Result<RawId<'a>, Halt> {
    if cursor.peek()? == b'"' {
        let at = cursor.at;
        let written = cursor.string()?.raw;
        if written.strip_prefix(b"0x").unwrap_or(written).iter().all(|c| *c == b'0') {
            return Ok(RawId::default());
        }
        cursor.at = at;
    }
    id(cursor, Width::Span)
}

/// Microseconds as nanoseconds; nothing for null.
pub(super) fn micros(cursor: &mut Cursor<'_, '_>) -> Result<Option<u64>, Halt> {
    if null(cursor)? {
        return Ok(None);
    }
    let at = cursor.at;
    let micros = cursor.loose_integer(false)?;
    let nanos = micros.checked_mul(1000).and_then(|nanos| u64::try_from(nanos).ok());
    if nanos.is_none() {
        cursor.notes.add(TroubleKind::BadNumber, at);
    }
    Ok(Some(nanos.unwrap_or(0)))
}

/// A time as text, in RFC 3339; zero for null.
pub(super) fn time(cursor: &mut Cursor<'_, '_>) -> Result<u64, Halt> {
    if null(cursor)? {
        return Ok(0);
    }
    if cursor.peek()? != b'"' {
        return cursor.unsigned_field();
    }
    let at = cursor.at;
    let written = cursor.string()?.decode();
    Ok(number::time(&written).unwrap_or_else(|| {
        if !written.is_empty() {
            cursor.notes.add(TroubleKind::BadNumber, at);
        }
        0
    }))
}

/// Text that may be null; other types are no text.
pub(super) fn text_field<'a>(cursor: &mut Cursor<'a, '_>) -> Result<Text<'a>, Halt> {
    if null(cursor)? { Ok(Text::default()) } else { cursor.text_field() }
}

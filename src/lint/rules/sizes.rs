//! How large values are, and how limits are told: what several rules about budgets share.
//!
//! Comes in: values in place. Goes out: bytes, characters, words.

use crate::agent::TRUNCATION_NOTE;
use crate::lint::facts::Told;
use crate::lint::finding::Unit;
use crate::model::ByteSize;
use crate::otlp::RawValue;

/// How many parts of something too large are told.
pub(super) const PARTS: usize = 5;

/// No less than the size of the value, known without decoding it.
#[inline]
pub(super) fn raw_len(value: &RawValue<'_>) -> usize {
    match value {
        RawValue::Text(text) | RawValue::Base64(text) => text.raw.len(),
        RawValue::Bytes(bytes) => bytes.len(),
        RawValue::Nested(nested) => nested.raw.len(),
        _ => 8,
    }
}

/// Bytes of a value: of arrays and maps as JSON would have them.
pub(super) fn value_bytes(value: &RawValue<'_>) -> u64 {
    let bytes = match value {
        RawValue::Text(text) => text.byte_len(),
        RawValue::Bytes(bytes) => bytes.len(),
        RawValue::Base64(text) => text.byte_len() / 4 * 3,
        RawValue::Nested(_) => value.decode().to_string().len(),
        _ => 8,
    };
    bytes as u64
}

/// Characters of a value.
pub(super) fn value_chars(value: &RawValue<'_>) -> u64 {
    match value {
        RawValue::Text(text) => text.char_len() as u64,
        RawValue::Nested(_) => value.decode().to_string().chars().count() as u64,
        other => value_bytes(other),
    }
}

/// Characters of a value, a note that Letta cut it left out.
pub(super) fn body_chars(value: &RawValue<'_>) -> u64 {
    match value {
        RawValue::Text(text) => text_chars(&text.decode()),
        other => value_chars(other),
    }
}

/// Characters of a text, a note that Letta cut it left out.
pub(super) fn text_chars(text: &str) -> u64 {
    let body = match text.rfind(TRUNCATION_NOTE) {
        Some(at) if text.ends_with(" chars)") && text.len() - at < 80 => text.get(..at).unwrap_or(text),
        _ => text,
    };
    body.chars().count() as u64
}

/// A size for people.
pub(super) fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// A size and its limit for people: the limit as the very number, the size in full where short forms would look alike.
pub(super) fn against(told: &Told<'_>) -> (String, String) {
    if told.unit == Some(Unit::Chars) {
        return (format!("{} chars", told.observed), format!("{} chars", told.limit));
    }
    let (observed, limit) = (size(told.observed), size(told.limit));
    let observed = if observed == limit { format!("{} B", told.observed) } else { observed };
    (observed, ByteSize(told.limit).exact())
}

/// The budget a limit comes from.
pub(super) fn budget(preset: &str) -> String {
    if preset.is_empty() { "the configured limit".to_owned() } else { format!("budget {preset}") }
}

//! How large values are, and how limits are told: what several rules about budgets share.
//!
//! Comes in: values in place. Goes out: bytes, characters, words.

use crate::agent::TRUNCATION_NOTE;
use crate::lint::facts::Told;
use crate::model::ByteSize;
use crate::otlp::RawValue;

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

/// Characters of a value, a note that Letta cut it left out.
pub(super) fn value_chars(value: &RawValue<'_>) -> u64 {
    let text = match value {
        RawValue::Text(text) => text.decode(),
        RawValue::Nested(_) => value.decode().to_string().into(),
        other => return value_bytes(other),
    };
    let body = match text.rfind(TRUNCATION_NOTE) {
        Some(at) if text.ends_with(" chars)") && text.len() - at < 80 => text.get(..at).unwrap_or(&text),
        _ => &text,
    };
    body.chars().count() as u64
}

/// A size for people.
pub(super) fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// A size and its limit for people: in full, where the short forms would be the same.
pub(super) fn against(told: &Told<'_>) -> (String, String) {
    let (observed, limit) = (size(told.observed), size(told.limit));
    if observed == limit { (told.observed.to_string(), told.limit.to_string()) } else { (observed, limit) }
}

/// The budget a limit comes from.
pub(super) fn budget(preset: &str) -> String {
    if preset.is_empty() { "the configured limit".to_owned() } else { format!("budget {preset}") }
}

//! BUD010: images, files and embeddings in attributes.
//!
//! Comes in: long texts and arrays. Goes out: one fact a key that holds base64 or numbers by the dozen.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::hints::{FLOATS_BYTES, Hints, LARGE_BYTES};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::model::{ByteSize, Value};
use crate::otlp::{RawAttribute, RawValue};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD010",
    name: "binary-in-attribute",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "An attribute holds a file as base64, or an embedding",
    why: "Nobody reads it, nothing finds it, and it makes up most of what is stored and sent.",
    when: "a run of base64 of min_b64 bytes, a data URL in base64, or a list of min_floats numbers with fractions; also inside lists, maps and JSON.",
    bad: "input.value = \"data:image/png;base64,iVBORw0KGgo...\"",
    good: "input.value = \"see object store, key 7f2c\"",
    limits: &LIMITS,
    unit: Some(Unit::Bytes),
    source: "Braintrust's limits name base64 images; Letta leaves embeddings out",
    url: "https://www.braintrust.dev/docs",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 3] = [
    Limit::number("min_b64", 64, 4096, Unit::Bytes, "the shortest run of base64"),
    Limit::number("min_floats", 8, 64, Unit::Count, "the shortest list of numbers"),
    Limit::words("allow", &[], "keys that may; a trailing * stands for anything"),
];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let small = look.limit(0).is_some_and(|limit| limit < LARGE_BYTES as u64)
        || look.limit(1).is_some_and(|limit| limit < FLOATS_BYTES as u64);
    let hinted = [Hints::LARGE, Hints::NUMBERS, Hints::DATA_URL].into_iter().any(|hint| look.hints.has(hint));
    if !small && !hinted {
        return;
    }
    for attribute in &look.span.pool {
        judge(attribute, look, sink);
    }
}

fn judge(attribute: &RawAttribute<'_>, look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let limit = |at| look.limit(at).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let (class, observed, note) = match &attribute.value {
        RawValue::Text(text) => {
            if let Some((kind, length)) = look.hints.has(Hints::DATA_URL).then(|| data_url(text.raw)).flatten() {
                ("data URL", length, kind)
            } else if let Some(length) = base64_run(text.raw, limit(0)) {
                ("base64", length, String::new())
            } else if has_floats(text.raw, limit(1)) {
                ("numbers", text.raw.len(), String::new())
            } else {
                return;
            }
        }
        RawValue::Nested(nested) if !nested.map && nested.raw.len() >= limit(1).saturating_mul(3) => {
            let Value::Array(items) = attribute.value.decode() else { return };
            if items.iter().filter(|item| matches!(item, Value::Double(_))).count() < limit(1) {
                return;
            }
            ("numbers", items.len() * 8, String::new())
        }
        _ => return,
    };
    let key = attribute.key.decode();
    let allowed = |word: &String| word.strip_suffix('*').map_or(key == **word, |start| key.starts_with(start));
    if !look.words(2).iter().any(allowed) {
        let (observed, note) = (Some(observed as u64), note.into());
        sink.found(Fact { class, attribute: key, observed, note, ..Fact::default() });
    }
}

/// The media type of the first data URL in base64, and how many bytes it has.
fn data_url(text: &[u8]) -> Option<(String, usize)> {
    let at = memchr::memmem::find(text, b";base64,")?;
    let before = text.get(at.saturating_sub(120)..at)?;
    let kind = before.get(memchr::memmem::rfind(before, b"data:")? + 5..)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/+.-;=_\\".contains(&byte);
    let kind = std::str::from_utf8(kind).ok().filter(|kind| kind.bytes().all(fits))?.replace('\\', "");
    let body = text.get(at + 8..)?;
    let kind: String = kind.split(';').next().unwrap_or_default().chars().take(60).collect();
    Some((kind, body.iter().take_while(|byte| is_base64(**byte)).count()))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'\\')
}

/// How long a run of base64 is that has at least so many bytes. Only some places are looked at: none fits in between.
fn base64_run(text: &[u8], least: usize) -> Option<usize> {
    let mut at = least.checked_sub(1)?;
    while let Some(&byte) = text.get(at) {
        let end = if is_base64(byte) {
            let fits = |byte: &&u8| is_base64(**byte);
            let after = text.get(at..).unwrap_or_default().iter().take_while(fits).count();
            let before = text.get(..at).unwrap_or_default().iter().rev().take_while(fits).count();
            let run = text.get(at - before..at + after).unwrap_or_default();
            if run.len() >= least && is_mixed(run) {
                return Some(run.len());
            }
            at + after
        } else {
            at
        };
        at = end.max(at) + least;
    }
    None
}

/// Whether letters of both cases and digits are in it: what encodes bytes has all of them, a path or a word has not.
fn is_mixed(run: &[u8]) -> bool {
    let has = |fits: fn(&u8) -> bool| run.iter().any(fits);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// Whether a text is a list of numbers with so many fractions among the first of them.
fn has_floats(text: &[u8], least: usize) -> bool {
    let Some(body) = text.strip_prefix(b"[").filter(|body| body.len() >= least.saturating_mul(2)) else { return false };
    let number = |word: &[u8]| {
        let word = word.trim_ascii();
        let fraction = word.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
        fraction && std::str::from_utf8(word).is_ok_and(|word| word.parse::<f64>().is_ok())
    };
    body.split(|byte| matches!(byte, b',' | b']')).take_while(|word| number(word)).take(least).count() >= least
}

fn tell(told: &Told<'_>) -> Words {
    let (key, size) = (told.attribute, ByteSize(told.observed));
    let message = match told.class {
        "numbers" => format!("{key} holds a list of numbers, {size}: an embedding?"),
        "data URL" => format!("{key} holds {size} of base64 as a data URL ({})", told.note),
        _ => format!("{key} holds a run of base64, {size}"),
    };
    Words::new(message, "keep the file or vector elsewhere, and record its name, size and digest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_wherever_they_stand() {
        let run = "aB3+".repeat(25);
        for text in [run.clone(), format!("a b {run} c"), format!("{}{run}", "word, ".repeat(40))] {
            assert_eq!(base64_run(text.as_bytes(), 100), Some(100), "{text}");
        }
        for text in ["aB3+".repeat(24), "x".repeat(500), "a word, Another 1 ".repeat(40), String::new()] {
            assert_eq!(base64_run(text.as_bytes(), 100), None, "{text}");
        }
    }

    #[test]
    fn data_urls_and_lists_of_numbers_are_told_from_text() {
        assert_eq!(data_url(b"see data:image/png;base64,iVBO\""), Some(("image/png".to_owned(), 4)));
        assert_eq!(data_url(b"a ;base64, b"), None);
        assert!(has_floats(b"[0.1, -2.5e-3, 1.0, 4.25]", 4));
        assert!(!has_floats(b"[1, 2, 3, 4, 5, 6, 7, 8]", 4) && !has_floats(b"[0.1, 'a', 0.2, 0.3]", 4));
    }
}

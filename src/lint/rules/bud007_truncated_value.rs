//! BUD007: values that were cut before they were recorded.
//!
//! Comes in: texts with a note of it, or of exactly the length at which backends cut. Goes out: one fact a key.

use crate::agent::TRUNCATION_NOTE;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::hints::{Hints, LARGE_BYTES};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::otlp::{RawAttribute, RawValue, Text};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD007",
    name: "truncated-value",
    severity: Severity::Info,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A value was cut",
    why: "What is behind the cut is lost, and JSON that was cut is none any more.",
    when: "a value ends in Letta's note of its original size, parameters.truncated is true, or a value is exactly as long as one of known_limits, or that long with ... behind it.",
    bad: "request_data = \"... (truncated, original size: 9200000 chars)\"",
    good: "a value that fits, or a reference to where it is kept",
    limits: &LIMITS,
    unit: Some(Unit::Chars),
    source: "letta 0.16.8 letta/otel/tracing.py; datadog-agent truncate.go; limits of the named budgets",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/tracing.py",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] =
    [Limit::words("known_limits", &["2048", "4095", "8192", "25000", "65536"], "lengths at which something cuts")];

/// Letta's flag for parameters that it left out.
pub(super) const TRUNCATED: &str = "parameters.truncated";

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let small =
        !look.is_usual(0) && look.words(0).iter().any(|word| word.parse().is_ok_and(|n: usize| n < LARGE_BYTES));
    if !small && !look.hints.has(Hints::CUT) && !look.hints.has(Hints::LARGE) {
        return;
    }
    let limits: Vec<u64> = look.words(0).iter().filter_map(|word| word.parse().ok()).collect();
    for attribute in &look.span.pool {
        judge(attribute, &limits, sink);
    }
}

fn judge(attribute: &RawAttribute<'_>, limits: &[u64], sink: &mut Sink<'_>) {
    let mut found = |class, observed, confidence| {
        let attribute = attribute.key.decode();
        sink.found(Fact { class, attribute, observed, confidence, ..Fact::default() });
    };
    match &attribute.value {
        RawValue::Bool(true) if attribute.key.is(TRUNCATED) => found("parameters", None, None),
        RawValue::Text(text) => {
            if let Some(original) = original_size(text) {
                found("noted", Some(original), None);
            } else if let Some(limit) = known_limit(text, limits) {
                found("limit", Some(limit), Some(Confidence::Likely));
            }
        }
        _ => {}
    }
}

/// How long the value was, as the note at its end says.
fn original_size(text: &Text<'_>) -> Option<u64> {
    let tail = text.raw.get(text.raw.len().saturating_sub(80)..)?;
    let tail = std::str::from_utf8(tail.strip_suffix(b" chars)")?.rsplit(|byte| *byte == b' ').next()?).ok()?;
    let head = text.raw.get(..text.raw.len() - tail.len() - " chars)".len())?;
    head.ends_with(TRUNCATION_NOTE.as_bytes()).then(|| tail.parse().ok()).flatten()
}

/// The length at which the value was probably cut: exactly that long, or with three dots behind it.
fn known_limit(text: &Text<'_>, limits: &[u64]) -> Option<u64> {
    if (text.raw.len() as u64) < *limits.iter().min()? {
        return None;
    }
    // What is closed as it was opened is whole, however long.
    if let [b'{', .., b'}'] | [b'[', .., b']'] | [b'(', .., b')'] | [b'<', .., b'>'] = text.raw {
        return None;
    }
    let bytes = text.byte_len() as u64;
    let dotted = text.raw.ends_with(b"...").then(|| bytes.saturating_sub(3));
    let exact = |length: u64| limits.iter().copied().find(|limit| *limit == length);
    exact(bytes).or_else(|| exact(dotted?)).or_else(|| {
        // Limits in characters show only where some take several bytes.
        let chars = if text.escaped { text.char_len() as u64 } else { characters(text.raw) };
        (chars != bytes).then(|| exact(chars)).flatten()
    })
}

/// Characters of a text without escapes.
fn characters(text: &[u8]) -> u64 {
    simdutf8::basic::from_utf8(text)
        .map_or_else(|_| String::from_utf8_lossy(text).chars().count(), |text| text.chars().count()) as u64
}

fn tell(told: &Told<'_>) -> Words {
    let key = told.attribute;
    let message = match told.class {
        "parameters" => "parameters were left out because the span was full".to_owned(),
        "noted" => format!("{key} was cut: it had {} characters", told.observed),
        _ => format!("{key} is exactly as long as values are that were cut at {}", told.observed),
    };
    Words::new(message, "record less, or keep the value elsewhere and record a reference")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_lengths_tell_of_cuts() {
        let size = |text: &str| original_size(&Text::known(text));
        assert_eq!(size("abc... (truncated, original size: 9200000 chars)"), Some(9_200_000));
        assert_eq!(size("abc (truncated, original size: 9 chars)"), None);
        assert_eq!((size(" chars)"), size("x chars)"), size("")), (None, None, None));
        let limits = [10];
        let limit = |text: &str| known_limit(&Text::known(text), &limits);
        assert_eq!((limit("0123456789"), limit("0123456789..."), limit("012345678é")), (Some(10), Some(10), Some(10)));
        assert_eq!((limit("012345678"), limit("0123456789a"), limit("")), (None, None, None));
    }
}

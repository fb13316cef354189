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
use crate::otlp::{RawAttribute, RawValue, Text};

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
    let search = Search { base64: limit(0), floats: limit(1), urls: look.hints.has(Hints::DATA_URL) };
    let found = match &attribute.value {
        RawValue::Text(text) => search.text(text),
        RawValue::Nested(nested) if nested.raw.len() >= limit(1).min(limit(0)) || search.urls => {
            search.value(&attribute.value.decode())
        }
        _ => None,
    };
    let Some(Found { class, size, note }) = found else { return };
    let key = attribute.key.decode();
    let allowed = |word: &String| word.strip_suffix('*').map_or(key == **word, |start| key.starts_with(start));
    if !look.words(2).iter().any(allowed) {
        let (observed, note) = (Some(size as u64), note.into());
        sink.found(Fact { class, attribute: key, observed, note, ..Fact::default() });
    }
}

/// What is looked for in values.
struct Search {
    /// The shortest run of base64.
    base64: usize,
    /// The shortest list of numbers.
    floats: usize,
    /// There may be a data URL.
    urls: bool,
}

/// What was found.
struct Found {
    class: &'static str,
    size: usize,
    note: String,
}

impl Search {
    fn text(&self, text: &Text<'_>) -> Option<Found> {
        let raw = text.raw;
        if let Some((kind, size)) = self.urls.then(|| data_url(raw)).flatten() {
            return Some(Found { class: "data URL", size, note: kind });
        }
        // What cannot be a run as it stands in the bytes is none.
        let run = || base64_run(text.decode().as_bytes(), self.base64);
        if let Some(size) = may_hold_run(raw, self.base64).then(run).flatten() {
            return Some(Found { class: "base64", size, note: String::new() });
        }
        let size = floats(raw, self.floats)?;
        Some(Found { class: "numbers", size, note: String::new() })
    }

    /// Looks into lists and maps; what is decoded is never deeper than its reader allows.
    fn value(&self, value: &Value) -> Option<Found> {
        match value {
            Value::String(text) => self.text(&Text::known(text)),
            Value::Array(items) => {
                let fractions = items.iter().filter(|item| matches!(item, Value::Double(_))).count();
                match fractions >= self.floats {
                    true => Some(Found { class: "numbers", size: items.len() * 8, note: String::new() }),
                    false => items.iter().find_map(|item| self.value(item)),
                }
            }
            Value::Map(members) => members.iter().find_map(|member| self.value(&member.value)),
            _ => None,
        }
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
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Whether bytes may hold a run of so much base64, lines of it and escapes among it. Only some places are looked at: none fits in
/// between.
fn may_hold_run(text: &[u8], least: usize) -> bool {
    let fits = |byte: &&u8| is_base64(**byte) || matches!(**byte, b'\\' | b'\n' | b'\r');
    let Some(mut at) = least.checked_sub(1) else { return false };
    while let Some(byte) = text.get(at) {
        let mut end = at;
        if fits(&byte) {
            let after = text.get(at..).unwrap_or_default().iter().take_while(fits).count();
            let before = text.get(..at).unwrap_or_default().iter().rev().take_while(fits).count();
            if before + after >= least {
                return true;
            }
            end = at + after;
        }
        at = end + least;
    }
    false
}

/// How long the first run of base64 is that has at least so many bytes. Lines belong to one run where they are as long as those of
/// encoders are.
fn base64_run(text: &[u8], least: usize) -> Option<usize> {
    const LINES: [usize; 2] = [64, 76];
    let (mut begin, mut line) = (0, 0);
    for at in 0..=text.len() {
        match text.get(at) {
            Some(byte) if is_base64(*byte) => {}
            Some(b'\r') if text.get(at + 1) == Some(&b'\n') && LINES.contains(&(at - line)) => {}
            Some(b'\n') if at > begin => {
                let before = at - line - usize::from(text.get(at - 1) == Some(&b'\r'));
                if !LINES.contains(&before) {
                    begin = at + 1;
                }
                line = at + 1;
                continue;
            }
            _ => {
                let run = text.get(begin..at).unwrap_or_default();
                if run.len() >= least && is_mixed(run) {
                    return Some(run.iter().filter(|byte| is_base64(**byte)).count());
                }
                (begin, line) = (at + 1, at + 1);
            }
        }
    }
    None
}

/// Whether letters of both cases and digits are in it: what encodes bytes has all of them, a path or a word has not.
fn is_mixed(run: &[u8]) -> bool {
    let has = |fits: fn(&u8) -> bool| run.iter().any(fits);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// How many bytes the first list of numbers has, with so many fractions in it, wherever in JSON it stands.
fn floats(text: &[u8], least: usize) -> Option<usize> {
    let may_be = text.len() >= least.saturating_mul(2) && matches!(text.trim_ascii_start(), [b'[' | b'{', ..]);
    let mut from = if may_be { 0 } else { text.len() };
    while let Some(open) = memchr::memchr(b'[', text.get(from..)?).map(|at| from + at) {
        let body = text.get(open + 1..)?;
        let (mut numbers, mut fractions, mut length) = (0, 0, 0);
        for word in body.split(|byte| matches!(byte, b',' | b']')) {
            let Some(fraction) = number(word) else { break };
            numbers += 1;
            fractions += usize::from(fraction);
            length += word.len() + 1;
            if body.get(length - 1) != Some(&b',') {
                break;
            }
        }
        // Among fractions a whole number may stand; a list of counts with some fractions is no embedding.
        if fractions >= least && fractions * 4 >= numbers * 3 {
            return Some(if open == 0 { text.len() } else { length });
        }
        from = open + 1 + length;
    }
    None
}

/// Whether a word is a number with a fraction; `None` where it is none.
fn number(word: &[u8]) -> Option<bool> {
    let mut word = word.trim_ascii();
    // Blanks that JSON escaped.
    while let Some(rest) = word.strip_prefix(b"\\n").or_else(|| word.strip_prefix(b"\\t")) {
        word = rest.trim_ascii_start();
    }
    let word = word.strip_suffix(b"\\n").unwrap_or(word);
    let fits = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let is_number = matches!(word, [b'0'..=b'9' | b'-' | b'.', ..]) && word.iter().all(fits) && word.len() < 32;
    is_number.then(|| word.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')))
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
            assert!(may_hold_run(text.as_bytes(), 100));
            assert_eq!(base64_run(text.as_bytes(), 100), Some(100), "{text}");
        }
        for text in ["aB3+".repeat(24), "x".repeat(500), "a word, Another 1 ".repeat(40), String::new()] {
            assert_eq!(base64_run(text.as_bytes(), 100), None, "{text}");
        }
    }

    #[test]
    fn lines_of_an_encoder_are_one_run_and_names_one_a_line_are_not() {
        let search = |text: &[u8], escaped| {
            Search { base64: 1000, floats: 64, urls: false }.text(&Text::json(text, escaped)).map(|found| found.size)
        };
        let names = |between: &str| (0..200).map(|at| format!("SomeClassName{at}")).collect::<Vec<_>>().join(between);
        assert_eq!((search(names("\n").as_bytes(), false), search(names("\\n").as_bytes(), true)), (None, None));
        let lines = |between: &str| vec!["aB3+".repeat(19); 20].join(between);
        assert_eq!(
            (search(lines("\r\n").as_bytes(), false), search(lines("\\n").as_bytes(), true)),
            (Some(1520), Some(1520))
        );
        let slashes = "aB3\\/".repeat(400);
        assert_eq!(search(slashes.as_bytes(), true), Some(1600), "an escaped slash is one of base64");
    }

    #[test]
    fn data_urls_are_told_from_text() {
        assert_eq!(data_url(b"see data:image/png;base64,iVBO\""), Some(("image/png".to_owned(), 4)));
        assert_eq!(data_url(b"a ;base64, b"), None);
    }

    #[test]
    fn embeddings_are_found_wherever_they_stand() {
        let list = |count: usize| (0..count).map(|at| format!("-0.{at}")).collect::<Vec<_>>().join(", ");
        let found = |text: &str| floats(text.as_bytes(), 64).is_some();
        assert!(found(&format!("[{}]", list(64))) && !found(&format!("[{}]", list(63))));
        assert!(found(&format!("[1, {}]", list(64))), "a whole number among them");
        assert!(found(&format!("{{\"data\": [{{\"embedding\": [{}]}}]}}", list(64))));
        assert!(found(&format!("[[1, 2], [\\n{}\\n]]", list(64))));
        let series = (0..300).map(|at| if at % 4 == 0 { format!("{at}.5") } else { at.to_string() });
        assert!(!found(&format!("[{}]", series.collect::<Vec<_>>().join(","))), "counts with some fractions");
        assert!(!found(&format!("see [{}]", list(64))) && !found("[0.1, 'a', 0.2]"));
        let value = Value::Array((0..64).map(|at| Value::Double(f64::from(at))).collect());
        let map = Value::Map(vec![crate::model::Attribute { key: "v".into(), value }]);
        assert!(Search { base64: 4096, floats: 64, urls: false }.value(&map).is_some());
    }
}

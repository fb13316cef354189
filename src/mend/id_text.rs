//! Old ids in texts, with new ones in their place.
//!
//! Comes in: texts, and which ids are old ones. Goes out: the texts with these ids renewed, wherever they stand as words of their own:
//! alone, in a `traceparent`, in JSON, in what a program printed. Other hexadecimal numbers stay.

use std::ops::Range;

use super::ids::NewIds;
use crate::capture::Capture;
use crate::model::{Attribute, Value};

/// Digits of a span id, and of a trace id.
const SPAN: usize = 16;
const TRACE: usize = 32;

/// The ids of all spans of a capture, and of their parents.
#[derive(Clone, Debug, Default)]
pub struct KnownIds {
    traces: Vec<u128>,
    spans: Vec<u64>,
}

impl KnownIds {
    /// Reads them off.
    pub fn of(capture: &Capture) -> Self {
        let heads = || capture.spans().map(|span| capture.head(span));
        let mut known = Self {
            traces: heads().map(|head| head.trace.0).collect(),
            spans: heads().flat_map(|head| [head.id.0, head.parent.0]).collect(),
        };
        known.traces.sort_unstable();
        known.traces.dedup();
        known.spans.sort_unstable();
        known.spans.dedup();
        known
    }

    fn has_trace(&self, id: u128) -> bool {
        self.traces.binary_search(&id).is_ok()
    }

    fn has_span(&self, id: u64) -> bool {
        self.spans.binary_search(&id).is_ok()
    }
}

/// Renews ids in texts.
pub(super) struct Renewal<'r> {
    pub(super) ids: &'r NewIds,
    /// Those of the capture, where it was read before.
    pub(super) known: Option<&'r KnownIds>,
    /// Those that the span itself says.
    pub(super) own: KnownIds,
}

impl Renewal<'_> {
    /// The text with old ids renewed, if there are any. `all`: every id in it is one, for its name says so.
    pub(super) fn text(&self, text: &str, all: bool) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for range in words(text.as_bytes()) {
            let Some(new) = text.get(range.clone()).and_then(|word| self.word(word, all)) else { continue };
            out.push_str(text.get(done..range.start).unwrap_or_default());
            out.push_str(&new);
            done = range.end;
        }
        (done > 0).then(|| {
            out.push_str(text.get(done..).unwrap_or_default());
            out
        })
    }

    fn word(&self, word: &str, all: bool) -> Option<String> {
        let upper = word.bytes().any(|byte| byte.is_ascii_uppercase());
        let new = match word.len() {
            TRACE => {
                let id = u128::from_str_radix(word, 16).ok()?;
                let old = all || self.own.has_trace(id) || self.known.is_some_and(|known| known.has_trace(id));
                format!("{:032x}", self.ids.trace(Some(id).filter(|id| old && *id != 0)?))
            }
            _ => {
                let id = u64::from_str_radix(word, 16).ok()?;
                let old = all || self.own.has_span(id) || self.known.is_some_and(|known| known.has_span(id));
                format!("{:016x}", self.ids.span(Some(id).filter(|id| old && *id != 0)?))
            }
        };
        Some(if upper { new.to_ascii_uppercase() } else { new })
    }

    /// Renews ids in all texts of a value; whether there were any.
    pub(super) fn value(&self, value: &mut Value, all: bool) -> bool {
        match value {
            Value::String(text) => self.text(text, all).is_some_and(|new| {
                *text = new;
                true
            }),
            Value::Array(values) => values.iter_mut().fold(false, |any, value| self.value(value, all) | any),
            Value::Map(members) => members
                .iter_mut()
                .fold(false, |any, Attribute { key, value }| self.value(value, all || carries_id(key)) | any),
            Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => false,
        }
    }
}

impl KnownIds {
    /// These ids.
    pub(super) fn these(traces: impl Iterator<Item = u128>, spans: impl Iterator<Item = u64>) -> Self {
        let (mut traces, mut spans): (Vec<u128>, Vec<u64>) = (traces.collect(), spans.collect());
        traces.sort_unstable();
        spans.sort_unstable();
        Self { traces, spans }
    }
}

/// Last words of the names of attributes that carry ids, without their separators.
const ID_KEYS: [&str; 4] = ["traceid", "spanid", "parentid", "traceparent"];

/// Whether what stands under this name is an id.
pub(super) fn carries_id(key: &str) -> bool {
    let folded = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ID_KEYS.iter().any(|word| folded.ends_with(word))
}

/// Whether there may be an id in these bytes of a text, escaped or not.
pub(super) fn may_hold(bytes: &[u8]) -> bool {
    runs(bytes).next().is_some()
}

/// Words of as many hexadecimal digits as ids have.
fn words(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    runs(bytes).filter(|run| matches!(run.len(), SPAN | TRACE))
}

/// Runs of hexadecimal digits that are not shorter than an id: every sixteenth byte is looked at, and what is around it where that is
/// one.
fn runs(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut at = SPAN - 1;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            if !is_digit(at) {
                at += SPAN;
                continue;
            }
            let start = at - (1..=at).take_while(|back| is_digit(at - back)).count();
            let end = (at..).find(|place| !is_digit(*place)).unwrap_or(bytes.len());
            at = end + SPAN;
            if end - start >= SPAN {
                return Some(start..end);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn renewed(text: &str, all: bool) -> String {
        let ids = NewIds::new(1, 0);
        let own = KnownIds::these(
            [0x1111_2222_3333_4444_5555_6666_7777_8888].into_iter(),
            [0xaaaa_bbbb_cccc_dddd].into_iter(),
        );
        let text = Renewal { ids: &ids, known: None, own }.text(text, all).unwrap_or_else(|| text.to_owned());
        let trace = format!("{:032x}", ids.trace(0x1111_2222_3333_4444_5555_6666_7777_8888));
        let span = format!("{:016x}", ids.span(0xaaaa_bbbb_cccc_dddd));
        let text = text.replace(&trace, "TRACE").replace(&span, "SPAN");
        text.replace(&trace.to_uppercase(), "UPPER").replace(&span.to_uppercase(), "UPPER")
    }

    #[test]
    fn known_ids_are_renewed_where_they_are_words() {
        let (trace, span) = ("11112222333344445555666677778888", "aaaabbbbccccdddd");
        for (text, wanted) in [
            (
                format!("_Span(context=SpanContext(trace_id=0x{trace}, span_id=0x{span}))"),
                "_Span(context=SpanContext(trace_id=0xTRACE, span_id=0xSPAN))",
            ),
            (format!("00-{trace}-{span}-01"), "00-TRACE-SPAN-01"),
            (format!("{trace}-{span}-1-{span}"), "TRACE-SPAN-1-SPAN"),
            (format!("{{\"id\":\"{{\\\"t\\\":\\\"{trace}\\\"}}\"}}"), "{\"id\":\"{\\\"t\\\":\\\"TRACE\\\"}\"}"),
            (format!("{} {}", trace.to_uppercase(), span.to_uppercase()), "TRACE UPPER"),
            (
                format!("{trace}0 f{span} {} 0000000000000000", &trace[1..]),
                &format!("{trace}0 f{span} {} 0000000000000000", &trace[1..]),
            ),
        ] {
            assert_eq!(renewed(&text, false), wanted, "{text}");
        }
        assert_ne!(renewed("bbbbbbbbbbbbbbbb", true), "bbbbbbbbbbbbbbbb");
        assert_eq!(
            renewed("bbbbbbbbbbbbbbbb d41d8cd98f00b204e9800998ecf8427e", false),
            "bbbbbbbbbbbbbbbb d41d8cd98f00b204e9800998ecf8427e"
        );
    }

    proptest! {
        #[test]
        fn runs_are_found_as_if_every_byte_were_looked_at(text in "[0-9a-f ]{0,120}") {
            let mut slow = Vec::new();
            let mut from = 0;
            for word in text.split(' ') {
                if word.len() >= SPAN {
                    slow.push(from..from + word.len());
                }
                from += word.len() + 1;
            }
            prop_assert_eq!(runs(text.as_bytes()).collect::<Vec<_>>(), slow);
        }
    }
}

//! The values a span has for the fields of the neutral model, of all conventions the one to believe.
//!
//! Comes in: a span in place. Goes out: values in place, one a field; nothing is decoded.

use std::borrow::Cow;

use super::conventions::{Convention, Field, INDEX, Read, marked};
use super::scan;
use crate::model::Value;
use crate::otlp::{RawSpan, RawValue};

#[derive(Clone, Copy)]
struct Found<'a> {
    rank: u16,
    read: Read,
    value: RawValue<'a>,
}

/// What was found, by field.
pub(super) struct Gathered<'a> {
    found: [Option<Found<'a>>; Field::COUNT],
    /// The convention that a key proved.
    pub(super) convention: Option<Convention>,
    /// Its `ai.operationId`, whose last part says whether it streams.
    pub(super) streams: bool,
}

/// Goes through the attributes of a span once.
pub(super) fn gather<'a>(span: &RawSpan<'a>) -> Gathered<'a> {
    let mut all = Gathered { found: [None; Field::COUNT], convention: None, streams: false };
    for attribute in span.attributes() {
        let key = attribute.key.raw;
        for meaning in INDEX.meanings(key) {
            let Some(slot) = all.found.get_mut(meaning.field as usize) else { continue };
            // Where a key repeats, the last one counts. What cannot be read must not hide the next source.
            let found = Found { rank: meaning.rank, read: meaning.read, value: attribute.value };
            if slot.is_none_or(|old| meaning.rank <= old.rank) && found.says(meaning.field) {
                *slot = Some(found);
            }
        }
        if let Some(convention) = marked(key) {
            all.convention = Some(all.convention.map_or(convention, |old| more_telling(old, convention)));
            all.streams |=
                key == b"ai.operationId" && attribute.value.text().is_some_and(|t| t.raw.ends_with(b"doStream"));
        }
    }
    all
}

/// Of two conventions the one that says more: many write OpenTelemetry's names besides their own.
fn more_telling(a: Convention, b: Convention) -> Convention {
    const ORDER: [Convention; 8] = [
        Convention::Langfuse,
        Convention::Vercel,
        Convention::OpenInference,
        Convention::OpenLlmetry,
        Convention::Adk,
        Convention::Sentry,
        Convention::Letta,
        Convention::OtelGenAi,
    ];
    ORDER.into_iter().find(|convention| *convention == a || *convention == b).unwrap_or(a)
}

impl<'a> Found<'a> {
    /// Whether it says anything, read as what the field holds.
    fn says(&self, field: Field) -> bool {
        match (&self.value, self.read) {
            (RawValue::Empty, _) => false,
            _ if field.is_count() => self.count().is_some(),
            _ if field.is_amount() => self.amount().is_some(),
            (_, Read::Member(_)) => self.text().is_some(),
            (RawValue::Text(text), _) => !text.is_empty(),
            _ => true,
        }
    }

    /// As text; anything but text as it is shown everywhere.
    fn text(&self) -> Option<Cow<'a, str>> {
        let text = match &self.value {
            RawValue::Text(text) => text.decode(),
            other => Cow::Owned(other.decode().to_string()),
        };
        match self.read {
            Read::Member(name) => scan::plain(scan::member(&text, name)?).map(|text| Cow::Owned(text.into_owned())),
            _ => Some(text),
        }
    }

    /// As a number of tokens or the like, never negative; a fraction is rounded.
    fn count(&self) -> Option<u64> {
        match (&self.value, self.read) {
            (RawValue::Int(count), Read::Plain) => u64::try_from(*count).ok().filter(|count| *count < MOST),
            (RawValue::Double(count), Read::Plain) => whole(*count),
            (RawValue::Bool(_), _) => None,
            _ => count(&self.text()?),
        }
    }

    /// As an amount of money.
    fn amount(&self) -> Option<f64> {
        match (&self.value, self.read) {
            (RawValue::Double(dollars), Read::Plain) => is_amount(*dollars).then_some(*dollars),
            _ => amount(&self.text()?),
        }
    }
}

/// An amount of money that is written down.
pub(super) fn amount(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|dollars| is_amount(*dollars))
}

/// Whether one call may have cost so much: never less than nothing, and no call costs a billion.
fn is_amount(dollars: f64) -> bool {
    (0.0..1e9).contains(&dollars)
}

/// No span took so many tokens.
const MOST: u64 = 1_000_000_000_000;

/// A number of tokens or the like that is written down.
pub(super) fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.parse() {
        Ok(count) => Some(count).filter(|count| *count < MOST),
        Err(_) => whole(text.parse().ok()?),
    }
}

/// The nearest whole number.
fn whole(number: f64) -> Option<u64> {
    (0.0..MOST as f64).contains(&number).then(|| number.round() as u64)
}

impl<'a> Gathered<'a> {
    fn get(&self, field: Field) -> Option<&Found<'a>> {
        self.found.get(field as usize).and_then(Option::as_ref)
    }

    /// Whether anything is said about it.
    pub(super) fn has(&self, field: Field) -> bool {
        self.get(field).is_some()
    }

    /// The value in place.
    pub(super) fn value(&self, field: Field) -> Option<&RawValue<'a>> {
        self.get(field).map(|found| &found.value)
    }

    /// As text; anything but text as it is shown everywhere.
    pub(super) fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        self.get(field)?.text()
    }

    /// As text that is a name: empty where nothing says it, and Python's `None` is nothing.
    pub(super) fn name(&self, field: Field) -> Cow<'a, str> {
        self.text(field).filter(|text| text != "None").unwrap_or_default()
    }

    /// As a number of tokens or the like.
    pub(super) fn count(&self, field: Field) -> Option<u64> {
        self.get(field)?.count()
    }

    /// As an amount of money.
    pub(super) fn amount(&self, field: Field) -> Option<f64> {
        self.get(field)?.amount()
    }

    /// As yes or no.
    pub(super) fn flag(&self, field: Field) -> Option<bool> {
        match self.get(field)?.value {
            RawValue::Bool(flag) => Some(flag),
            _ => match &*self.text(field)?.to_ascii_lowercase() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
        }
    }

    /// As nanoseconds since `start`.
    pub(super) fn wait(&self, field: Field, start: u64) -> Option<u64> {
        let found = self.get(field)?;
        let scale = match found.read {
            Read::Seconds => 1e9,
            Read::Millis => 1e6,
            Read::Instant => return since(self.text(field)?.trim_matches('"'), start),
            _ => 1.0,
        };
        let number = match found.value {
            RawValue::Int(number) => number as f64,
            RawValue::Double(number) => number,
            _ => self.text(field)?.trim().parse().ok()?,
        };
        let nanos = number * scale;
        (nanos.is_finite() && (0.0..9e18).contains(&nanos)).then_some(nanos as u64)
    }

    /// As a list of names.
    pub(super) fn list(&self, field: Field) -> Vec<Cow<'a, str>> {
        let Some(found) = self.get(field) else { return Vec::new() };
        if !matches!(found.value, RawValue::Nested(_)) {
            let text = self.text(field).unwrap_or_default();
            let listed = text.starts_with('[').then(|| serde_json::from_str::<Vec<String>>(&text).ok()).flatten();
            return listed.map_or_else(|| vec![text], |items| items.into_iter().map(Cow::Owned).collect());
        }
        match found.value.decode() {
            Value::Array(items) => items.iter().map(|item| Cow::Owned(item.to_string())).collect(),
            other => vec![Cow::Owned(other.to_string())],
        }
    }
}

/// Nanoseconds from `start` to a moment.
fn since(moment: &str, start: u64) -> Option<u64> {
    let moment: jiff::Timestamp = moment.parse().ok()?;
    u64::try_from(moment.as_nanosecond()).ok()?.checked_sub(start)
}

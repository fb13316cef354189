//! Walks over tables of a parsed configuration and remembers where things stand.
//!
//! Comes in: tables and values. Goes out: plain values, or what is wrong and at which byte.

use toml::de::{DeTable, DeValue};

use super::nearest::{meant, nearest};
use crate::model::ByteSize;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The byte at which it stands.
    pub(super) at: usize,
    /// What it is.
    pub(super) what: String,
}

impl Wrong {
    /// Something wrong.
    pub(super) fn new(at: usize, what: impl ToString) -> Self {
        Self { at, what: what.to_string() }
    }

    /// A value of the wrong kind.
    pub(super) fn kind(key: &str, at: usize, wanted: &str) -> Self {
        Self::new(at, format_args!("'{key}' has to be {wanted}"))
    }
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'t> {
    /// The table.
    pub(super) table: &'t DeTable<'t>,
}

impl<'t> Walk<'t> {
    /// Visits every entry; a key that is not among the known ones is wrong.
    pub(super) fn each(
        &self,
        known: &[&str],
        mut visit: impl FnMut(&str, &'t DeValue<'t>, usize) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.all(|key, value, at| {
            if known.contains(&key) {
                return visit(key, value, at);
            }
            let meant = meant(nearest(key, known.iter().copied()));
            Err(Wrong::new(at, format_args!("there is no setting '{key}' here{meant}")))
        })
    }

    /// Visits every entry.
    pub(super) fn all(
        &self,
        mut visit: impl FnMut(&str, &'t DeValue<'t>, usize) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        self.table.iter().try_for_each(|(key, value)| visit(key.get_ref(), value.get_ref(), key.span().start))
    }

    /// One of these words.
    pub(super) fn choice(
        key: &str,
        value: &DeValue<'_>,
        at: usize,
        words: &[&'static str],
    ) -> Result<&'static str, Wrong> {
        let text = text(key, value, at)?;
        words.iter().copied().find(|word| *word == text).ok_or_else(|| {
            let (list, meant) = (words.join(", "), meant(nearest(text, words.iter().copied())));
            Wrong::new(at, format_args!("'{key}' is one of {list}, not '{text}'{meant}"))
        })
    }
}

/// A text.
pub(super) fn text<'v>(key: &str, value: &'v DeValue<'_>, at: usize) -> Result<&'v str, Wrong> {
    match value {
        DeValue::String(text) => Ok(text),
        _ => Err(Wrong::kind(key, at, "a text")),
    }
}

/// A text, or a list of texts.
pub(super) fn texts(key: &str, value: &DeValue<'_>, at: usize) -> Result<Vec<String>, Wrong> {
    match value {
        DeValue::String(text) => Ok(vec![text.to_string()]),
        DeValue::Array(items) => {
            items.iter().map(|item| text(key, item.get_ref(), item.span().start).map(str::to_owned)).collect()
        }
        _ => Err(Wrong::kind(key, at, "a text or a list of texts")),
    }
}

/// A whole number, or a size like `16KiB`.
pub(super) fn number(key: &str, value: &DeValue<'_>, at: usize) -> Result<u64, Wrong> {
    let number = match value {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
        DeValue::String(text) => text.parse::<ByteSize>().ok().map(|size| size.0),
        _ => None,
    };
    number.ok_or_else(|| Wrong::kind(key, at, "a whole number, or a size like 16KiB"))
}

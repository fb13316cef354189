//! What a span wants to reach, whatever kind of call it is.
//!
//! Comes in: a span in place. Goes out: a fingerprint.

use std::sync::LazyLock;

use super::conventions::{Field, TABLES};
use super::fingerprint;
use crate::otlp::{RawSpan, RawValue};

/// Keys of places, in the order in which they are believed, and behind them those of arguments.
static KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let of = |field| {
        TABLES.iter().flat_map(|table| table.entries).filter(move |entry| entry.1 == field).map(|entry| entry.0)
    };
    of(Field::Place).chain(of(Field::Arguments)).collect()
});

/// Which slots such keys fall into: nearly every other key is told from them by its own.
static SLOTS: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut slots = [false; 256];
    KEYS.iter().for_each(|key| slots[usize::from(slot(key.as_bytes()))] = true);
    slots
});

fn slot(key: &[u8]) -> u8 {
    match key {
        [first, .., last] => (key.len() as u8).wrapping_mul(31) ^ *first ^ last.wrapping_mul(5),
        _ => 0,
    }
}

/// A fingerprint of what a span wanted to reach: its URL, statement, server, queue or arguments; `None` where nothing says it.
pub fn target(span: &RawSpan<'_>) -> Option<u64> {
    let (keys, slots) = (&*KEYS, &*SLOTS);
    let mut best: Option<(usize, &RawValue<'_>)> = None;
    for attribute in span.attributes() {
        let key = attribute.key.raw;
        if !slots[usize::from(slot(key))] {
            continue;
        }
        // Where a key repeats, the last one counts.
        let rank = keys.iter().position(|known| known.as_bytes() == key);
        if let Some(rank) = rank.filter(|rank| best.is_none_or(|(old, _)| *rank <= old) && says(&attribute.value)) {
            best = Some((rank, &attribute.value));
        }
    }
    best.map(|(_, value)| match value {
        RawValue::Text(text) => fingerprint::of(&text.decode()),
        other => fingerprint::of(&other.decode().to_string()),
    })
}

fn says(value: &RawValue<'_>) -> bool {
    match value {
        RawValue::Empty => false,
        RawValue::Text(text) => !text.is_empty(),
        _ => true,
    }
}

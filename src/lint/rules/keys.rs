//! The attribute keys that rules are about, found by one look at each key of a span.
//!
//! Comes in: a key in place. Goes out: what rules want to know of it; nothing for nearly every key. Built once from the lists of
//! the rules themselves.

use std::sync::LazyLock;

use super::bud007_truncated_value::TRUNCATED;
use super::err005_status_contradiction::KEYS as STATUS;
use super::gen002_inconsistent_usage::{COUNTS, Count, MESSAGES};
use super::renames::RENAMES;
use super::sec003_credential_in_url::URLS;
use super::sem002_wrong_type::{TYPES, Type};
use super::sem004_missing_required::{KeySet, required_keys};
use crate::lint::hints::Hints;
use crate::lint::talk::KEYS as RECORDS;

/// What rules want to know of a key.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::lint) struct KeyFacts {
    /// The key itself.
    pub(in crate::lint) key: &'static str,
    /// Since which minor version of the conventions it has another name; zero where the schema file does not say.
    pub(in crate::lint) renamed: Option<u8>,
    /// The type its value has.
    pub(in crate::lint) wanted: Option<Type>,
    /// Which tokens it counts, and how late it is believed where several keys count the same.
    pub(in crate::lint) count: Option<(Count, u8)>,
    /// The key among those that conventions require or that tell what a span is.
    pub(in crate::lint) required: KeySet,
    /// What a span with such a key has to be looked at for.
    pub(in crate::lint) hints: Hints,
}

struct Row {
    print: u64,
    facts: KeyFacts,
}

/// How many slots there are: many times as many as rows, so that a look mostly ends at the first.
const SLOTS: usize = 1 << 11;

struct Table {
    rows: Vec<Row>,
    /// The place of a row and one more; zero for none.
    slots: Box<[u16]>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// What rules want to know of a key with this fingerprint.
#[inline]
pub(in crate::lint) fn facts(print: u64, key: &[u8]) -> Option<&'static KeyFacts> {
    TABLE.row(print, key).map(|row| &row.facts)
}

/// A number for a key; different keys seldom have the same.
#[inline]
pub(in crate::lint) fn fingerprint(key: &[u8]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |print: u64, word: u64| (print.rotate_left(5) ^ word).wrapping_mul(MIX);
    let (words, rest) = key.as_chunks::<8>();
    let print = words.iter().fold(key.len() as u64, |print, word| fold(print, u64::from_le_bytes(*word)));
    let print = match key.last_chunk::<8>() {
        // What is left over is looked at together with what is before it.
        Some(last) => fold(print, u64::from_le_bytes(*last)),
        None => rest.iter().fold(print, |print, byte| print << 8 ^ u64::from(*byte)),
    };
    print.wrapping_mul(MIX) >> 32
}

impl Table {
    fn new() -> Self {
        let mut table = Self { rows: Vec::new(), slots: vec![0; SLOTS].into_boxed_slice() };
        for rename in RENAMES {
            table.of(rename.from).renamed = Some(rename.since);
        }
        for (key, wanted) in TYPES {
            table.of(key).wanted = Some(wanted);
        }
        for (count, keys) in COUNTS {
            for (rank, key) in (0u8..).zip(keys) {
                table.of(key).count = Some((count, rank));
            }
        }
        let hinted = [
            (&MESSAGES[..], Hints::default()),
            (&STATUS[..], Hints::STATUS),
            (&URLS[..], Hints::URL),
            (&[TRUNCATED][..], Hints::CUT),
            (&RECORDS[..], Hints::MESSAGES),
        ];
        for (keys, hints) in hinted {
            keys.iter().for_each(|key| table.of(key).hints.add(hints));
        }
        required_keys().for_each(|key| table.of(key).required = KeySet::one(key));
        for row in &mut table.rows {
            let facts = &mut row.facts;
            facts.hints.key(facts.key.as_bytes());
            let hints = [
                (facts.renamed.is_some(), Hints::RENAMED),
                (facts.wanted.is_some(), Hints::TYPED),
                (facts.count.is_some(), Hints::COUNTS),
            ];
            hints.into_iter().filter(|(is, _)| *is).for_each(|(_, hint)| facts.hints.add(hint));
        }
        table
    }

    fn row(&self, print: u64, key: &[u8]) -> Option<&Row> {
        let mut slot = print as usize % SLOTS;
        loop {
            let at = usize::from(*self.slots.get(slot)?).checked_sub(1)?;
            let row = self.rows.get(at)?;
            if row.print == print && row.facts.key.as_bytes() == key {
                return Some(row);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// The facts of a key, which is in the table from now on.
    fn of(&mut self, key: &'static str) -> &mut KeyFacts {
        let at = match self.rows.iter().position(|row| row.facts.key == key) {
            Some(at) => at,
            None => {
                let print = fingerprint(key.as_bytes());
                self.rows.push(Row { print, facts: KeyFacts { key, ..KeyFacts::default() } });
                let mut slot = print as usize % SLOTS;
                while self.slots[slot] != 0 {
                    slot = (slot + 1) % SLOTS;
                }
                self.slots[slot] = u16::try_from(self.rows.len()).unwrap_or(0);
                self.rows.len() - 1
            }
        };
        &mut self.rows[at].facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        let table = &*TABLE;
        assert!(table.rows.len() < SLOTS / 4);
        for row in &table.rows {
            let key = row.facts.key.as_bytes();
            let found = table.row(fingerprint(key), key).unwrap();
            assert_eq!(found.facts.key, row.facts.key);
        }
        for other in ["", "x", "http.metho", "gen_ai.usage.input_tokensx", "parameter.url.full"] {
            assert!(facts(fingerprint(other.as_bytes()), other.as_bytes()).is_none(), "{other}");
        }
        let method = facts(fingerprint(b"http.method"), b"http.method").unwrap();
        assert_eq!((method.renamed, method.wanted), (Some(21), Some(Type::Text)));
    }
}

//! A dictionary of texts, each kept once and known by its number.
//!
//! Comes in: names as they lie in the input. Goes out: numbers, in the order of first use. Names are cut at 1 KiB: what is
//! longer is no name, and must not be able to fill the memory.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::otlp::Text;

const MAX_NAME: usize = 1024;
/// Beyond this many bytes of different names, new ones share one number.
const MAX_TEXT: usize = 1 << 30;
const TOO_MANY: &str = "(too many different names)";

/// The dictionary. Number 0 is the empty text.
#[derive(Clone, Debug)]
pub(super) struct Names {
    text: String,
    /// Where each name ends; it begins where the one before ends.
    ends: Vec<u32>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self {
            text: String::new(),
            ends: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        };
        names.intern_str("");
        names
    }
}

impl Names {
    /// Forgets all names but the empty one.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.table.clear();
        self.intern_str("");
    }

    pub(super) fn get(&self, number: u32) -> &str {
        range(&self.ends, number).and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    /// All names with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..self.ends.len() as u32).map(|number| (number, self.get(number)))
    }

    /// The number of a text that stands in the input.
    #[inline]
    pub(super) fn intern(&mut self, text: &Text<'_>) -> u32 {
        if !text.escaped && text.raw.len() <= MAX_NAME {
            let hash = self.hasher.hash_one(text.raw);
            if let Some(number) = self.find(hash, text.raw) {
                return number;
            }
        }
        self.intern_str(&text.decode())
    }

    /// The number of a text.
    pub(super) fn intern_str(&mut self, text: &str) -> u32 {
        let cut = match text.char_indices().find(|(at, c)| at + c.len_utf8() > MAX_NAME - '…'.len_utf8()) {
            Some((at, _)) if text.len() > MAX_NAME => format!("{}…", text.get(..at).unwrap_or_default()),
            _ => String::new(),
        };
        let text = if cut.is_empty() { text } else { &cut };
        let hash = self.hasher.hash_one(text.as_bytes());
        if let Some(number) = self.find(hash, text.as_bytes()) {
            return number;
        }
        if self.text.len() + text.len() > MAX_TEXT && text != TOO_MANY {
            return self.intern_str(TOO_MANY);
        }
        let number = self.ends.len() as u32;
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        let (ends, all, hasher) = (&self.ends, &self.text, &self.hasher);
        self.table.insert_unique(hash, number, |&number| {
            hasher.hash_one(range(ends, number).and_then(|range| all.as_bytes().get(range)).unwrap_or_default())
        });
        number
    }

    #[inline]
    fn find(&self, hash: u64, text: &[u8]) -> Option<u32> {
        let all = self.text.as_bytes();
        let is = |number: &u32| range(&self.ends, *number).and_then(|range| all.get(range)) == Some(text);
        self.table.find(hash, is).copied()
    }
}

fn range(ends: &[u32], number: u32) -> Option<std::ops::Range<usize>> {
    let end = *ends.get(number as usize)?;
    let start = number.checked_sub(1).and_then(|before| ends.get(before as usize)).copied().unwrap_or(0);
    Some(start as usize..end as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_number() {
        let mut names = Names::default();
        let plain = names.intern(&Text::plain("né".as_bytes()));
        assert_eq!(names.intern(&Text::json(br"n\u00e9", true)), plain);
        assert_eq!(names.intern_str(""), 0);
        assert_eq!(names.get(plain), "né");
        assert_ne!(names.intern(&Text::plain(b"x\xff")), plain);
        assert_eq!(names.iter().count(), 3);
        names.clear();
        assert_eq!(names.iter().collect::<Vec<_>>(), [(0, "")]);
    }

    #[test]
    fn a_name_is_cut_at_a_kibibyte() {
        let mut names = Names::default();
        let number = names.intern_str(&"é".repeat(5000));
        assert!(names.get(number).len() <= MAX_NAME && names.get(number).ends_with('…'));
        let exact = "x".repeat(MAX_NAME);
        let number = names.intern_str(&exact);
        assert_eq!(names.get(number), exact);
    }
}

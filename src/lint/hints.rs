//! One pass over a span's attributes for all rules that look at only a few of them.
//!
//! Comes in: a span in place. Goes out: which kinds of keys and values are there, and the attributes whose keys rules know; a hint
//! that is not given proves that nothing is there, one that is given proves nothing. Whole values are never looked at.

use std::sync::LazyLock;

use aho_corasick::{Span, packed};

use super::rules::{KeyFacts, facts, fingerprint};
use crate::otlp::{RawAttribute, RawSpan, RawValue};
use crate::redact::may_be_secret;

/// What may be found in a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints(u32);

/// The attributes of a span whose keys rules know, by their places in its pool.
pub(super) type Known = Vec<(u32, &'static KeyFacts)>;

/// A text of so many bytes is a large one.
pub(super) const LARGE_BYTES: usize = 2048;
/// A text of fewer bytes holds no list of numbers worth a word.
pub(super) const FLOATS_BYTES: usize = 64;

impl Hints {
    /// One list may have a key twice.
    pub const DOUBLED: Self = Self(1);
    /// A key may name a secret.
    pub const SECRET_KEY: Self = Self(1 << 1);
    /// A key may be that of a header.
    pub const HEADER: Self = Self(1 << 2);
    /// A key is that of a URL.
    pub const URL: Self = Self(1 << 3);
    /// A key begins with `db.`.
    pub const DB: Self = Self(1 << 4);
    /// A key begins with `messaging.`.
    pub const MESSAGING: Self = Self(1 << 5);
    /// A key begins with `gen_ai.`.
    pub const GEN_AI: Self = Self(1 << 6);
    /// A text is large.
    pub const LARGE: Self = Self(1 << 7);
    /// A value may be a list of numbers, or hold one.
    pub const NUMBERS: Self = Self(1 << 8);
    /// A value may stand for one that could not be printed.
    pub const UNPRINTED: Self = Self(1 << 9);
    /// A value may have been cut.
    pub const CUT: Self = Self(1 << 10);
    /// A value may hold a data URL.
    pub const DATA_URL: Self = Self(1 << 11);
    /// A key begins with `parameter.`.
    pub const PARAMETER: Self = Self(1 << 12);
    /// A key begins with `http.` or `url.`.
    pub const HTTP: Self = Self(1 << 13);
    /// A key has a new name.
    pub const RENAMED: Self = Self(1 << 14);
    /// The type of a key's value is known.
    pub const TYPED: Self = Self(1 << 15);
    /// A key counts tokens.
    pub const COUNTS: Self = Self(1 << 16);
    /// A key says how the span ended.
    pub const STATUS: Self = Self(1 << 17);
    /// A key is that of messages that have a schema.
    pub const MESSAGES: Self = Self(1 << 19);
    /// There may be a secret.
    pub const SECRET: Self = Self(1 << 18);

    /// Whether any of the given hints is given.
    #[inline]
    pub fn has(self, hints: Self) -> bool {
        self.0 & hints.0 != 0
    }

    #[inline]
    pub(super) fn add(&mut self, hints: Self) {
        self.0 |= hints.0;
    }

    /// Looks at a span. `known` is filled with the attributes whose keys rules know, `doubled` with those whose keys may be there twice.
    pub(super) fn of(span: &RawSpan<'_>, known: &mut Known, doubled: &mut Vec<u32>) -> Self {
        let mut hints = Self::default();
        known.clear();
        doubled.clear();
        hints.list(span.attributes(), span.own.start, known, doubled);
        for event in span.events.iter().filter(|event| !event.attributes.is_empty()) {
            hints.list(span.pooled(&event.attributes), event.attributes.start, known, doubled);
        }
        for link in span.links.iter().filter(|link| !link.attributes.is_empty()) {
            hints.list(span.pooled(&link.attributes), link.attributes.start, known, doubled);
        }
        hints.telltales(span.raw);
        hints
    }

    /// Looks at one list of attributes, which begins at this place of the pool.
    fn list(&mut self, attributes: &[RawAttribute<'_>], begin: usize, known: &mut Known, doubled: &mut Vec<u32>) {
        let mut seen = [0u64; 16];
        for (place, attribute) in (begin as u32..).zip(attributes) {
            let key = attribute.key.raw;
            let print = fingerprint(key);
            let (word, bit) = ((print >> 6) as usize & 15, 1 << (print & 63));
            if seen[word] & bit != 0 || attribute.key.escaped {
                self.add(Self::DOUBLED);
                doubled.push(place);
            }
            seen[word] |= bit;
            match facts(print, key) {
                Some(facts) => {
                    self.add(facts.hints);
                    known.push((place, facts));
                }
                None => self.key(key),
            }
            match &attribute.value {
                RawValue::Text(text) if text.raw.len() >= FLOATS_BYTES => self.text(text.raw),
                RawValue::Nested(nested) if nested.raw.len() >= FLOATS_BYTES => {
                    self.add(Self::NUMBERS);
                    if nested.raw.len() >= LARGE_BYTES {
                        self.add(Self::LARGE);
                    }
                }
                _ => {}
            }
        }
    }

    /// Looks at the beginning and the end of a text that is long enough to hold a list of numbers.
    #[inline]
    fn text(&mut self, text: &[u8]) {
        if text.len() >= LARGE_BYTES {
            self.add(Self::LARGE);
        }
        if let [b'{' | b'[', ..] = text {
            self.add(Self::NUMBERS);
        }
    }

    /// Looks at a key.
    #[inline]
    pub(super) fn key(&mut self, key: &[u8]) {
        match key {
            [b'd', b'b', b'.', ..] => self.add(Self::DB),
            [b'g', b'e', b'n', b'_', ..] => self.add(Self::GEN_AI),
            [b'm', b'e', b's', b's', ..] => self.add(Self::MESSAGING),
            [b'u', b'r', b'l', ..] => self.add(Self::HTTP),
            [b'h', b't', b't', b'p', b'.', b'r', ..] => self.add(Self::HTTP.with(Self::HEADER)),
            [b'h', b't', b't', b'p', b'.', ..] => self.add(Self::HTTP),
            [b'p', b'a', b'r', b'a', b'm', ..] => self.add(Self::PARAMETER),
            _ => {}
        }
        if may_name_a_secret(key) {
            self.add(Self::SECRET_KEY);
        }
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Looks for words that tell of something, in all bytes of the span at once.
    fn telltales(&mut self, raw: &[u8]) {
        let Some(search) = SEARCH.as_ref().filter(|search| raw.len() >= search.minimum_len()) else {
            return self
                .add([Self::UNPRINTED, Self::CUT, Self::DATA_URL, Self::SECRET].into_iter().fold(*self, Self::with));
        };
        let mut from = 0;
        while let Some(found) = search.find_in(raw, Span::from(from..raw.len())) {
            from = found.start() + 1;
            let behind = raw.get(found.end()..).unwrap_or_default();
            match WORDS.as_flattened().get(found.pattern().as_usize()) {
                Some(&OBJECT) if behind.starts_with(b"at 0x") || behind.starts_with(b"Object]") => {
                    self.add(Self::UNPRINTED)
                }
                Some(&ITEMS) if behind.starts_with(b">") || behind.starts_with(b"\\u003e") => self.add(Self::UNPRINTED),
                Some(&FAILED) => self.add(Self::UNPRINTED),
                Some(&TRUNCATED) => self.add(Self::CUT),
                Some(&BASE64) => self.add(Self::DATA_URL),
                Some(&OBJECT | &ITEMS) => {}
                _ if !self.has(Self::SECRET) && may_be_secret(raw, found.start()) => self.add(Self::SECRET),
                _ => {}
            }
        }
    }
}

/// Whether a key ends like the name of a secret does, in lower or upper case. Counts of tokens (`max_tokens`, `maxTokens`) do not.
#[inline]
pub(super) fn may_name_a_secret(key: &[u8]) -> bool {
    let stem = match key {
        [stem @ .., b's' | b'S'] => stem,
        _ => key,
    };
    let ends = |word: &[u8]| {
        stem.len()
            .checked_sub(word.len())
            .and_then(|from| stem.get(from..))
            .is_some_and(|end| end.eq_ignore_ascii_case(word))
    };
    match stem.last().map(|byte| byte | 0x20) {
        Some(b'd') => ends(b"password") || ends(b"passwd"),
        Some(b't') => ends(b"secret"),
        Some(b'n') => {
            ends(b"token")
                && !matches!(key, [.., b'_', _, _, _, _, _, b's' | b'S'] | [.., b'a'..=b'z', b'T', _, _, _, _, b's'])
        }
        Some(b'l') => ends(b"credential"),
        Some(b'y') => ends(b"key"),
        _ => false,
    }
}

/// ` object at 0x`, `[object Object]`.
const OBJECT: &str = "object ";
/// ` items>`, which some write with an escape.
const ITEMS: &str = " items";
/// `serialization failed:`.
const FAILED: &str = "zation failed:";
const TRUNCATED: &str = "(truncated, original";
const BASE64: &str = ";base64,";

/// Words that tell of something, wherever they stand, and the stems of all secrets. They are as few as one search takes, and in the
/// order in which it is the fastest: those of a column look alike to it, and every place that looks like one of them costs a look.
const WORDS: [[&str; 8]; 4] = [
    [OBJECT, ITEMS, FAILED, TRUNCATED, BASE64, "pk-lf-", "AKIA", "ASIA"],
    ["ABIA", "ACCA", "AIza", "ya29.", "ghp_", "gho_", "ghu_", "ghs_"],
    ["ghr_", "github_pat_", "glpat-", "rk_live_", "sk_", "hf_", "r8_", "npm_"],
    ["dop_v1_", "nvapi-", "sk-", "xox", "lsv2_", "eyJ", "-----BEGIN ", "://"],
];

/// Made once. `None` where the processor cannot do it, which makes every span a candidate.
static SEARCH: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Config::new().builder().extend(WORDS.as_flattened()).build());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::Text;

    fn hints(attributes: &[(&'static str, &'static str)]) -> Hints {
        let text = |text: &'static str| Text::known(text);
        let pool: Vec<_> =
            attributes.iter().map(|(k, v)| RawAttribute { key: text(k), value: RawValue::Text(text(v)) }).collect();
        let raw = b"the bytes of a span that is long enough to be searched";
        let span = RawSpan { raw, own: 0..pool.len(), pool, ..RawSpan::default() };
        Hints::of(&span, &mut Known::default(), &mut Vec::new())
    }

    #[test]
    fn keys_are_noticed() {
        for (key, hint) in [
            ("http.request.header.cookie", Hints::HEADER),
            ("url.full", Hints::URL),
            ("http.url", Hints::URL),
            ("db.connection_string", Hints::URL),
            ("http.method", Hints::RENAMED),
            ("gen_ai.usage.input_tokens", Hints::COUNTS),
            ("parameters.truncated", Hints::CUT),
            ("parameter.API_KEYS", Hints::SECRET_KEY),
            ("a.passwords", Hints::SECRET_KEY),
            ("messaging.system", Hints::MESSAGING),
        ] {
            assert!(hints(&[(key, "x")]).has(hint), "{key}");
        }
        let (quiet, dull) = ("a value that says nothing of itself", "another that is as quiet as the first");
        assert_eq!(hints(&[("other.step_id", quiet), ("", dull), ("s", quiet)]), Hints::default());
        for key in ["max_tokens", "gen_ai.usage.input_tokens", "maxTokens", "MAX_TOKENS"] {
            assert!(!hints(&[(key, "x")]).has(Hints::SECRET_KEY), "{key}");
        }
        assert!(hints(&[("x.tokens", "x")]).has(Hints::SECRET_KEY));
    }

    #[test]
    fn a_key_that_comes_twice_is_noticed() {
        assert!(hints(&[("llm.a.0.b", "x"), ("llm.a.1.b", "x"), ("llm.a.0.b", "y")]).has(Hints::DOUBLED));
        let keys: Vec<String> = (0..40).map(|at| format!("llm.input_messages.{at}.message.role")).collect();
        let prints: std::collections::BTreeSet<u64> =
            keys.iter().map(|key| fingerprint(key.as_bytes()) & 1023).collect();
        assert!(prints.len() > 30, "{}", prints.len());
    }

    #[test]
    fn telltales_are_found_where_bytes_are_few() {
        let mut few = Hints::default();
        few.telltales(b"a value that is just [object Object] and nothing else");
        assert!(few.has(Hints::UNPRINTED) && !few.has(Hints::CUT));
        few.telltales(b"... (truncated, original size: 3 chars)");
        assert!(few.has(Hints::CUT) && !few.has(Hints::SECRET));
        few.telltales(b"the task-force has 12 items to read at https://ann:pw@example.com, task_id sk-short");
        assert!(!few.has(Hints::SECRET));
        for secret in ["postgres://ann:hunter2hunter2@db/x", &format!("gsk_{}", "a1".repeat(24))] {
            let mut few = Hints::default();
            // In protobuf a length stands before a text, which may look like a letter.
            few.telltales(format!("more than thirty-two bytes are before q{secret} and some behind it").as_bytes());
            assert!(few.has(Hints::SECRET) && !few.has(Hints::UNPRINTED), "{secret}");
        }
        let mut least = Hints::default();
        least.telltales(b"x");
        assert!(least.has(Hints::UNPRINTED) && least.has(Hints::SECRET), "too short to tell");
    }

    #[test]
    fn every_stem_of_a_secret_is_among_the_words() {
        let words = WORDS.as_flattened();
        let stems: std::collections::BTreeSet<&str> = crate::redact::stems().collect();
        assert_eq!(words.iter().filter(|word| stems.contains(**word)).count(), stems.len());
        assert_eq!(words.len() - stems.len(), 5);
    }
}

//! Looks for secrets in bytes, quickly where there are none.
//!
//! Comes in: any bytes, also those of JSON or protobuf. Goes out: where secrets are and whose they are; never the secret itself
//! to anybody who only prints.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind, Span, packed};
use sha2::{Digest, Sha256};

use super::{text, token};

/// Where only a password in it makes a URL a secret.
const SCHEMES: [&str; 14] = [
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "clickhouse",
    "oracle",
];
/// What stands behind the scheme of every URL.
const AFTER_SCHEME: &str = "://";
/// Beginnings that are shorter than others make a search over many bytes at a time slow: they are looked for by themselves.
const SHORT: usize = 3;
/// How much of the bytes is looked at where a secret may begin.
const WINDOW: usize = 4096;

/// A search for secrets, made once and used for every span.
#[derive(Clone, Debug)]
pub struct Search {
    long: Beginnings,
    short: Beginnings,
}

/// Where secrets may begin, by some of the ways in which they do.
#[derive(Clone, Debug)]
struct Beginnings {
    /// Many bytes at a time, where the processor can.
    wide: Option<packed::Searcher>,
    /// `None` where it could not be built, which would be a mistake in the list of prefixes.
    plain: Option<AhoCorasick>,
}

/// A secret that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Where it is in what was searched.
    pub range: Range<usize>,
    /// Whose it is: `Anthropic API key`, `URL with a password`, …
    pub issuer: &'static str,
    /// What may be shown: first four characters, length, a short fingerprint.
    pub shown: String,
}

/// The short ones among the ways in which secrets begin: who searches for other short words anyhow may search for them too, and
/// then has to ask [`Search::first_long`] only.
pub fn short_beginnings() -> impl Iterator<Item = &'static str> {
    token::prefixes().filter(|prefix| prefix.len() <= SHORT)
}

impl Default for Search {
    fn default() -> Self {
        let tokens = token::prefixes().filter(|prefix| prefix.len() > SHORT).map(str::to_owned);
        // The last letter of a scheme and what is behind it.
        let schemes: BTreeSet<String> = SCHEMES
            .iter()
            .filter_map(|scheme| scheme.chars().next_back())
            .map(|last| format!("{last}{AFTER_SCHEME}"))
            .collect();
        Self { long: Beginnings::of(tokens.chain(schemes)), short: Beginnings::of(short_beginnings()) }
    }
}

impl Beginnings {
    fn of<B: AsRef<str>>(beginnings: impl Iterator<Item = B>) -> Self {
        let all: Vec<B> = beginnings.collect();
        let all: Vec<&str> = all.iter().map(AsRef::as_ref).collect();
        let wide = packed::Config::new().builder().extend(&all).build();
        Self { wide, plain: AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&all).ok() }
    }

    /// Where the next secret may begin.
    fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = Span::from(from..bytes.len());
        let found = match (&self.wide, &self.plain) {
            (Some(wide), _) if rest.len() >= wide.minimum_len() => wide.find_in(bytes, rest),
            (_, plain) => plain.as_ref()?.find(Input::new(bytes).span(rest)),
        };
        found.map(|found| found.start())
    }

    /// The next secret itself.
    fn secret(&self, bytes: &[u8], mut from: usize) -> Option<Secret> {
        while let Some(at) = self.next(bytes, from) {
            if let Some(secret) = secret_at(bytes, at) {
                return Some(secret);
            }
            from = at + 1;
        }
        None
    }
}

impl Search {
    /// The first secret in bytes.
    pub fn first(&self, bytes: &[u8]) -> Option<Secret> {
        self.next(bytes, 0)
    }

    /// The first secret that begins in none of the ways of [`short_beginnings`].
    pub fn first_long(&self, bytes: &[u8]) -> Option<Secret> {
        self.long.secret(bytes, 0)
    }

    /// The first secret that begins at a place or after it.
    pub fn next(&self, bytes: &[u8], from: usize) -> Option<Secret> {
        let (long, short) = (self.long.secret(bytes, from), self.short.secret(bytes, from));
        match (long, short) {
            (Some(long), Some(short)) => Some(if long.range.start <= short.range.start { long } else { short }),
            (long, short) => long.or(short),
        }
    }
}

fn secret_at(bytes: &[u8], at: usize) -> Option<Secret> {
    let (ahead, behind) = bytes.split_at_checked(at)?;
    if behind.get(1..).is_some_and(|behind| behind.starts_with(AFTER_SCHEME.as_bytes())) {
        let colon = at + 1;
        return url_password(bytes, scheme_before(bytes.get(..colon)?)?, colon);
    }
    let rest = readable(behind);
    let length = token::token_at(rest, ahead.last().copied())?;
    let secret = rest.get(..length)?;
    Some(Secret { range: at..at + length, issuer: token::issuer(secret), shown: shown(secret) })
}

/// Where the scheme of a database's or broker's URL begins that ends here.
fn scheme_before(ahead: &[u8]) -> Option<usize> {
    let begins = |scheme: &&str| {
        let before = ahead.strip_suffix(scheme.as_bytes())?;
        let whole = !before.last().is_some_and(|before| before.is_ascii_alphanumeric() || *before == b'+');
        whole.then_some(before.len())
    };
    SCHEMES.iter().find_map(|scheme| begins(&scheme))
}

/// A database's or broker's URL with a password in it, which begins at a place and whose scheme ends at `colon`.
fn url_password(bytes: &[u8], at: usize, colon: usize) -> Option<Secret> {
    let url = readable(bytes.get(at..)?);
    let range = text::url_password(url, colon - at)?;
    let secret = url.get(range.clone())?;
    Some(Secret { range: at + range.start..at + range.end, issuer: "URL with a password", shown: shown(secret) })
}

/// The beginning of bytes as text, as far as it is text.
fn readable(bytes: &[u8]) -> &str {
    let window = bytes.get(..WINDOW.min(bytes.len())).unwrap_or_default();
    match std::str::from_utf8(window) {
        Ok(text) => text,
        Err(error) => {
            window.get(..error.valid_up_to()).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
        }
    }
}

/// What may be shown of a secret in a report: `sk-a… (108 characters, sha256 9f31ab02)`; nothing of the first characters of a short one.
pub fn shown(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let length = secret.chars().count();
    let first: String = if length < 16 { String::new() } else { secret.chars().take(4).collect() };
    format!("{first}... ({length} characters, sha256 {digest})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_never_shown() {
        let search = Search::default();
        let key = format!("sk-ant-api03-{}AA", "x9_Y".repeat(24));
        let bytes = format!("{{\"k\":\"a task-force and {key} here\"}}");
        let secret = search.first(bytes.as_bytes()).unwrap();
        assert_eq!(&bytes[secret.range.clone()], key);
        assert_eq!(secret.issuer, "Anthropic API key");
        assert!(secret.shown.starts_with("sk-a... (") && !secret.shown.contains("api03"));
        let url = search.first(b"x postgres://ann:hunter2hunter2@db/x").unwrap();
        assert_eq!((url.issuer, url.range), ("URL with a password", 17..31));
    }

    #[test]
    fn what_only_looks_like_it_is_no_secret() {
        let search = Search::default();
        for text in
            ["https://user:pass@host/", "task-sk-learn", "postgres://db/x", "eyJhbGciOi", "\u{1}\u{ff}://", "AKIAshort"]
        {
            assert_eq!(search.first(text.as_bytes()), None, "{text}");
        }
    }
}

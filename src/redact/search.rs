//! Looks for secrets in bytes, quickly where there are none.
//!
//! Comes in: any bytes, also those of JSON or protobuf. Goes out: where secrets are and whose they are; never the secret itself
//! to anybody who only prints.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind, Span, packed};
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
/// How much of the bytes is looked at where a secret may begin.
const WINDOW: usize = 4096;

/// A search for secrets, made once and used for every string.
#[derive(Clone, Debug)]
pub struct Search {
    /// Many bytes at a time, where the processor can.
    wide: Option<packed::Searcher>,
    /// `None` where it could not be built, which would be a mistake in the list of stems.
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

/// What all secrets have at their beginning or near it. Who searches for other words anyhow may search for these too: where none is,
/// no secret is, and where one is, [`may_be_secret`] tells more.
pub fn stems() -> impl Iterator<Item = &'static str> {
    token::stems().chain([AFTER_SCHEME])
}

/// Whether a stem that was found here, in bytes that may hold several texts, may be that of a secret.
pub fn may_be_secret(bytes: &[u8], at: usize) -> bool {
    secret_at(bytes, at, |_| None).is_some()
}

impl Default for Search {
    fn default() -> Self {
        let stems: Vec<&str> = stems().collect();
        let wide = packed::Config::new().builder().extend(&stems).build();
        Self { wide, plain: AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&stems).ok() }
    }
}

impl Search {
    /// The first secret in a text.
    pub fn first(&self, bytes: &[u8]) -> Option<Secret> {
        self.next(bytes, 0)
    }

    /// The first secret that begins at a place or after it.
    pub fn next(&self, bytes: &[u8], mut from: usize) -> Option<Secret> {
        let least = from;
        while let Some(at) = self.stem(bytes, from) {
            let range = secret_at(bytes, at, |start| bytes.get(start.checked_sub(1)?).copied());
            if let Some((range, kind)) = range.filter(|(range, _)| range.start >= least) {
                let secret = bytes.get(range.clone()).and_then(|secret| std::str::from_utf8(secret).ok())?;
                return Some(Secret {
                    range,
                    issuer: kind.unwrap_or_else(|| token::issuer(secret)),
                    shown: shown(secret),
                });
            }
            from = at + 1;
        }
        None
    }

    /// Where the next stem is.
    fn stem(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = Span::from(from..bytes.len());
        let found = match (&self.wide, &self.plain) {
            (Some(wide), _) if rest.len() >= wide.minimum_len() => wide.find_in(bytes, rest),
            (_, plain) => plain.as_ref()?.find(Input::new(bytes).span(rest)),
        };
        found.map(|found| found.start())
    }
}

/// Whether a text may hold a secret at all: quick, and right where it says no.
pub(super) fn hints(text: &str) -> bool {
    static HINTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        // Beginnings of names of secrets, of what stands before them, and of tokens.
        const WORDS: [&str; 15] = [
            "pass",
            "pwd",
            "identified ",
            "curl ",
            "secret",
            "token",
            "key",
            "auth",
            "cookie",
            "credential",
            "connection",
            "bearer ",
            "basic ",
            "sig",
            "private",
        ];
        let words = WORDS.into_iter().chain(token::stems());
        AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(words).ok()
    });
    let url = || text.contains("://") && text.contains('@');
    HINTS.as_ref().is_none_or(|hints| hints.is_match(text)) || url()
}

/// Where the secret is at whose beginning a stem was found, and what it is where that is not told by itself. `before` tells which
/// byte of the same text stands before a place.
fn secret_at(
    bytes: &[u8],
    at: usize,
    before: impl Fn(usize) -> Option<u8>,
) -> Option<(Range<usize>, Option<&'static str>)> {
    if bytes.get(at..)?.starts_with(AFTER_SCHEME.as_bytes()) {
        let start = scheme_before(bytes.get(..at)?, before)?;
        return url_password(bytes, start, at).map(|range| (range, Some("URL with a password")));
    }
    token::begins(bytes, at).find_map(|start| {
        let window = bytes.get(start..)?;
        let window = window.get(..WINDOW).unwrap_or(window);
        let length = token::token_at(window, before(start))?;
        let length = if length == window.len() { readable(window).len() } else { length };
        Some((start..start + length, None))
    })
}

/// Where the scheme of a database's or broker's URL begins that ends here.
fn scheme_before(ahead: &[u8], before: impl Fn(usize) -> Option<u8>) -> Option<usize> {
    let begins = |scheme: &&str| {
        let start = ahead.strip_suffix(scheme.as_bytes())?.len();
        let whole = !before(start).is_some_and(|before| before.is_ascii_alphanumeric() || before == b'+');
        whole.then_some(start)
    };
    SCHEMES.iter().find_map(begins)
}

/// The password in a database's or broker's URL, which begins at a place and whose scheme ends at `colon`.
fn url_password(bytes: &[u8], start: usize, colon: usize) -> Option<Range<usize>> {
    let url = readable(bytes.get(start..)?);
    let range = text::url_password(url, colon - start)?;
    Some(start + range.start..start + range.end)
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

/// What may be shown of a secret in a report: `sk-a... (108 characters, sha256 9f31ab02)`. Of a short one nothing: from its length and
/// digest it could be guessed.
pub fn shown(secret: &str) -> String {
    const SHORT: usize = 16;
    let length = secret.chars().count();
    if length < SHORT {
        return format!("... (fewer than {SHORT} characters)");
    }
    let digest = Sha256::digest(secret.as_bytes());
    let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let first: String = secret.chars().take(4).collect();
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
        assert_eq!(shown("hunter2"), shown("123456789012345"));
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

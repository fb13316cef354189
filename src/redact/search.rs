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
/// How much of the bytes is looked at where a secret may begin.
const WINDOW: usize = 4096;

/// A search for secrets, made once and used for every span.
#[derive(Clone, Debug)]
pub struct Search {
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

impl Default for Search {
    fn default() -> Self {
        let schemes = SCHEMES.iter().map(|scheme| format!("{scheme}://"));
        let patterns: Vec<String> = token::prefixes().map(str::to_owned).chain(schemes).collect();
        let wide = packed::Config::new().builder().extend(&patterns).build();
        let plain = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&patterns).ok();
        Self { wide, plain }
    }
}

impl Search {
    /// The first secret in bytes.
    pub fn first(&self, bytes: &[u8]) -> Option<Secret> {
        self.next(bytes, 0)
    }

    /// The first secret that begins at a place or after it.
    pub fn next(&self, bytes: &[u8], mut from: usize) -> Option<Secret> {
        while let Some(at) = self.candidate(bytes, from) {
            if let Some(secret) = secret_at(bytes, at) {
                return Some(secret);
            }
            from = at + 1;
        }
        None
    }

    /// Where the next secret may begin.
    fn candidate(&self, bytes: &[u8], from: usize) -> Option<usize> {
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
        const WORDS: [&str; 12] = [
            "pass",
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
        let words = WORDS.into_iter().chain(token::prefixes());
        AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(words).ok()
    });
    let url = || text.contains("://") && text.contains('@');
    HINTS.as_ref().is_none_or(|hints| hints.is_match(text)) || url()
}

fn secret_at(bytes: &[u8], at: usize) -> Option<Secret> {
    let rest = readable(bytes.get(at..)?);
    let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    if let Some(scheme) =
        SCHEMES.iter().find(|scheme| rest.strip_prefix(**scheme).is_some_and(|r| r.starts_with("://")))
    {
        return url_password(rest, at, scheme.len(), before);
    }
    let length = token::token_at(rest, before)?;
    let secret = rest.get(..length)?;
    Some(Secret { range: at..at + length, issuer: token::issuer(secret), shown: shown(secret) })
}

/// A database's or broker's URL with a password in it, where its scheme ends at `colon`.
fn url_password(url: &str, at: usize, colon: usize, before: Option<u8>) -> Option<Secret> {
    if before.is_some_and(|before| before.is_ascii_alphanumeric() || before == b'+') {
        return None;
    }
    let range = text::url_password(url, colon)?;
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

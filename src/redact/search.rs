//! Looks for secrets in bytes, quickly where there are none.
//!
//! Comes in: any bytes, also those of JSON or protobuf. Goes out: where secrets are and whose they are; never the secret itself
//! to anybody who only prints.

use std::ops::Range;

use aho_corasick::AhoCorasick;
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
    /// `None` where it could not be built, which would be a mistake in the list of prefixes.
    prefixes: Option<AhoCorasick>,
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
        let patterns = token::prefixes().chain([":/"]);
        Self { prefixes: AhoCorasick::new(patterns).ok() }
    }
}

impl Search {
    /// The first secret in bytes.
    pub fn first(&self, bytes: &[u8]) -> Option<Secret> {
        let prefixes = self.prefixes.as_ref()?;
        let mut from = 0;
        while let Some(found) = prefixes.find(bytes.get(from..)?) {
            let at = from + found.start();
            if let Some(secret) = secret_at(bytes, at) {
                return Some(secret);
            }
            from = at + 1;
        }
        None
    }
}

fn secret_at(bytes: &[u8], at: usize) -> Option<Secret> {
    let rest = readable(bytes.get(at..)?);
    let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    if rest.starts_with(':') {
        return url_password(bytes, at);
    }
    let length = token::token_at(rest, before)?;
    let secret = rest.get(..length)?;
    Some(Secret { range: at..at + length, issuer: token::issuer(secret), shown: shown(secret) })
}

/// A database's or broker's URL with a password in it, where `at` is the colon after its scheme.
fn url_password(bytes: &[u8], at: usize) -> Option<Secret> {
    let scheme_from =
        bytes.get(..at)?.iter().rposition(|b| !b.is_ascii_alphanumeric() && *b != b'+').map_or(0, |at| at + 1);
    let scheme = std::str::from_utf8(bytes.get(scheme_from..at)?).ok()?;
    if !SCHEMES.contains(&scheme) {
        return None;
    }
    let rest = readable(bytes.get(at..)?);
    let range = text::url_password(rest, 0)?;
    let secret = rest.get(range.clone())?;
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

/// What may be shown of a secret: `sk-a… (108 characters, sha256 9f31ab02)`; nothing of the first characters of a short one.
fn shown(secret: &str) -> String {
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

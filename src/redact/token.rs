//! Provider tokens by their published prefixes and shapes.
//!
//! Comes in: text and a place in it. Goes out: how long the token there is, if there is one.

use memchr::memmem;

/// How tokens of one provider look: a prefix, then at least so many characters of its alphabet.
struct Shape {
    prefix: &'static str,
    at_least: usize,
    alphabet: fn(u8) -> bool,
}

const fn shape(prefix: &'static str, at_least: usize, alphabet: fn(u8) -> bool) -> Shape {
    Shape { prefix, at_least, alphabet }
}

const SHAPES: [Shape; 37] = [
    shape("sk-ant-", 20, wordy),
    shape("sk-proj-", 20, wordy),
    shape("sk-svcacct-", 20, wordy),
    shape("sk-admin-", 20, wordy),
    shape("sk-or-v1-", 20, wordy),
    shape("sk-lf-", 20, wordy),
    shape("pk-lf-", 20, wordy),
    shape("sk-", 32, plain),
    shape("AKIA", 16, upper),
    shape("ASIA", 16, upper),
    shape("ABIA", 16, upper),
    shape("ACCA", 16, upper),
    shape("AIza", 35, wordy),
    shape("ya29.", 20, wordy),
    shape("ghp_", 30, plain),
    shape("gho_", 30, plain),
    shape("ghu_", 30, plain),
    shape("ghs_", 30, plain),
    shape("ghr_", 30, plain),
    shape("github_pat_", 50, wordy),
    shape("glpat-", 20, wordy),
    shape("xoxb-", 10, wordy),
    shape("xoxa-", 10, wordy),
    shape("xoxp-", 10, wordy),
    shape("xoxr-", 10, wordy),
    shape("xoxs-", 10, wordy),
    shape("sk_live_", 16, plain),
    shape("rk_live_", 16, plain),
    shape("hf_", 30, plain),
    shape("gsk_", 40, plain),
    shape("r8_", 36, plain),
    shape("pcsk_", 40, wordy),
    shape("npm_", 36, plain),
    shape("dop_v1_", 60, plain),
    shape("lsv2_pt_", 30, wordy),
    shape("lsv2_sk_", 30, wordy),
    shape("nvapi-", 40, wordy),
];

/// Stems that several shapes share.
const SHARED: [&str; 4] = ["sk-", INNER, "xox", "lsv2_"];
/// A stem before which a token may have begun, and by how much: `gsk_`, `pcsk_`.
const INNER: &str = "sk_";
const BEFORE_INNER: usize = 2;
const WEB_TOKEN: &str = "eyJ";
const PRIVATE_KEY: &str = "-----BEGIN ";

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn wordy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What all tokens have at their beginning or near it, for a search over bytes. Tokens that share one are found by one: a search is
/// the faster the fewer there are.
pub(super) fn stems() -> impl Iterator<Item = &'static str> {
    let own = SHAPES.iter().map(|shape| shape.prefix).filter(|prefix| !SHARED.iter().any(|stem| prefix.contains(stem)));
    own.chain(SHARED).chain([WEB_TOKEN, PRIVATE_KEY])
}

/// Where tokens may begin at which a stem was found: there, or before it where the stem is one that stands inside of tokens.
pub(super) fn begins(bytes: &[u8], at: usize) -> impl Iterator<Item = usize> + use<> {
    let before = if bytes.get(at..).is_some_and(|rest| rest.starts_with(INNER.as_bytes())) { BEFORE_INNER } else { 0 };
    (at.saturating_sub(before)..=at).rev()
}

/// The shapes of tokens as one regular expression, for programs that know no other form.
pub fn token_pattern() -> String {
    let alphabet = |alphabet: fn(u8) -> bool| match (alphabet(b'_'), alphabet(b'a')) {
        (true, _) => "[A-Za-z0-9_-]",
        (false, true) => "[A-Za-z0-9]",
        (false, false) => "[A-Z0-9]",
    };
    let prefix = |prefix: &str| prefix.replace('.', "\\.");
    let shapes = SHAPES.iter().map(|s| format!("{}{}{{{},}}", prefix(s.prefix), alphabet(s.alphabet), s.at_least));
    let web = "eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]+".to_owned();
    let url = "://[^:/@ ]+:[^@/ ]+@".to_owned();
    shapes.chain([web, url]).collect::<Vec<_>>().join("|")
}

/// Whose token it is that begins like this.
pub(super) fn issuer(token: &str) -> &'static str {
    const ISSUERS: [(&str, &str); 24] = [
        ("sk-ant-", "Anthropic API key"),
        ("sk-or-", "OpenRouter API key"),
        ("sk-lf-", "Langfuse secret key"),
        ("pk-lf-", "Langfuse public key"),
        ("sk-", "OpenAI API key"),
        ("AIza", "Google API key"),
        ("ya29.", "Google access token"),
        ("A", "AWS access key id"),
        ("gh", "GitHub token"),
        ("github_pat_", "GitHub token"),
        ("glpat-", "GitLab token"),
        ("xox", "Slack token"),
        ("sk_live_", "Stripe key"),
        ("rk_live_", "Stripe key"),
        ("hf_", "Hugging Face token"),
        ("gsk_", "Groq API key"),
        ("r8_", "Replicate token"),
        ("pcsk_", "Pinecone API key"),
        ("npm_", "npm token"),
        ("dop_v1_", "DigitalOcean token"),
        ("lsv2_", "LangSmith key"),
        ("nvapi-", "NVIDIA API key"),
        ("eyJ", "JSON web token"),
        ("-----BEGIN ", "private key"),
    ];
    ISSUERS.iter().find(|(prefix, _)| token.starts_with(prefix)).map_or("secret", |(_, issuer)| issuer)
}

/// Whether a token can begin with this byte: lets the scan pass everything else by.
pub(super) fn may_begin(byte: u8) -> bool {
    matches!(byte, b's' | b'p' | b'A' | b'y' | b'g' | b'x' | b'r' | b'h' | b'n' | b'd' | b'l' | b'e' | b'-')
}

/// The length of the token that begins at `rest`, where `before` is the byte in front of it.
pub(super) fn token_at(rest: &[u8], before: Option<u8>) -> Option<usize> {
    // A token may be glued to a word by a dash or an underscore, not grow out of it.
    if before.is_some_and(plain) {
        return None;
    }
    let is_apart = !before.is_some_and(wordy);
    let by_prefix = SHAPES.iter().find_map(|shape| {
        let tail = rest.strip_prefix(shape.prefix.as_bytes())?;
        let length = tail.iter().take_while(|&&byte| (shape.alphabet)(byte)).count();
        (length >= shape.at_least).then_some(shape.prefix.len() + length)
    });
    // Glued ones of these kinds could begin again and again inside of each other.
    by_prefix.or_else(|| {
        let rest = is_apart.then_some(rest)?;
        json_web_token(rest).or_else(|| private_key(rest))
    })
}

/// `eyJ….eyJ….…`: three base64url parts, of which two begin like JSON objects.
fn json_web_token(rest: &[u8]) -> Option<usize> {
    let stem = WEB_TOKEN.as_bytes();
    rest.strip_prefix(stem)?;
    // Part by part, so that a text of beginnings costs no more than its length.
    let part = |from: usize| rest.get(from..).map(|rest| rest.iter().take_while(|&&byte| wordy(byte)).count());
    let next = |end: usize| (rest.get(end) == Some(&b'.')).then_some(end + 1);
    let second = next(part(0).filter(|&length| length >= 10)?)?;
    let third = next(second + part(second).filter(|_| rest.get(second..).is_some_and(|part| part.starts_with(stem)))?)?;
    let end = third + part(third).filter(|&length| length >= 10)?;
    Some(end + rest.get(end..)?.iter().take_while(|&&byte| wordy(byte) || byte == b'.').count())
}

/// A PEM private key, up to its end line or the end of the text.
fn private_key(rest: &[u8]) -> Option<usize> {
    let behind = rest.strip_prefix(PRIVATE_KEY.as_bytes())?;
    let label = behind.get(..memmem::find(behind, b"-----")?)?;
    if !label.ends_with(b"PRIVATE KEY") {
        return None;
    }
    let end = [b"-----END ", label, b"-----"].concat();
    Some(memmem::find(rest, &end).map_or(rest.len(), |at| at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_prefix_and_length() {
        let long = "a1B2".repeat(12);
        assert_eq!(token_at(format!("sk-ant-api03-{long} rest").as_bytes(), None), Some(13 + 48));
        assert_eq!(token_at("AKIAIOSFODNN7EXAMPLE".as_bytes(), None), Some(20));
        assert_eq!(token_at("AKIAshort".as_bytes(), None), None);
        assert_eq!(token_at("task-force".as_bytes(), Some(b't')), None);
        assert_eq!(token_at(format!("sk-{long}").as_bytes(), Some(b'a')), None);
        for glue in [b'-', b'_'] {
            assert_eq!(token_at(format!("sk-ant-{long} rest").as_bytes(), Some(glue)), Some(7 + 48));
        }
    }

    #[test]
    fn every_prefix_is_looked_for() {
        for shape in &SHAPES {
            assert!(shape.prefix.bytes().next().is_some_and(may_begin), "{}", shape.prefix);
        }
    }

    #[test]
    fn web_tokens_and_private_keys_are_known() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWhlcmU";
        assert_eq!(token_at(token.as_bytes(), None), Some(token.len()));
        let key = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----";
        assert_eq!(token_at(format!("{key} and more").as_bytes(), None), Some(key.len()));
        assert_eq!(token_at("-----BEGIN CERTIFICATE-----".as_bytes(), None), None);
    }
}

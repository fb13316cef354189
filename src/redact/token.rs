//! Provider tokens by their published prefixes and shapes.
//!
//! Comes in: text and a place in it. Goes out: how long the token there is, if there is one.

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

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn wordy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What the beginnings of all tokens are, for a search over bytes. Those that begin alike are one: a search is the faster the fewer
/// there are.
pub(super) fn prefixes() -> impl Iterator<Item = &'static str> {
    const SHARED: [&str; 3] = ["sk-", "xox", "lsv2_"];
    let shared = |prefix: &str| SHARED.iter().any(|stem| prefix.starts_with(stem));
    let own = SHAPES.iter().map(|shape| shape.prefix).filter(move |prefix| !shared(prefix));
    own.chain(SHARED).chain(["eyJ", "-----BEGIN "])
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
pub(super) fn token_at(rest: &str, before: Option<u8>) -> Option<usize> {
    if before.is_some_and(wordy) {
        return None;
    }
    let by_prefix = SHAPES.iter().find_map(|shape| {
        let tail = rest.strip_prefix(shape.prefix)?;
        let length = tail.bytes().take_while(|&byte| (shape.alphabet)(byte)).count();
        (length >= shape.at_least).then_some(shape.prefix.len() + length)
    });
    by_prefix.or_else(|| json_web_token(rest)).or_else(|| private_key(rest))
}

/// `eyJ….eyJ….…`: three base64url parts, of which two begin like JSON objects.
fn json_web_token(rest: &str) -> Option<usize> {
    let length = rest.strip_prefix("eyJ")?.bytes().take_while(|&byte| wordy(byte) || byte == b'.').count() + 3;
    let mut parts = rest.get(..length)?.split('.');
    let fits = parts.next()?.len() >= 10 && parts.next()?.starts_with("eyJ") && parts.next()?.len() >= 10;
    fits.then_some(length)
}

/// A PEM private key, up to its end line or the end of the text.
fn private_key(rest: &str) -> Option<usize> {
    let label = rest.strip_prefix("-----BEGIN ")?.split("-----").next()?;
    if !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let end = format!("-----END {label}-----");
    Some(rest.find(&end).map_or(rest.len(), |at| at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_prefix_and_length() {
        let long = "a1B2".repeat(12);
        assert_eq!(token_at(&format!("sk-ant-api03-{long} rest"), None), Some(13 + 48));
        assert_eq!(token_at("AKIAIOSFODNN7EXAMPLE", None), Some(20));
        assert_eq!(token_at("AKIAshort", None), None);
        assert_eq!(token_at("task-force", Some(b't')), None);
        assert_eq!(token_at(&format!("sk-{long}"), Some(b'a')), None);
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
        assert_eq!(token_at(token, None), Some(token.len()));
        let key = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----";
        assert_eq!(token_at(&format!("{key} and more"), None), Some(key.len()));
        assert_eq!(token_at("-----BEGIN CERTIFICATE-----", None), None);
    }
}

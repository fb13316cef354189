//! SEC003: URLs that carry a credential.
//!
//! Comes in: attributes that hold URLs. Goes out: one fact a URL with a user or a secret in its query, never the secret.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::redact::{is_blank, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEC003",
    name: "credential-in-url",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A recorded URL carries a user, a password or a token",
    why: "Whoever can read traces can use it, and URLs go on into logs, dashboards and tickets.",
    when: "",
    bad: "url.full = \"https://host/export?api_key=...\"",
    good: "url.full = \"https://host/export?api_key=REDACTED\"",
    limits: &LIMITS,
    unit: None,
    source: "OpenTelemetry HTTP conventions: url.full must not contain credentials",
    url: "https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

/// Attributes that hold URLs.
pub(super) const URLS: [&str; 3] = ["url.full", "http.url", "db.connection_string"];
const KEYS: [&str; 9] =
    ["token", "key", "api_key", "access_token", "sig", "signature", "X-Amz-Signature", "AWSAccessKeyId", "password"];
const LIMITS: [Limit; 1] = [Limit::words("keys", &KEYS, "names in a query that carry credentials")];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.hints.has(Hints::URL) {
        return;
    }
    for (attribute, _) in look.known_anywhere().filter(|(_, facts)| facts.hints.has(Hints::URL)) {
        let Some(text) = attribute.value.text() else { continue };
        // Most queries name nothing of interest: their names are looked at where they stand.
        if !text.escaped && memchr::memchr(b'@', text.raw).is_none() && !names(text.raw).any(|name| is_key(look, name))
        {
            continue;
        }
        let url = text.decode();
        let key = || attribute.key.decode();
        if let Some(user) = user_info(&url) {
            // Of both the password is the one that opens something.
            let (class, secret) = match user.split_once(':') {
                Some((_, password)) if !is_blank(password) => ("password", password),
                _ => ("userinfo", user),
            };
            sink.found(Fact { class, attribute: key(), note: shown(secret).into(), ..Fact::default() });
        }
        let (mut names, mut value) = (Vec::new(), "");
        for (name, told) in query(&url) {
            let known = look.words(0).iter().find(|word| word.eq_ignore_ascii_case(name));
            if let Some(known) = known.filter(|_| !is_left_out(told)) {
                value = if names.is_empty() { told } else { value };
                names.push(format!("{known:?}"));
            }
        }
        if !names.is_empty() {
            let note = format!("{}\n{}", names.join(" and "), shown(value)).into();
            sink.found(Fact { class: "query", attribute: key(), note, ..Fact::default() });
        }
    }
}

/// Whether a name carries a credential.
fn is_key(look: &SpanLook<'_>, name: &[u8]) -> bool {
    look.words(0).iter().any(|word| word.as_bytes().eq_ignore_ascii_case(name))
}

/// The names in a query.
fn names(url: &[u8]) -> impl Iterator<Item = &[u8]> {
    let query = memchr::memchr(b'?', url).and_then(|at| url.get(at + 1..)).unwrap_or_default();
    query.split(|byte| *byte == b'&').filter_map(|pair| pair.get(..memchr::memchr(b'=', pair)?))
}

/// Whether a value in a query says that it was left out, brackets and stars written as they are or as URLs write them.
fn is_left_out(value: &str) -> bool {
    let plain = |value: &str| {
        ["%5B", "%5D", "%3C", "%3E", "%2A"].iter().fold(value.to_ascii_uppercase(), |value, c| value.replace(c, ""))
    };
    is_blank(value) || is_blank(&plain(value))
}

/// What stands before the host, unless all of it was replaced.
fn user_info(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let told = user.split(':').any(|part| !is_blank(part));
    // A name whose password was replaced gives nobody access.
    let replaced = user.split_once(':').is_some_and(|(_, password)| !password.is_empty() && is_blank(password));
    (told && !replaced).then_some(user)
}

/// The names and values of the query.
fn query(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    query.split('#').next().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='))
}

fn tell(told: &Told<'_>) -> Words {
    let (key, note) = (told.attribute, told.note);
    let message = match (told.class, note.split_once('\n')) {
        ("query", Some((names, value))) => format!("{key} has a value for {names} in its query: {value}"),
        ("password", _) => format!("{key} has a password before the host: {note}"),
        _ => format!("{key} names a user before the host: {note}"),
    };
    Words::new(message, "replace the value before the URL is recorded; send credentials in headers")
        .fix(Fix::RedactAttribute { key: key.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_queries_are_found() {
        assert_eq!(user_info("https://ann:pw@h/p"), Some("ann:pw"));
        assert_eq!(user_info("https://ghp_x@h/p?q=a@b"), Some("ghp_x"));
        for none in ["https://h/@ann", "https://REDACTED:REDACTED@h", "https://ann:***@h", "h@x", "https://h?x=a@b"] {
            assert_eq!(user_info(none), None, "{none}");
        }
        assert_eq!(query("https://h/p?a=1&b=2#c=3").collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
        assert_eq!(query("https://h/p").count(), 0);
        assert!(is_left_out("%5BREDACTED%5D") && is_left_out("%2A%2A%2A") && !is_left_out("%5Bab%5D"));
    }
}

//! SEC004: attributes that are named after a secret and have a value.
//!
//! Comes in: the attributes of spans, events, links, resources and scopes. Goes out: one fact a key, never the value.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::hints::{Hints, may_name_a_secret};
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::otlp::{RawAttribute, RawValue};
use crate::redact::{is_blank, is_sensitive_name, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEC004",
    name: "sensitive-key-name",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "An attribute is named after a secret and has a value",
    why: "What is called password, secret or token mostly is one, whatever it looks like.",
    when: "the last part of a key ends in password, passwd, secret, token, api_key, apikey, private_key, privatekey or credential, in the singular or plural; counts of tokens do not. Values that were replaced (***, <redacted>, none, empty) are left alone.",
    bad: "http.request.body.api_key = \"...\"",
    good: "http.request.body.api_key = \"***\", or not recorded",
    limits: &LIMITS,
    unit: None,
    source: "own; Letta records the bodies of requests",
    url: "https://opentelemetry.io/docs/security/handling-sensitive-data/",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit::words("names", &[], "last parts of keys that are secrets too"),
    Limit::words("redacted", &[], "values that say a secret was left out, besides ***, <redacted> and the like"),
];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.hints.has(Hints::SECRET_KEY) && look.words(0).is_empty() {
        return;
    }
    let (span, names, redacted) = (look.span, look.words(0), look.words(1));
    judge("attribute", span.attributes(), names, redacted, sink);
    for event in &span.events {
        judge("event attribute", span.pooled(&event.attributes), names, redacted, sink);
    }
    for link in &span.links {
        judge("link attribute", span.pooled(&link.attributes), names, redacted, sink);
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    let class = if look.is_scope { "scope attribute" } else { "resource attribute" };
    judge(class, look.attributes, look.words(0), look.words(1), sink);
}

fn judge(
    class: &'static str,
    attributes: &[RawAttribute<'_>],
    names: &[String],
    redacted: &[String],
    sink: &mut Sink<'_>,
) {
    for attribute in attributes {
        if names.is_empty() && !may_name_a_secret(attribute.key.raw) && !attribute.key.escaped {
            continue;
        }
        let key = attribute.key.decode();
        let last = key.rsplit('.').next().unwrap_or(&key);
        let named = is_sensitive_name(&key) || names.iter().any(|name| name.eq_ignore_ascii_case(last));
        if !named {
            continue;
        }
        let value = match &attribute.value {
            RawValue::Text(text) => text.decode().into_owned(),
            RawValue::Nested(_) => attribute.value.decode().to_string(),
            // A number under the name of a token counts them; a PIN or a password may be one. A truth value says whether there is one.
            RawValue::Int(number) => number.to_string(),
            _ => continue,
        };
        if !tells_nothing(last, &value) && !redacted.contains(&value) {
            let (attribute, note) = (key.clone(), shown(&value).into());
            sink.found(Fact { class, attribute, note, ..Fact::default() });
        }
    }
}

/// Whether the value gives no secret away: nothing, a note that it was left out, a count of tokens.
fn tells_nothing(name: &str, value: &str) -> bool {
    let empty = matches!(value, "" | "[]" | "{}" | "()" | "set()");
    let lower = name.to_ascii_lowercase();
    // How many there are is no secret.
    let plural = lower.ends_with('s') && value.len() < 4;
    let count = (plural || lower.trim_end_matches('s').ends_with("token")) && value.parse::<f64>().is_ok();
    let note = value.starts_with('<') && value.ends_with('>') && value.contains("(excluded");
    empty || count || note || is_blank(value)
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("{} has a value: {}", told.attribute, told.note),
        "leave it out, or write *** in its place; replace the secret if it was one",
    )
    .fix(Fix::RedactAttribute { key: told.attribute.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_nothing_away_is_left_alone() {
        for (name, value) in [
            ("api_key", "None"),
            ("password", "***"),
            ("secret", "<redacted>"),
            ("token", "50"),
            ("secrets", "{}"),
            ("secrets", "3"),
        ] {
            assert!(tells_nothing(name, value), "{name} {value}");
        }
        for (name, value) in [("password", "123456"), ("token", "abc"), ("secret", "<b>")] {
            assert!(!tells_nothing(name, value), "{name} {value}");
        }
    }
}

//! SEC001: provider tokens, private keys and passwords in URLs.
//!
//! Comes in: every string of a span or resource. Goes out: one fact a secret, never the secret itself.

use std::sync::LazyLock;

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::model::Value;
use crate::otlp::{RawAttribute, RawValue, Text};
use crate::redact::Search;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEC001",
    name: "secret",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A string holds a provider's token, a private key or a URL with a password",
    why: "Everybody who can read traces can use the secret.",
    bad: "parameter.headers = \"Bearer sk-ant-api03-...\"",
    good: "parameter.headers = \"Bearer ***\"",
    limits: &[],
    unit: None,
    source: "published token shapes of the providers, as in gitleaks",
    url: "https://github.com/gitleaks/gitleaks",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

/// Made once: the search is the same for every span.
static SEARCH: LazyLock<Search> = LazyLock::new(Search::default);

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    // The bytes of the whole span first: nearly always nothing is in them. In JSON, base64 hides what is in bytes.
    let packed = || span.pool.iter().any(|attribute| matches!(attribute.value, RawValue::Base64(_)));
    if SEARCH.first(span.raw).is_none() && !packed() {
        return;
    }
    judge("name", "", &span.name, sink);
    judge("status message", "", &span.message, sink);
    judge("trace state", "", &span.trace_state, sink);
    judge_all("attribute", span.attributes(), sink);
    for event in &span.events {
        judge("event name", "", &event.name, sink);
        judge_all("event attribute", span.pooled(&event.attributes), sink);
    }
    for link in &span.links {
        judge("trace state of a link", "", &link.trace_state, sink);
        judge_all("link attribute", span.pooled(&link.attributes), sink);
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    if look.is_scope {
        judge("name of the scope", "", look.name, sink);
        judge("version of the scope", "", look.version, sink);
    }
    judge_all(if look.is_scope { "scope attribute" } else { "resource attribute" }, look.attributes, sink);
}

fn judge_all(class: &'static str, attributes: &[RawAttribute<'_>], sink: &mut Sink<'_>) {
    for attribute in attributes {
        let key = attribute.key.decode();
        found("key of an attribute", "", key.as_bytes(), sink);
        match &attribute.value {
            RawValue::Text(text) => judge(class, &key, text, sink),
            RawValue::Nested(nested) => found(class, &key, nested.raw, sink),
            RawValue::Bytes(bytes) => found(class, &key, bytes, sink),
            RawValue::Base64(_) => {
                if let Value::Bytes(bytes) = attribute.value.decode() {
                    found(class, &key, &bytes, sink);
                }
            }
            _ => {}
        }
    }
}

fn judge(class: &'static str, key: &str, text: &Text<'_>, sink: &mut Sink<'_>) {
    found(class, key, text.decode().as_bytes(), sink);
}

fn found(class: &'static str, key: &str, bytes: &[u8], sink: &mut Sink<'_>) {
    if let Some(secret) = SEARCH.first(bytes) {
        let note = format!("{} {}", article(secret.issuer), secret.shown).into();
        sink.found(Fact { class, attribute: key.into(), note, ..Fact::default() });
    }
}

fn article(issuer: &str) -> String {
    let vowel = issuer.starts_with(['A', 'O', 'N', 'n']) && !issuer.starts_with("No");
    format!("{} {issuer}", if vowel { "an" } else { "a" })
}

fn tell(told: &Told<'_>) -> Words {
    let place = if told.attribute.is_empty() { format!("the {}", told.class) } else { told.attribute.to_owned() };
    let words =
        Words::new(format!("{place} holds {}", told.note), "revoke the secret, then keep it out of what is recorded");
    if told.attribute.is_empty() { words } else { words.fix(Fix::RedactAttribute { key: told.attribute.to_owned() }) }
}

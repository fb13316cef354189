//! SEC001: provider tokens, private keys and passwords in URLs.
//!
//! Comes in: every string of a span or resource. Goes out: one fact a secret, never the secret itself.

use std::ops::Range;
use std::sync::LazyLock;

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::hints::Hints;
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::pattern::Pattern;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::model::Value;
use crate::otlp::{RawAttribute, RawValue, Text};
use crate::redact::{Search, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEC001",
    name: "secret",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A string holds a provider's token, a private key or a URL with a password",
    why: "Everybody who can read traces can use the secret.",
    when: "",
    bad: "parameter.headers = \"Bearer sk-ant-api03-...\"",
    good: "parameter.headers = \"Bearer ***\"",
    limits: &LIMITS,
    unit: None,
    source: "published token shapes of the providers, as in gitleaks",
    url: "https://github.com/gitleaks/gitleaks",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit::patterns("extend", &[], "what else is a secret, as regular expressions"),
    Limit::patterns("allow", &[], "what is none: regular expressions, or sha256: and the digits that a finding shows"),
];

/// What is a secret, by shape and by settings.
struct Wanted<'w> {
    extend: &'w [Pattern],
    allow: &'w [Pattern],
}

/// Made once: the search is the same for every span.
static SEARCH: LazyLock<Search> = LazyLock::new(Search::default);

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let span = look.span;
    let wanted = Wanted { extend: look.patterns(0), allow: look.patterns(1) };
    // Nearly always nothing is in all the bytes of the span. In JSON, base64 hides what is in bytes, and escapes what somebody else
    // looks for.
    let packed = || span.pool.iter().any(|attribute| matches!(attribute.value, RawValue::Base64(_)));
    if !look.hints.has(Hints::SECRET) && wanted.extend.is_empty() && !packed() {
        return;
    }
    wanted.judge("name", "", &span.name, sink);
    wanted.judge("status message", "", &span.message, sink);
    wanted.judge("trace state", "", &span.trace_state, sink);
    wanted.judge_all("attribute", span.attributes(), sink);
    for event in &span.events {
        wanted.judge("event name", "", &event.name, sink);
        wanted.judge_all("event attribute", span.pooled(&event.attributes), sink);
    }
    for link in &span.links {
        wanted.judge("trace state of a link", "", &link.trace_state, sink);
        wanted.judge_all("link attribute", span.pooled(&link.attributes), sink);
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    let wanted = Wanted { extend: look.patterns(0), allow: look.patterns(1) };
    if look.is_scope {
        wanted.judge("name of the scope", "", look.name, sink);
        wanted.judge("version of the scope", "", look.version, sink);
    }
    wanted.judge_all(if look.is_scope { "scope attribute" } else { "resource attribute" }, look.attributes, sink);
}

impl Wanted<'_> {
    fn judge_all(&self, class: &'static str, attributes: &[RawAttribute<'_>], sink: &mut Sink<'_>) {
        for attribute in attributes {
            let key = attribute.key.decode();
            self.found("key of an attribute", "", key.as_bytes(), sink);
            match &attribute.value {
                RawValue::Text(text) => self.judge(class, &key, text, sink),
                RawValue::Nested(_) | RawValue::Bytes(_) | RawValue::Base64(_) => {
                    if let Some(what) = self.inside(&attribute.value.decode()) {
                        sink.found(Fact { class, attribute: key, note: what.into(), ..Fact::default() });
                    }
                }
                _ => {}
            }
        }
    }

    fn judge(&self, class: &'static str, key: &str, text: &Text<'_>, sink: &mut Sink<'_>) {
        self.found(class, key, text.decode().as_bytes(), sink);
    }

    fn found(&self, class: &'static str, key: &str, bytes: &[u8], sink: &mut Sink<'_>) {
        if let Some(what) = self.first(bytes) {
            sink.found(Fact { class, attribute: key.into(), note: what.into(), ..Fact::default() });
        }
    }

    /// The first secret in a value and in what it holds, text by text: what stands before a text in the bytes is no part of it.
    fn inside(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => self.first(text.as_bytes()),
            Value::Bytes(bytes) => self.first(bytes),
            Value::Array(items) => items.iter().find_map(|item| self.inside(item)),
            Value::Map(members) => members
                .iter()
                .find_map(|member| self.first(member.key.as_bytes()).or_else(|| self.inside(&member.value))),
            _ => None,
        }
    }

    /// What the first secret is that is not allowed, and what may be shown of it.
    fn first(&self, bytes: &[u8]) -> Option<String> {
        let is_allowed = |range: &Range<usize>| {
            bytes.get(range.clone()).is_some_and(|secret| self.allow.iter().any(|pattern| pattern.fits(secret)))
        };
        let mut from = 0;
        while let Some(secret) = SEARCH.next(bytes, from) {
            if !is_allowed(&secret.range) {
                return Some(format!("{} {}", article(secret.issuer), secret.shown));
            }
            from = secret.range.end;
        }
        let own = self.extend.iter().filter_map(|pattern| pattern.find(bytes));
        let own = own.filter(|range| !range.is_empty() && !is_allowed(range)).min_by_key(|range| range.start)?;
        Some(format!("a secret {}", shown(&String::from_utf8_lossy(bytes.get(own)?))))
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

//! SEC002: headers that let anybody in who reads them.
//!
//! Comes in: attributes of recorded headers. Goes out: one fact a header whose value was recorded, never the value.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::model::Value;
use crate::otlp::RawAttribute;
use crate::redact::{is_blank, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEC002",
    name: "credential-header",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A header that carries a credential was recorded",
    why: "Whoever can read traces can act as the user or service that sent it.",
    when: "",
    bad: "http.request.header.authorization = \"Bearer ...\"",
    good: "http.request.header.authorization = \"***\", or not recorded",
    limits: &LIMITS,
    unit: None,
    source: "tracetest no-api-key-leak; OpenTelemetry HTTP conventions on recording headers",
    url: "https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words(
    "names",
    &["authorization", "cookie", "set-cookie", "x-api-key", "proxy-authorization", "api-key"],
    "headers that carry credentials",
)];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.hints.has(Hints::HEADER) {
        return;
    }
    for attribute in &look.span.pool {
        judge(attribute, look.words(0), sink);
    }
}

fn judge(attribute: &RawAttribute<'_>, names: &[String], sink: &mut Sink<'_>) {
    let key = attribute.key.raw;
    let header = key.strip_prefix(b"http.request.header.").or_else(|| key.strip_prefix(b"http.response.header."));
    // Instrumentations of old write underscores for hyphens.
    let fits = |header: &[u8], name: &str| {
        let same = |(a, b): (&u8, u8)| a.eq_ignore_ascii_case(&b) || (*a == b'_' && b == b'-');
        header.len() == name.len() && header.iter().zip(name.bytes()).all(same)
    };
    let Some(header) = header.filter(|header| names.iter().any(|name| fits(header, name))) else {
        return;
    };
    let values = match attribute.value.decode() {
        Value::Array(items) => items.iter().map(Value::to_string).collect(),
        value => vec![value.to_string()],
    };
    if let Some(value) = values.iter().find(|value| !is_redacted(value)) {
        let (attribute, note) = (attribute.key.decode(), shown(value).into());
        let class = if header.len() < key.len() && key.starts_with(b"http.req") { "request" } else { "response" };
        sink.found(Fact { class, attribute, note, ..Fact::default() });
    }
}

/// Whether nothing of the credential is left: `***`, `Bearer ***`, `[redacted]`.
fn is_redacted(value: &str) -> bool {
    is_blank(value) || value.split_once(' ').is_some_and(|(_, rest)| is_blank(rest))
}

fn tell(told: &Told<'_>) -> Words {
    let header = told.attribute.rsplit('.').next().unwrap_or(told.attribute);
    let fix = Fix::RedactAttribute { key: told.attribute.to_owned() };
    Words::new(
        format!("the {header} header of the {} was recorded: {}", told.class, told.note),
        "leave the header out of what the instrumentation captures, and replace the credential",
    )
    .fix(fix)
}

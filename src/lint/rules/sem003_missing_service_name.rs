//! SEM003: resources without a service name.
//!
//! Comes in: a resource. Goes out: one fact where nobody said whose it is.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Fix;
use crate::lint::look::ResourceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::otlp::RawValue;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEM003",
    name: "missing-service-name",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Resource,
    summary: "A resource has no service.name, or the one that SDKs make up",
    why: "All such services fall into one, and nobody can tell whose spans they are.",
    when: "",
    bad: "service.name = \"unknown_service:python\"",
    good: "service.name = \"letta-server\"",
    limits: &[],
    unit: None,
    source: "Instrumentation Score RES-005",
    url: "https://github.com/instrumentation-score/spec",
    check: Check { resource: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    if look.is_scope {
        return;
    }
    let value = look.attributes.iter().rev().find(|attribute| attribute.key.is("service.name")).map(|a| &a.value);
    let name = value.map(|value| value.decode().to_string()).unwrap_or_default();
    let class = match (value, name.as_str()) {
        (None | Some(RawValue::Empty), _) => "missing",
        (_, "") => "empty",
        (_, name) if name.starts_with("unknown_service") => "unknown",
        _ => return,
    };
    sink.found(Fact { class, attribute: "service.name".into(), note: name.into(), ..Fact::default() });
}

fn tell(told: &Told<'_>) -> Words {
    let message = match told.class {
        "missing" => "the resource has no service.name".to_owned(),
        "empty" => "service.name is empty".to_owned(),
        _ => format!("service.name is {:?}", told.note),
    };
    let (key, example) = ("service.name".to_owned(), "my-service".to_owned());
    Words::new(message, "set OTEL_SERVICE_NAME, or service.name in the SDK's resource")
        .fix(Fix::SetResourceAttribute { key, example })
}

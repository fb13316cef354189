//! BUD006: parameters that are to be left out, recorded all the same.
//!
//! Comes in: parameter.* attributes. Goes out: one fact a parameter whose value is more than a note.

use super::sizes::{size, value_bytes};
use crate::agent::{NEVER_SKIPPED, SKIPPED, is_exclusion_note};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::{Fix, Unit};
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD006",
    name: "excluded-parameter",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A parameter that must not be recorded holds its value",
    why: "Letta leaves these parameters out because they are huge or private; a note stands in their place.",
    when: "",
    bad: "parameter.agent_state = \"AgentState(id=..., memory=...)\"",
    good: "parameter.agent_state = \"<AgentState (excluded, id=agent-1)>\"",
    limits: &LIMITS,
    unit: Some(Unit::Bytes),
    source: "letta 0.16.8 SKIP_PARAMS in letta/otel/tracing.py",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/tracing.py",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit {
        key: "excluded",
        default: Preset::Words(&SKIPPED),
        unit: None,
        about: "names of parameters to be left out; a trailing * stands for anything",
    },
    Limit { key: "never", default: Preset::Words(&NEVER_SKIPPED), unit: None, about: "names that are always recorded" },
];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if !look.hints.has(Hints::PARAMETER) {
        return;
    }
    for attribute in look.span.attributes() {
        let Some(name) = attribute.key.raw.strip_prefix(b"parameter.") else { continue };
        let named = |word: &String| match word.strip_suffix('*') {
            Some(start) => name.starts_with(start.as_bytes()),
            None => name == word.as_bytes(),
        };
        if !look.words(0).iter().any(named) || look.words(1).iter().any(named) {
            continue;
        }
        let left_out =
            attribute.value.text().is_some_and(|text| text.raw.len() < 4096 && is_exclusion_note(&text.decode()));
        if !left_out {
            let observed = Some(value_bytes(&attribute.value));
            sink.found(Fact { class: "value", attribute: attribute.key.decode(), observed, ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    let key = told.attribute;
    let message =
        format!("{key} holds {}; only a note like \"<AgentState (excluded, id=...)>\" is allowed", size(told.observed));
    Words::new(message, "leave the parameter out").fix(Fix::RemoveAttribute { key: key.to_owned() })
}

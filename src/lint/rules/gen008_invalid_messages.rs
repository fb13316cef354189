//! GEN008: messages that nobody can read.
//!
//! Comes in: the messages of a span in OpenTelemetry's keys. Goes out: one fact an attribute that is no JSON or not of its schema.

use crate::agent::{Flaw, flaw_of_json};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Needs, Rule, Scope, Severity};
use crate::lint::talk::KEYS;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "GEN008",
    name: "invalid-messages",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "Recorded messages are not what their schema asks for",
    why: "No tool can show the conversation, and evaluations leave it out.",
    when: "gen_ai.input.messages, gen_ai.output.messages, gen_ai.system_instructions, gen_ai.tool.definitions or gen_ai.tool.call.arguments is cut off, is not JSON, or is not of its schema. The older form with role and content is in order.",
    bad: "gen_ai.input.messages that is cut off after 65,536 bytes",
    good: "[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"hello\"}]}]",
    limits: &[],
    unit: None,
    source: "OpenTelemetry GenAI semantic conventions 1.41.1, schemas of messages",
    url: "https://github.com/open-telemetry/semantic-conventions-genai",
    check: Check { span: Some(check), needs: Needs::TALK, ..Check::NONE },
    tell,
};

/// What a tool was given.
const ARGUMENTS: &str = "gen_ai.tool.call.arguments";

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let mut told: Vec<&str> = Vec::new();
    for defect in look.talk.iter().flat_map(|talk| &talk.said.defects) {
        let Some(class) = class(&defect.flaw).filter(|_| KEYS.contains(&defect.key.as_str())) else { continue };
        // One attribute, one fact: the first flaw tells enough.
        if !told.contains(&defect.key.as_str()) {
            told.push(&defect.key);
            found(class, &defect.key, &defect.flaw, sink);
        }
    }
    if look.hints.has(Hints::GEN_AI)
        && let Some(text) = look.span.attribute(ARGUMENTS).and_then(|value| value.text())
        && let Some(flaw) = flaw_of_json(&text.decode())
        && let Some(class) = class(&flaw)
    {
        found(class, ARGUMENTS, &flaw, sink);
    }
}

fn found(class: &'static str, key: &str, flaw: &Flaw, sink: &mut Sink<'_>) {
    let verb = match flaw {
        Flaw::NotObject { .. } | Flaw::NoRole { .. } | Flaw::NoParts { .. } => ": ",
        _ => " is ",
    };
    sink.found(Fact { class, attribute: key.into(), note: format!("{verb}{flaw}").into(), ..Fact::default() });
}

/// What kind of flaw it is; `None` for an older form, and for what is only too much to read.
fn class(flaw: &Flaw) -> Option<&'static str> {
    match flaw {
        Flaw::Truncated { .. } | Flaw::Cut { .. } => Some("truncated"),
        Flaw::NotJson { .. } => Some("not JSON"),
        Flaw::NotArray => Some("not an array"),
        Flaw::NotObject { .. } | Flaw::NoRole { .. } | Flaw::NoParts { .. } => Some("item"),
        Flaw::OldForm { .. } | Flaw::BadArguments { .. } | Flaw::TooLarge { .. } | Flaw::TooMany { .. } => None,
    }
}

fn tell(told: &Told<'_>) -> Words {
    let help = match told.class {
        "truncated" => "leave long contents out instead of cutting the JSON, or raise the limit of attribute values",
        "not JSON" => "write JSON, not what the language prints",
        _ if told.attribute == ARGUMENTS => "write one JSON value",
        _ => "write an array of objects with a role and parts",
    };
    Words::new(format!("{}{}", told.attribute, told.note), help)
}

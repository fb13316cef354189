//! BUD008: values that stand for something nobody could print.
//!
//! Comes in: texts. Goes out: one fact a key whose value says nothing but that there was one.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::hints::Hints;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD008",
    name: "serialization-failed",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A value could not be printed, or only its type and address were",
    why: "The attribute takes space and says nothing.",
    when: "a text that fits one of patterns. What exceptions say (exception.*) is left alone: it is a text about objects.",
    bad: "parameter.tools = \"<serialization failed: RecursionError>\"",
    good: "parameter.tools = \"['search', 'fetch']\"",
    limits: &LIMITS,
    unit: None,
    source: "letta 0.16.8 letta/otel/tracing.py; default representations of Python and JavaScript",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/tracing.py",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::patterns(
    "patterns",
    &["^<serialization failed:", "<[^<>]+ object at 0x[0-9a-f]+>", r"\[object Object\]", r"<[^<>]+ with \d+ items>"],
    "what such values look like",
)];

/// How much of a value is told.
const TOLD: usize = 60;

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if look.is_usual(0) && !look.hints.has(Hints::UNPRINTED) {
        return;
    }
    for attribute in &look.span.pool {
        // What an exception says is a text about objects, not one of them.
        let Some(text) = attribute.value.text().filter(|_| !attribute.key.raw.starts_with(b"exception.")) else {
            continue;
        };
        let text = text.decode();
        let found = look.patterns(0).iter().find_map(|pattern| pattern.find(text.as_bytes()));
        let Some(range) = found else { continue };
        // What begins such a value goes on up to its bracket.
        let end = if text.get(range.clone()).is_some_and(|part| part.ends_with(':')) {
            text.get(range.end..).and_then(|rest| rest.find('>')).map_or(text.len(), |at| range.end + at + 1)
        } else {
            range.end
        };
        let part = text.get(range.start..end).unwrap_or(&text);
        let class = if part.len() == text.trim().len() { "value" } else { "inside" };
        let note: String = part.chars().take(TOLD).collect();
        sink.found(Fact { class, attribute: attribute.key.decode(), note: note.into(), ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let place = if told.class == "value" { "in the place of a value" } else { "inside its value" };
    Words::new(
        format!("{} holds {:?} {place}", told.attribute, told.note),
        "record what can be printed: ids, names, counts; or give the class a representation",
    )
}

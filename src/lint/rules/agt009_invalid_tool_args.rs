//! AGT009: arguments that a tool cannot take.
//!
//! Comes in: the arguments of a tool as recorded, and those a model asked for with the schemas it was given. Goes out: one fact a
//! call whose arguments are no JSON or do not fit the schema.

use super::schema::misfit;
use crate::agent::{Convention, Conversation, Flaw, Tool, ToolCall, is_exclusion_note, python_json};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Preset, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT009",
    name: "invalid-tool-args",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "The arguments of a tool are not JSON, or do not fit its schema",
    why: "The tool fails, or does something else than what was meant.",
    when: "",
    bad: "get_weather({\"town\": \"Bern\"}): missing required \"city\"",
    good: "get_weather({\"city\": \"Bern\"})",
    limits: &LIMITS,
    unit: None,
    source: "tracelint R1 and R6",
    url: "https://json-schema.org/draft/2020-12/json-schema-validation",
    check: Check { span: Some(check), needs: Needs::TALK, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit {
    key: "schema",
    default: Preset::Flag(true),
    unit: None,
    about: "compare arguments with the schema of the tool, where the model was given one on the same span",
}];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let Some(act) = look.act else { return };
    if let Some(tool) = act.tool.as_ref().filter(|tool| is_broken(tool, act.convention)) {
        found("not JSON", &tool.name, "", sink);
    }
    let Some(talk) = look.talk.filter(|talk| is_whole(talk)) else { return };
    for call in talk.calls() {
        if call.is_broken() && python_json(&call.arguments).is_none() {
            found("not JSON", &call.name, "", sink);
        } else if look.flag(0)
            && let Some(why) = unfit(call, talk)
        {
            found("schema", &call.name, &why, sink);
        }
    }
}

fn found(class: &'static str, tool: &str, why: &str, sink: &mut Sink<'_>) {
    sink.found(Fact { class, note: format!("{tool}\n{why}").into(), ..Fact::default() });
}

/// Whether what a tool was given is no JSON. Python's repr is as good; what a convention writes as plain text is judged only where it
/// looks like JSON, and Letta records values that were read already.
fn is_broken(tool: &Tool<'_>, convention: Convention) -> bool {
    let Some(arguments) = tool.arguments.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
        return false;
    };
    let strict = matches!(convention, Convention::OtelGenAi | Convention::Vercel | Convention::Adk);
    let judged = convention != Convention::Letta && (strict || arguments.starts_with(['{', '[']));
    judged
        && serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_err()
        && !is_exclusion_note(arguments)
        && python_json(arguments).is_none()
}

/// Whether the messages were recorded to their end: what a recorder cut says nothing about the model.
fn is_whole(talk: &Conversation) -> bool {
    let cut = |flaw: &Flaw| matches!(flaw, Flaw::Truncated { .. } | Flaw::Cut { .. } | Flaw::NotJson { .. });
    !talk.defects.iter().any(|defect| cut(&defect.flaw))
}

/// Where the arguments that a model asked for do not fit the schema it was given.
fn unfit(call: &ToolCall, talk: &Conversation) -> Option<String> {
    let schema = talk.tools.iter().find(|tool| tool.name == call.name)?.schema.as_ref()?;
    misfit(schema, call.values.as_ref().filter(|values| values.is_object())?)
}

fn tell(told: &Told<'_>) -> Words {
    let (tool, why) = told.note.split_once('\n').unwrap_or((told.note, ""));
    let tool = if tool.is_empty() { "a tool" } else { tool };
    match told.class {
        "schema" => Words::new(
            format!("the arguments of {tool} do not fit its schema: {why}"),
            "check arguments before the tool runs, and give the model what is wrong with them",
        ),
        _ => Words::new(
            format!("the arguments of {tool} are not valid JSON"),
            "check arguments before the tool runs; allow more output tokens where they were cut",
        ),
    }
}

//! AGT009: arguments that a tool cannot take.
//!
//! Comes in: the arguments of a tool as recorded, and those a model asked for, with the schemas that models of the trace were given.
//! Goes out: one fact a call whose arguments are no JSON or do not fit the schema.

use hashbrown::HashMap;
use serde_json::Value as Json;

use super::schema::misfit;
use crate::agent::{
    self, Convention, Conversation, Definition, Flaw, Outline, Role, Tool, flaw_of_json, json_or_python, python_json,
};
use crate::capture::SpanRef;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::{DumpLook, SpanLook};
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
    check: Check { span: Some(check_span), dump: Some(check), needs: Needs::TALK, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit {
    key: "schema",
    default: Preset::Flag(true),
    unit: None,
    about: "compare arguments with the schema of the tool, where a model of the trace was given one",
}];

fn check_span(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let Some(act) = look.act else { return };
    if let Some(tool) = act.tool.as_ref().filter(|tool| is_broken(tool, act.convention)) {
        sink.found(fact("not JSON", &tool.name, ""));
    }
    let Some(Outline { said, offer }) = look.talk.filter(|talk| is_whole(&talk.said)) else { return };
    let tools = offer.as_ref().map(|offer| offer.tools.as_slice()).unwrap_or_default();
    for call in said.calls().filter(|call| !call.hosted) {
        let values = || call.values.clone().or_else(|| serde_json::from_str(&python_json(&call.arguments)?).ok());
        if call.is_broken() && values().is_none() {
            sink.found(fact("not JSON", &call.name, ""));
        } else if look.flag(0)
            && let Some(why) = schema(tools, &call.name).and_then(|schema| misfit(schema, &values()?))
        {
            sink.found(fact("schema", &call.name, &why));
        }
    }
}

/// The schema of a tool.
fn schema<'t>(tools: &'t [Definition], name: &str) -> Option<&'t Json> {
    tools.iter().find(|tool| tool.name == name)?.schema.as_ref()
}

/// A call to a tool whose arguments nobody has judged yet, and the schema that a model before it was given.
struct Open<'k> {
    span: SpanRef,
    name: &'k str,
    schema: &'k Json,
}

/// Tools that ran with arguments that do not fit, where only their own spans record them; and how many say nothing.
fn check(look: &DumpLook<'_>, sink: &mut Sink<'_>) {
    let mut open = Vec::new();
    let (mut silent, mut free) = (0, 0);
    for trace in look.forest.traces().filter(|_| look.capture.has_briefs()) {
        let offers = Offers::of(look, trace.spans);
        for &span in trace.spans.iter().filter(|span| !look.is_copy(**span)) {
            let Some(brief) = look.capture.brief(span).filter(|brief| brief.role == Some(Role::Tool)) else { continue };
            let name = look.capture.text(brief.tool);
            let judged = brief.call_id.and_then(|id| offers.asked.get(&id.get()));
            match (brief.arguments, judged, offers.schema(look, name, look.capture.head(span).start)) {
                (None, None, _) => silent += 1,
                (_, Some(true), _) => {}
                (Some(_), _, Some(schema)) => open.push(Open { span, name, schema }),
                _ => free += 1,
            }
        }
    }
    if silent > 0 {
        sink.not_checked("the arguments of tools were not recorded", silent);
    }
    if !look.flag(0) {
        return;
    }
    if free > 0 {
        sink.not_checked("no schema of their tools was recorded: only whether they are JSON was looked at", free);
    }
    judge(look, &open, sink);
}

/// Reads the spans again, all at once, and holds their arguments against the schemas.
fn judge(look: &DumpLook<'_>, open: &[Open<'_>], sink: &mut Sink<'_>) {
    let spans: Vec<SpanRef> = open.iter().map(|open| open.span).collect();
    let mut found = Vec::new();
    let read = look.capture.again(&spans, &mut |number, span| {
        let Some(open) = open.get(number) else { return };
        let arguments = agent::act(span, Some(Role::Tool)).and_then(|act| act.tool?.arguments);
        let values = arguments.and_then(|arguments| json_or_python(&arguments));
        if let Some(why) = values.and_then(|values| misfit(open.schema, &values)) {
            found.push((number, why));
        }
    });
    if read.is_err() {
        sink.not_checked("their input could not be read once more", spans.len() as u64);
    }
    for (number, why) in found {
        open.get(number).into_iter().for_each(|open| sink.found_at(open.span, fact("schema", open.name, &why)));
    }
}

/// What the models of a trace were offered, and what they asked for.
struct Offers {
    /// When, and the number of the offer.
    offers: Vec<(u64, u32)>,
    /// Calls by fingerprints of their ids: whether their arguments were held against a schema where they were asked for.
    asked: HashMap<u64, bool>,
}

impl Offers {
    fn of(look: &DumpLook<'_>, spans: &[SpanRef]) -> Self {
        let mut all = Self { offers: Vec::new(), asked: HashMap::new() };
        for (span, talk) in spans.iter().filter_map(|span| Some((*span, look.known().talk(*span)?))) {
            all.offers.extend(talk.offer().map(|offer| (look.capture.head(span).start, offer)));
            for asked in talk.asked.iter().filter(|asked| asked.arguments) {
                let tools = talk.offer().map(|offer| look.known().offer(offer)).unwrap_or_default();
                let judged = schema(tools, look.known().word(asked.name)).is_some();
                asked.id.into_iter().for_each(|id| *all.asked.entry(id).or_default() |= judged);
            }
        }
        all.offers.sort_unstable();
        all
    }

    /// The schema of a tool in the last offer before it that has one, or else in any.
    fn schema<'k>(&self, look: &DumpLook<'k>, name: &str, start: u64) -> Option<&'k Json> {
        let (before, after) = self.offers.split_at(self.offers.partition_point(|(time, _)| *time <= start));
        let mut all = before.iter().rev().chain(after);
        all.find_map(|(_, offer)| schema(look.known().offer(*offer), name))
    }
}

fn fact(class: &'static str, tool: &str, why: &str) -> Fact<'static> {
    let note = format!("{tool}\n{why}");
    Fact { class, apart: note.clone().into(), note: note.into(), ..Fact::default() }
}

/// Whether what a tool was given is no JSON. What a convention writes as plain text or as its language prints it is judged only
/// where it looks like JSON and is not Python's, and Letta records values that were read already. What its producer cut or left out
/// says nothing about the model.
fn is_broken(tool: &Tool<'_>, convention: Convention) -> bool {
    let Some(arguments) = tool.arguments.as_deref().map(str::trim) else { return false };
    let strict = matches!(convention, Convention::OtelGenAi | Convention::Vercel | Convention::Adk);
    let judged = strict || (arguments.starts_with(['{', '[']) && python_json(arguments).is_none());
    convention != Convention::Letta
        && judged
        && flaw_of_json(arguments).is_some_and(|flaw| !matches!(flaw, Flaw::Cut { .. }))
}

/// Whether the messages were recorded to their end: what a recorder cut says nothing about the model.
fn is_whole(talk: &Conversation) -> bool {
    let cut = |flaw: &Flaw| matches!(flaw, Flaw::Truncated { .. } | Flaw::Cut { .. } | Flaw::NotJson { .. });
    !talk.defects.iter().any(|defect| cut(&defect.flaw))
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

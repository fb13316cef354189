//! ERR010: steps that began and never ended.
//!
//! Comes in: events of a span, and the spans by which Letta begins and ends steps. Goes out: one fact where an end is missing.

use crate::agent::StepMark;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::{SpanLook, TraceLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR010",
    name: "unfinished-step",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A step or a tool began and never finished",
    why: "Letta exports the span of a step only when the step succeeds: what is missing is just the step that went wrong.",
    when: "Letta: more *._step_checkpoint_start than agent_step or *._step_checkpoint_finish; or a start event of pairs without an end on its span. A run without any end event is not judged: nearly no convention records one, so its absence proves nothing.",
    bad: "three *._step_checkpoint_start, two agent_step",
    good: "an agent_step for every step that began",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "letta 0.16.8 agents/letta_agent_v2.py and letta_agent_v3.py",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/agents/letta_agent_v2.py",
    check: Check { span: Some(check_span), trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words(
    "pairs",
    &["tool_execution_started=tool_execution_completed"],
    "events that must be followed by others on their span: start=end, or start=end|other end",
)];

fn check_span(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let events = &look.span.events;
    if events.is_empty() {
        return;
    }
    for pair in look.words(0) {
        let Some((start, ends)) = pair.split_once('=') else { continue };
        let started = events.iter().filter(|event| event.name.is(start)).count();
        if started > 0 && !events.iter().any(|event| ends.split('|').any(|end| event.name.is(end.trim()))) {
            let (observed, note) = (Some(started as u64), format!("{start} {ends}").into());
            sink.found(Fact { class: "events", observed, note, ..Fact::default() });
        }
    }
}

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.started == 0 {
        return;
    }
    // What was sent twice began once.
    let count = |mark: StepMark| {
        let heads = look.spans.iter().map(|span| look.head(*span));
        let mut ids: Vec<_> =
            heads.filter(|head| look.known().step_mark(head.name) == Some(mark)).map(|head| head.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len() as u64
    };
    let (started, ended) = (count(StepMark::Started), count(StepMark::Step).max(count(StepMark::Finished)));
    if started <= ended {
        return;
    }
    // The last one is the one that did not come to its end.
    let began = |span| look.known().step_mark(look.head(span).name) == Some(StepMark::Started);
    let last = look.spans.iter().copied().filter(|span| began(*span)).max_by_key(|span| {
        let head = look.head(*span);
        (head.start, head.id)
    });
    if let Some(span) = last {
        let (observed, limit) = (Some(started), Some(ended));
        sink.found_at(span, Fact { class: "steps", observed, limit, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    match (told.class, told.note.split_once(' ')) {
        ("events", Some((start, end))) => Words::new(
            format!("{} has {start} and no {}", told.span_name, end.replace('|', " or ")),
            "record the end of what was started in a finally block",
        ),
        _ => {
            let steps = if told.observed == 1 { "step" } else { "steps" };
            Words::new(
                format!("{} {steps} started, {} finished: no agent_step span for the rest", told.observed, told.limit),
                "see which error or cancellation ended the run; the step's own span was never exported",
            )
        }
    }
}

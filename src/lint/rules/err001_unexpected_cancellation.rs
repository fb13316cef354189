//! ERR001: cancellations that nobody asked for.
//!
//! Comes in: a tree with its cancellations. Goes out: one fact a cancelled task, at the span where it happened.

use super::endings::{Ending, ending, short};
use crate::capture::EventDetail;
use crate::forest::Flags;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Needs, Rule, Scope, Severity};
use crate::model::{Outcome, Value, timestamp};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR001",
    name: "unexpected-cancellation",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A task was cancelled or timed out without anybody asking for it",
    why: "The run lost work: a client timeout, a shutdown, or a bug that cancels its neighbours.",
    when: "",
    bad: "asyncio.CancelledError in AnthropicClient.stream_async",
    good: "RunCancelledException: somebody asked for the end",
    limits: &[],
    unit: None,
    source: "letta 0.16.8 async_wrapper, streaming_response.py, letta_stop_reason.py; [lint.errors] expected and unexpected name more types",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/tracing.py",
    check: Check { trace: Some(check), needs: Needs::DETAIL, ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let counts = look.tree.counts();
    if counts.cancelled == 0 && counts.errors == 0 {
        return;
    }
    for (at, node, span) in look.nodes() {
        let kind = look.known().exception(span);
        let in_tree = node.outcome == Outcome::Cancelled;
        let (class, passed) = match ending(look, node, span) {
            Ending::Cancelled if in_tree && node.flags.has(Flags::CANCELLED_HERE) => {
                ("cancelled", u64::from(node.propagated))
            }
            Ending::Cancelled if !in_tree && !has_below(look, at, kind) => {
                ("cancelled", ancestors_with(look, at, kind))
            }
            Ending::Unexpected if !has_below(look, at, kind) => ("timed out", ancestors_with(look, at, kind)),
            Ending::Other if node.outcome == Outcome::Error && is_timeout(kind) && !has_below(look, at, kind) => {
                ("timed out", ancestors_with(look, at, kind))
            }
            _ => continue,
        };
        let up = std::iter::successors(look.tree.parent(at), |&at| look.tree.parent(at));
        let related = up.filter_map(|at| look.tree.nodes().get(at)).filter(|above| above.outcome == node.outcome);
        let related = related.filter_map(|above| above.span).take(passed.min(20) as usize);
        let related = related.map(|span| (span, "propagated")).collect();
        // A cancelled task is a finding of its own; calls that time out are told together.
        let each = class == "cancelled";
        let note = format!("{passed} {kind}").into();
        sink.found_at(span, Fact { class, note, related, each, ..Fact::default() });
    }
}

/// How many ancestors carry the same exception.
fn ancestors_with(look: &TraceLook<'_>, at: usize, kind: &str) -> u64 {
    let up = std::iter::successors(look.tree.parent(at), |&at| look.tree.parent(at));
    let same = |at: &usize| look.span_of(*at).is_some_and(|span| look.known().exception(span) == kind);
    up.take(256).filter(same).count() as u64
}

/// Whether a child carries the same exception.
fn has_below(look: &TraceLook<'_>, at: usize, kind: &str) -> bool {
    let same = |at: usize| look.span_of(at).is_some_and(|span| look.known().exception(span) == kind);
    look.tree.children(at).any(same)
}

fn is_timeout(kind: &str) -> bool {
    let kind = short(kind);
    let ends =
        ["Timeout", "TimeoutError", "TimeoutException", "TimeoutExpired", "DeadlineExceeded", "DeadlineExceededError"];
    ends.iter().any(|end| kind.ends_with(end))
}

fn tell(told: &Told<'_>) -> Words {
    let event = told.detail.and_then(|detail| detail.events.iter().rev().find(|event| event.name == "exception"));
    let text = |key: &str| event.and_then(|event| event.text(key)).filter(|text| !text.is_empty());
    let status = told.detail.map(|detail| detail.message.as_str()).filter(|message| !message.is_empty());
    let (passed, logged) = told.note.split_once(' ').unwrap_or((told.note, ""));
    let default = if told.class == "cancelled" { "a cancellation" } else { "a timeout" };
    let default = Some(logged).filter(|logged| !logged.is_empty()).or(status).unwrap_or(default);
    let kind = match (text("exception.type"), text("exception.message")) {
        // Go tells all of its errors by what they say.
        (Some(kind), Some(message)) if kind.contains("errorString") => message,
        (kind, message) => kind.or(message).unwrap_or(default),
    };
    let function = text("function.name").filter(|function| !told.span_name.ends_with(function));
    let function = function.map(|function| format!(", function {function}")).unwrap_or_default();
    let mut known: Vec<String> = text("task.name").map(|task| format!("task {task}")).into_iter().collect();
    known.extend(event.and_then(when).map(|time| format!("cancelled {time}")));
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    let passed = match passed {
        "0" => String::new(),
        "1" => "; propagated through 1 span".to_owned(),
        passed => format!("; propagated through {passed} spans"),
    };
    Words::new(
        format!("{kind} in {}{function}{known}{passed}", told.span_name),
        "find who cancelled it: a client timeout, a shutdown, or a task group that gave up; record an expected end as such",
    )
}

/// The time of day at which it was cancelled.
fn when(event: &EventDetail) -> Option<String> {
    let time = event.attributes.iter().find(|attribute| attribute.key == "cancellation.timestamp")?;
    let nanos = match &time.value {
        Value::Int(nanos) => u64::try_from(*nanos).ok()?,
        Value::String(nanos) => nanos.parse().ok()?,
        _ => return None,
    };
    timestamp(nanos, false).get(11..23).map(str::to_owned)
}

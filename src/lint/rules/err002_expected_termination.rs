//! ERR002: ends that somebody asked for.
//!
//! Comes in: a tree with its cancellations. Goes out: one fact an end; those whose status says error are always told, the others
//! only where that is asked for.

use super::endings::{Ending, ending};
use crate::forest::{Flags, Node};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::model::Status;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR002",
    name: "expected-termination",
    severity: Severity::Info,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A run or stream ended because somebody asked for it",
    why: "It is no failure: with status ERROR it counts as one all the same, in every error rate.",
    when: "an exception of a type that is an expected end (RunCancelledException, PendingApprovalError, GeneratorExit, StopAsyncIteration, EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, and those of [lint.errors] expected), HTTP or provider status 499, gRPC CANCELLED on a server, or a stop reason cancelled; exceptions recorded as logs count.",
    bad: "RunCancelledException with status ERROR",
    good: "RunCancelledException with status UNSET",
    limits: &LIMITS,
    unit: None,
    source: "letta 0.16.8 streaming_response.py; recording errors: the status must be left unset if the operation ended without errors",
    url: "https://opentelemetry.io/docs/specs/semconv/general/recording-errors/",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit {
    key: "report",
    default: Preset::Flag(false),
    unit: None,
    about: "tell those too whose status is in order; --show-info does so",
}];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let counts = look.tree.counts();
    if counts.cancelled == 0 && counts.errors == 0 {
        return;
    }
    let is_expected = |node: &Node| node.span.is_some_and(|span| ending(look, node, span) == Ending::Expected);
    let failed = |node: &Node| {
        node.span.is_some_and(|span| look.head(span).marks.status() == Status::Error) && is_expected(node)
    };
    for (at, node, span) in look.nodes().filter(|(_, node, _)| is_expected(node)) {
        // The deepest one is told: those above it only hand it on.
        let below = look.tree.children(at).filter_map(|at| look.tree.nodes().get(at)).any(failed);
        let class = match failed(node) {
            true if !below => "status error",
            false if look.flag(0) && node.flags.has(Flags::CANCELLED_HERE) => "expected",
            _ => continue,
        };
        let note = look.known().exception(span).into();
        sink.found_at(span, Fact { class, note, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let by = if told.note.is_empty() { "a request to stop" } else { told.note };
    match told.class {
        "status error" => Words::new(
            format!("{} ended by {by}; status ERROR inflates error rates", told.span_name),
            "leave the status UNSET, or set it to OK",
        ),
        _ => Words::new(format!("{} ended by {by}, as somebody asked for", told.span_name), ""),
    }
}

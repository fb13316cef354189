//! TRE009: calls of one run that are traces of their own.
//!
//! Comes in: all traces. Goes out: one fact for calls to models and tools that stand alone and belong together: by their
//! conversation, or because one service made them within a short time.

use std::collections::BTreeMap;

use crate::agent::Role;
use crate::capture::{Brief, NameId, SpanRef};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::DumpLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "TRE009",
    name: "fragmented-run",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Dump,
    summary: "Calls of one run are traces of their own",
    why: "Nobody sees the run: its steps, its costs and its loops are spread over traces that do not know of each other.",
    when: "",
    bad: "9 calls to a model in 9 traces, one conversation",
    good: "one span around the loop, with the calls below it",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "traceloop/openllmetry issue 4347",
    url: "https://github.com/traceloop/openllmetry/issues/4347",
    check: Check { dump: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 2] = [
    Limit::number("min", 2, 3, Unit::Count, "calls that stand alone before anything is said"),
    Limit::number(
        "window",
        1,
        60_000_000_000,
        Unit::Nanos,
        "the time in which one service makes them, where no conversation is told",
    ),
];

fn check(look: &DumpLook<'_>, sink: &mut Sink<'_>) {
    if !look.capture.has_briefs() {
        return;
    }
    let least = look.limit(0).and_then(|least| usize::try_from(least).ok()).unwrap_or(usize::MAX).max(2);
    let window = look.limit(1).unwrap_or(0);
    let mut talks: BTreeMap<NameId, Vec<SpanRef>> = BTreeMap::new();
    let mut services: BTreeMap<NameId, Vec<SpanRef>> = BTreeMap::new();
    for trace in look.forest.traces() {
        // What was sent twice is one span.
        let mut once = trace.spans.iter().filter(|span| trace.spans.len() == 1 || !look.is_copy(**span));
        let (Some(span), None) = (once.next(), once.next()) else { continue };
        let Some(brief) = look.capture.brief(*span).filter(|brief| is_call(brief)) else { continue };
        let service = look.capture.origin(look.capture.head(*span).origin).service;
        // Calls that name their conversations and differ in them are no single run.
        if !brief.conversation.is_empty() {
            talks.entry(brief.conversation).or_default().push(*span);
        } else if !service.is_empty() {
            services.entry(service).or_default().push(*span);
        }
    }
    for spans in talks.values_mut().filter(|spans| spans.len() >= least) {
        sort(look, spans);
        found("conversation", Confidence::Proven, spans, sink);
    }
    for spans in services.values_mut().filter(|spans| spans.len() >= least) {
        sort(look, spans);
        let mut rest = spans.as_slice();
        while let Some((first, _)) = rest.split_first() {
            let until = look.capture.head(*first).start.saturating_add(window);
            let (near, far) = rest.split_at(rest.partition_point(|span| look.capture.head(*span).start <= until));
            let enough = near.len() >= least;
            if enough {
                found("service", Confidence::Likely, near, sink);
            }
            rest = if enough { far } else { rest.get(1..).unwrap_or_default() };
        }
    }
}

fn is_call(brief: &Brief) -> bool {
    matches!(brief.role, Some(Role::Llm | Role::Tool))
}

fn sort(look: &DumpLook<'_>, spans: &mut [SpanRef]) {
    spans.sort_by_key(|span| (look.capture.head(*span).start, look.capture.head(*span).id));
}

fn found(class: &'static str, confidence: Confidence, spans: &[SpanRef], sink: &mut Sink<'_>) {
    let Some((first, others)) = spans.split_first() else { return };
    let related = others.iter().take(20).map(|span| (*span, "alone")).collect();
    let observed = Some(spans.len() as u64);
    sink.found_at(*first, Fact { class, observed, confidence: Some(confidence), related, ..Fact::default() });
}

fn tell(told: &Told<'_>) -> Words {
    let what = if told.class == "conversation" { "of one conversation" } else { "of one service in a short time" };
    Words::new(
        format!("{} calls {what} are {} traces of one span each", told.observed, told.observed),
        "wrap the loop in one span, so that its calls become one trace",
    )
}

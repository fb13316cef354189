//! GEN006: one call to a model recorded by two instrumentations.
//!
//! Comes in: the calls of a trace and the spans that stand for each. Goes out: one fact a span that records a call once more.

use crate::agent::Tokens;
use crate::capture::SpanRef;
use crate::ledger::Kind;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "GEN006",
    name: "double-instrumented-call",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "Two instrumentations record the same call to a model",
    why: "Whoever adds tokens and costs up counts the call twice.",
    when: "one call to a model stands inside another, nine tenths of the longer one overlap, their models do not differ, their scopes do, and both report the same usage or one of them reports none. Tokens of the cache may be counted inside the prompt or beside it.",
    bad: "a span of openllmetry inside one of openinference, same model, same usage",
    good: "one instrumentation for each client library",
    limits: &[],
    unit: None,
    source: "own",
    url: "",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts < 2 {
        return;
    }
    let account = look.account();
    if account.calls().iter().all(|call| account.own(call.node).duplicate_calls == 0) {
        return;
    }
    for (at, _, span) in look.nodes() {
        let Some((call, false)) = account.call(at) else { continue };
        if call.kind != Kind::Model || !overlap(look, call.span, span) || !is_usage_twice(look, call.span, span) {
            continue;
        }
        let scope = |span: SpanRef| look.capture.origin(look.head(span).origin).scope;
        let (outer, inner) = (scope(call.span), scope(span));
        if outer != inner {
            let note = format!("{} and {}", named(look.capture.text(outer)), named(look.capture.text(inner)));
            let related = vec![(call.span, "the same call")];
            sink.found_at(span, Fact { class: "twice", note: note.into(), related, ..Fact::default() });
        }
    }
}

/// Whether nine tenths of the longer of two spans overlap: what was tried several times is longer than each try.
fn overlap(look: &TraceLook<'_>, a: SpanRef, b: SpanRef) -> bool {
    let (a, b) = (look.head(a), look.head(b));
    let overlap = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    overlap >= a.duration().0.max(b.duration().0) / 10 * 9
}

/// Whether both report the same usage, or one of them reports none.
fn is_usage_twice(look: &TraceLook<'_>, outer: SpanRef, inner: SpanRef) -> bool {
    let usage = |span: SpanRef| look.capture.brief(span).map(|brief| brief.tokens()).unwrap_or_default();
    let (outer, inner) = (usage(outer), usage(inner));
    let said = |tokens: &Tokens| tokens.input.is_some() || tokens.output.is_some();
    !said(&outer) || !said(&inner) || (outer.output == inner.output && is_prompt_the_same(&outer, &inner))
}

/// Whether two counts of a prompt agree, one of them perhaps without what the cache held.
fn is_prompt_the_same(a: &Tokens, b: &Tokens) -> bool {
    let whole = |of: &Tokens| {
        let cached = of.cache_read.unwrap_or(0).saturating_add(of.cache_write.unwrap_or(0));
        of.input.map(|input| input.saturating_add(cached))
    };
    a.input == b.input || whole(a) == b.input || a.input == whole(b)
}

fn named(scope: &str) -> &str {
    if scope.is_empty() { "a scope without a name" } else { scope }
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("the call of {:?} is recorded twice, by {}", told.span_name, told.note),
        "switch one of the two instrumentations off",
    )
}

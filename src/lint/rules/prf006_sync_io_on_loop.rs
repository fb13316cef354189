//! PRF006: queries that hold up the event loop.
//!
//! Comes in: all spans. Goes out: one fact a span of an instrumentation that speaks only while an event loop is running.

use std::collections::BTreeMap;

use crate::capture::OriginId;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::DumpLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "PRF006",
    name: "sync-io-on-loop",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Dump,
    summary: "A synchronous query runs on the event loop",
    why: "While it runs nothing else does: every other request of the process waits.",
    when: "",
    bad: "db_operation of scope sqlalchemy_sync_instrumentation",
    good: "the same query through an asynchronous session",
    limits: &LIMITS,
    unit: None,
    source: "letta 0.16.8 letta/otel/sqlalchemy_instrumentation.py, which writes spans only while an event loop is running",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/sqlalchemy_instrumentation.py",
    check: Check { dump: Some(check), needs: Needs::DETAIL, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] =
    [Limit::words("scopes", &["sqlalchemy_sync_instrumentation"], "scopes whose db_operation spans are such queries")];

const NAME: &str = "db_operation";

fn check(look: &DumpLook<'_>, sink: &mut Sink<'_>) {
    // The name first: where no span has it, there is nothing to look for.
    let Some(name) = look.capture.texts().position(|text| text == NAME) else { return };
    let mut known: BTreeMap<OriginId, bool> = BTreeMap::new();
    for (span, head) in look.spans().filter(|(_, head)| head.name.0 as usize == name) {
        let scoped = known.entry(head.origin).or_insert_with(|| {
            let scope = look.capture.text(look.capture.origin(head.origin).scope);
            look.words(0).iter().any(|word| word == scope)
        });
        if *scoped {
            sink.found_at(span, Fact { class: "query", ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    let text = |key: &str| told.detail.and_then(|detail| detail.text(key)).filter(|text| !text.is_empty());
    let loader = text("sqlalchemy.loader.class").or_else(|| text("db.operation.type"));
    let parts: Vec<&str> = loader.into_iter().chain(text("sqlalchemy.relationship.key")).collect();
    let what = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(" ")) };
    Words::new(
        format!("synchronous SQL on the event loop{what}"),
        "load it eagerly with the query before, or use the asynchronous session",
    )
}

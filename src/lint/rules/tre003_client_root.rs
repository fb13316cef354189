//! TRE003: traces that begin with an outgoing call.
//!
//! Comes in: a tree. Goes out: one fact a root of kind CLIENT or PRODUCER.

use crate::forest::Flags;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::model::Kind;
use crate::query::name_glob;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "TRE003",
    name: "client-root",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A trace begins with an outgoing call",
    why: "Something made the call, and that span is missing: the context was lost, or nobody traces the caller.",
    when: "",
    bad: "the root is CLIENT span \"POST\"",
    good: "the root is the job or request that sends the POST",
    limits: &LIMITS,
    unit: None,
    source: "Instrumentation Score SPA-004",
    url: "https://github.com/instrumentation-score/spec",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::words("allow", &[], "patterns of names that may begin a trace")];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.tree.counts().roots == 0 {
        return;
    }
    for at in look.tree.tops() {
        let Some(node) = look.tree.nodes().get(at).filter(|node| node.flags.has(Flags::ROOT)) else { continue };
        let Some(span) = node.span else { continue };
        let class = match look.head(span).marks.kind() {
            Kind::Client => "CLIENT",
            Kind::Producer => "PRODUCER",
            _ => continue,
        };
        let mut allowed = look.words(0).iter().filter_map(|pattern| name_glob(pattern).ok());
        if !allowed.any(|glob| glob.is_match(look.capture.name(span))) {
            sink.found_at(span, Fact { class, ..Fact::default() });
        }
    }
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("the trace starts with {} span {:?}: the calling span is missing", told.class, told.span_name),
        "start a span around the work that makes the call, or pass its context on",
    )
}

//! GEN003: calls to models that do not say which model.
//!
//! Comes in: the calls of a trace, each once. Goes out: one fact a call none of whose spans names a model.

use crate::ledger::Kind;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "GEN003",
    name: "missing-model",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A call to a model does not say which model",
    why: "Its tokens cannot be priced, and its latency cannot be compared with anything.",
    when: "",
    bad: "chat span with neither gen_ai.request.model nor gen_ai.response.model",
    good: "gen_ai.request.model = gpt-4o-mini",
    limits: &[],
    unit: None,
    source: "OpenTelemetry GenAI semantic conventions 1.41.1",
    url: "https://github.com/open-telemetry/semantic-conventions-genai",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.brief.acts == 0 {
        return;
    }
    for call in look.account().calls().iter().filter(|call| call.name.is_empty()) {
        let class = match call.kind {
            Kind::Model => "model",
            Kind::Embedding => "embedding model",
            Kind::Rerank | Kind::Tool => continue,
        };
        sink.found_at(call.span, Fact { class, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let help = match told.class {
        "model" => "record gen_ai.request.model and gen_ai.response.model",
        _ => "record gen_ai.request.model",
    };
    Words::new(format!("{} does not say which {} it calls", told.span_name, told.class), help)
}

//! TRE001: spans whose parent is not in the dump.
//!
//! Comes in: a tree with its placeholders. Goes out: one fact a missing parent.

use crate::forest::{Grade, Node};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "TRE001",
    name: "orphan-span",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Trace,
    summary: "A span's parent is missing from its trace",
    why: "The trace is torn: times, errors and tokens are put down to the wrong span, or to none.",
    when: "",
    bad: "\"parentSpanId\": \"7b1c...\" and no span with that id",
    good: "the parent is in the dump, or is marked as remote",
    limits: &[],
    unit: Some(Unit::Count),
    source: "Instrumentation Score SPA-002; opentelemetry-proto SpanFlags",
    url: "https://github.com/instrumentation-score/spec",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    for (at, node) in look.tree.nodes().iter().enumerate().filter(|(_, node)| node.span.is_none()) {
        // An id that is none is STR001's: nobody knows which span it means.
        let means = |child: &&Node| child.span.is_none_or(|span| !look.head(span).marks.bad_parent_id());
        let children: Vec<_> =
            look.tree.children(at).filter_map(|at| look.tree.nodes().get(at)).filter(means).collect();
        let spans: Vec<_> = children.iter().filter_map(|child| child.span).collect();
        let Some(first) = spans.first() else { continue };
        let grades: Vec<Grade> = children.iter().map(|child| child.grade()).collect();
        let (class, severity) = if look.is_partial() {
            ("partial", Severity::Info)
        } else if grades.contains(&Grade::Local) {
            ("local", Severity::Error)
        } else if grades.contains(&Grade::Unknown) {
            ("unknown", Severity::Warn)
        } else {
            ("remote", Severity::Info)
        };
        let related = spans.iter().skip(1).take(5).map(|span| (*span, "sibling")).collect();
        let observed = Some(spans.len() as u64);
        let note = node.id.to_string().into();
        sink.found_at(*first, Fact { class, severity: Some(severity), observed, note, related, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let spans = if told.observed == 1 { "1 span".to_owned() } else { format!("{} spans", told.observed) };
    let lost = if told.observed == 1 { "its" } else { "their" };
    let message = |kind: &str| format!("{spans} lost {lost} parent {} ({kind}): {}", told.note, told.span_name);
    match told.class {
        "local" => Words::new(
            message("local"),
            "the parent never ended or was dropped: end every span, and flush before the process exits",
        ),
        "remote" => {
            Words::new(message("remote"), "another process wrote the parent: lint its dump together with this one")
        }
        "partial" => Words::new(message("the dump is a part"), ""),
        _ => Words::new(message("local or remote, nothing says"), "lint the dumps of all services together"),
    }
}

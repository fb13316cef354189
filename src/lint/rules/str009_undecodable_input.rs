//! STR009: bytes that could not be read as anything.
//!
//! Comes in: the troubles of the reader. Goes out: one fact a kind and input.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::DumpLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};
use crate::otlp::Grade;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "STR009",
    name: "undecodable-input",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Dump,
    summary: "Part of the input does not parse",
    why: "What cannot be read is not judged: the rest may look fine because the worst is missing.",
    when: "",
    bad: "a line that ends in the middle of a document",
    good: "every line is a complete document",
    limits: &[],
    unit: Some(Unit::Count),
    source: "reader of this program; file exporters cut files when they rotate",
    url: "https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/",
    check: Check { dump: Some(check), ..Check::NONE },
    tell,
};

fn check(look: &DumpLook<'_>, sink: &mut Sink<'_>) {
    for trouble in look.capture.troubles().iter().filter(|trouble| trouble.kind.grade() == Grade::Loss) {
        let class = trouble.kind.message();
        let (observed, note) = (Some(trouble.count), trouble.detail.as_str().into());
        sink.found_in(trouble.source, trouble.line, trouble.offset, Fact { class, observed, note, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let times = if told.observed > 1 { format!(" ({} times)", told.observed) } else { String::new() };
    let detail = if told.note.is_empty() { String::new() } else { format!(": {}", told.note) };
    Words::new(format!("the input {}{detail}{times}", told.class), "write the file again, or take a whole one")
}

//! ERR006: a failed child under a parent that says OK.
//!
//! Comes in: a tree. Goes out: one fact a failed child that no retry made good.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::model::{Outcome, Status};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "ERR006",
    name: "swallowed-error",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "A child failed, and its parent says OK",
    why: "The failure does not show where people look: at the top.",
    bad: "tool \"search\" is ERROR, its parent is OK",
    good: "a retry of \"search\" succeeds, or the parent is ERROR too",
    limits: &LIMITS,
    unit: None,
    source: "own; TRAIL system execution errors",
    url: "https://arxiv.org/abs/2505.08638",
    check: Check { trace: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit {
    key: "ignore_unset",
    default: Preset::Flag(true),
    unit: None,
    about: "say nothing where the parent's status is unset",
}];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.tree.counts().failed == 0 {
        return;
    }
    for (at, node, span) in look.nodes() {
        if node.outcome != Outcome::Error {
            continue;
        }
        let Some(parent) = look.tree.parent(at) else { continue };
        let Some(above) = look.span_of(parent) else { continue };
        let severity = match look.head(above).marks.status() {
            Status::Ok => None,
            Status::Unset if !look.flag(0) => Some(Severity::Info),
            _ => continue,
        };
        if !made_good(look, parent, at) {
            let note = look.capture.name(above).into();
            let related = vec![(above, "parent")];
            let class = if severity.is_none() { "ok parent" } else { "unset parent" };
            sink.found_at(span, Fact { class, note, related, severity, ..Fact::default() });
        }
    }
}

/// Whether a later sibling of the same name and role succeeded.
fn made_good(look: &TraceLook<'_>, parent: usize, at: usize) -> bool {
    let facts = |at: usize| {
        let node = look.tree.nodes().get(at)?;
        let head = look.head(node.span?);
        Some((head.name, head.marks.role(), node.start, node.outcome))
    };
    let Some((name, role, start, _)) = facts(at) else { return false };
    look.tree.children(parent).filter_map(facts).any(|(other, other_role, later, outcome)| {
        other == name && other_role == role && later > start && outcome == Outcome::Ok
    })
}

fn tell(told: &Told<'_>) -> Words {
    let status = if told.class == "ok parent" { "OK" } else { "nothing" };
    Words::new(
        format!("{:?} failed, its parent {:?} says {status}", told.span_name, told.note),
        "set the parent's status to ERROR, or record how the failure was handled",
    )
}

//! ERR006: a failed child under a parent that says OK.
//!
//! Comes in: a tree. Goes out: one fact a failed child that no retry made good.

use crate::agent::Role;
use crate::capture::{NameId, SpanRef};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::plan::is_named_alike;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Preset, Rule, Scope, Severity};
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
    when: "",
    bad: "tool \"search\" is ERROR, its parent is OK",
    good: "a retry of \"search\" succeeds, or the parent is ERROR too",
    limits: &LIMITS,
    unit: None,
    source: "own; TRAIL system execution errors",
    url: "https://arxiv.org/abs/2505.08638",
    check: Check { trace: Some(check), needs: Needs::TARGETS.with(Needs::SHAPES), ..Check::NONE },
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

/// Whether a sibling of the same name, role and target that began when this one had failed succeeded.
fn made_good(look: &TraceLook<'_>, parent: usize, at: usize) -> bool {
    let what = |span: SpanRef| {
        let role = look.head(span).marks.role();
        (look.head(span).name, role, role.and_then(|role| target(look, span, role)))
    };
    let Some((node, span)) = look.tree.nodes().get(at).and_then(|node| Some((node, node.span?))) else { return false };
    look.tree.children(parent).filter_map(|at| look.tree.nodes().get(at)).any(|other| {
        let later = other.outcome == Outcome::Ok && other.start >= node.end;
        later && other.span.is_some_and(|other| what(other) == what(span))
    })
}

/// What tells spans of one name and role apart: the server, the queue, the statement but for its values, the tool.
fn target(look: &TraceLook<'_>, span: SpanRef, role: Role) -> Option<Target> {
    let known = look.known();
    match role {
        Role::Tool => look.capture.brief(span).map(|brief| Target::Tool(brief.tool)),
        Role::Db => known.shape(span).map(Target::Statement),
        role if is_named_alike(role) => known.target(span).map(Target::Place),
        _ => None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Tool(NameId),
    Statement(u32),
    Place(u64),
}

fn tell(told: &Told<'_>) -> Words {
    let status = if told.class == "ok parent" { "OK" } else { "nothing" };
    Words::new(
        format!("{:?} failed, its parent {:?} says {status}", told.span_name, told.note),
        "set the parent's status to ERROR, or record how the failure was handled",
    )
}

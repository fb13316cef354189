//! AGT002: failed calls that are tried again at once.
//!
//! Comes in: a tree. Goes out: one fact a run of failed siblings whose pauses do not grow.

use crate::agent::Role;
use crate::capture::SpanRef;
use crate::forest::Node;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Preset, Rule, Scope, Severity};
use crate::model::{Nanos, Outcome};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "AGT002",
    name: "retry-without-backoff",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "A failed call is repeated without growing pauses",
    why: "A service in trouble gets more load, and the retries fail for the same reason.",
    when: "",
    bad: "4 failed POSTs to api.x in 180 ms",
    good: "pauses of 1 s, 2 s, 4 s between the attempts",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "own; letta 0.16.8 db.py retries",
    url: "https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-throttling",
    check: Check { trace: Some(check), needs: Needs::TARGETS, ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 3] = [
    Limit {
        key: "n",
        default: Preset::Least(2, 3),
        unit: Some(Unit::Count),
        about: "failed attempts before anything is said",
    },
    Limit {
        key: "factor",
        default: Preset::Least(1_000, 1_500),
        unit: Some(Unit::Permille),
        about: "how much longer each pause has to be",
    },
    Limit {
        key: "min_gap",
        default: Preset::Number(100_000_000),
        unit: Some(Unit::Nanos),
        about: "the shortest median pause",
    },
];

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    if look.tree.counts().failed < 2 {
        return;
    }
    let mut parents: Vec<Option<usize>> = look
        .nodes()
        .filter(|(_, node, _)| node.outcome == Outcome::Error)
        .map(|(at, ..)| look.tree.parent(at))
        .collect();
    parents.sort_unstable();
    parents.dedup();
    for parent in parents.into_iter().flatten() {
        let mut calls: Vec<Attempt<'_>> = look.tree.children(parent).filter_map(|at| Attempt::of(look, at)).collect();
        // Attempts of one thing stand together, in order of time.
        calls.sort_by_key(|call| (call.what, call.node.start));
        for run in calls.chunk_by(|a, b| a.is_followed_by(b)) {
            judge(look, run, sink);
        }
    }
}

/// A call that may be one of several attempts.
struct Attempt<'a> {
    node: &'a Node,
    span: SpanRef,
    what: (u32, u8),
    target: Option<u64>,
}

impl<'a> Attempt<'a> {
    fn of(look: &TraceLook<'a>, at: usize) -> Option<Self> {
        let node = look.tree.nodes().get(at)?;
        let span = node.span?;
        let head = look.head(span);
        let role = head.marks.role().filter(|role| !matches!(role, Role::Agent | Role::Workflow | Role::Step))?;
        let target = look.known().target(span);
        Some(Self { node, span, what: (head.name.0, role.number()), target })
    }

    fn is_followed_by(&self, next: &Self) -> bool {
        let failed = self.node.outcome == Outcome::Error && next.node.outcome == Outcome::Error;
        failed && self.what == next.what && self.target == next.target && next.node.start >= self.node.end
    }
}

fn judge(look: &TraceLook<'_>, run: &[Attempt<'_>], sink: &mut Sink<'_>) {
    let Some(first) = run.first().filter(|first| first.node.outcome == Outcome::Error) else { return };
    if (run.len() as u64) < look.limit(0).unwrap_or(u64::MAX).max(2) {
        return;
    }
    let mut gaps: Vec<u64> = run.windows(2).filter_map(|pair| gap(pair.first()?, pair.last()?)).collect();
    let factor = look.limit(1).unwrap_or(1000);
    let grows = |pair: &[u64]| matches!(pair, [a, b] if u128::from(*b) * 1000 >= u128::from(*a) * u128::from(factor));
    let none_grows = gaps.len() > 1 && !gaps.windows(2).any(grows);
    gaps.sort_unstable();
    let median = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    if none_grows || median < look.limit(2).unwrap_or(0) {
        let within = run.last().map_or(0, |last| last.node.end.saturating_sub(first.node.start));
        let related = run.iter().skip(1).take(20).map(|call| (call.span, "retry")).collect();
        let (observed, note) = (Some(run.len() as u64), Nanos(within).to_string().into());
        let class = if none_grows { "no backoff" } else { "hardly any pause" };
        sink.found_at(first.span, Fact { class, observed, note, related, ..Fact::default() });
    }
}

fn gap(a: &Attempt<'_>, b: &Attempt<'_>) -> Option<u64> {
    b.node.start.checked_sub(a.node.end)
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!("{:?} failed {}x in {}, {}", told.span_name, told.observed, told.note, told.class),
        "wait longer after each failure, and add some randomness",
    )
}

//! The Instrumentation Score of every service, as far as traces tell it.
//!
//! Comes in: a capture whose inputs can be read again. Goes out: for every service which of the specification's rules it passes, and
//! the score of those. The specification forbids rules of one's own, and asks to say that a score without all rules may be
//! incomplete: that is told with the rules that traces say nothing about. What was sent twice counts once.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;
use serde::Serialize;

use super::score_resources::{Resources, is_of_resources};
use crate::capture::{Capture, SourceId, SpanRef};
use crate::forest::{Forest, Tree};
use crate::input::InputError;
use crate::model::{Kind, SpanId, TraceId};
use crate::otlp::Seen;
use crate::query::Filter;

/// How much a rule weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// 40.
    Critical,
    /// 30.
    Important,
    /// 20.
    Normal,
}

impl Impact {
    /// Its weight.
    pub fn weight(self) -> u64 {
        match self {
            Self::Critical => 40,
            Self::Important => 30,
            Self::Normal => 20,
        }
    }

    /// The lower-case name used everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Important => "important",
            Self::Normal => "normal",
        }
    }
}

/// A rule of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ScoreRule {
    /// Its id.
    pub id: &'static str,
    /// How much it weighs.
    pub impact: Impact,
    /// What it asks for.
    pub about: &'static str,
}

/// The specification that holds: its version, the commit that was read, and where it is kept.
pub const SPECIFICATION: [(&str, &str); 3] =
    [("version", "0.1"), ("commit", "e6ee222"), ("url", "https://github.com/instrumentation-score/spec")];

const fn rule(id: &'static str, impact: Impact, about: &'static str) -> ScoreRule {
    ScoreRule { id, impact, about }
}

/// The rules that traces tell something about, in the order in which they are judged.
pub const SCORED: [ScoreRule; 9] = [
    rule("RES-001", Impact::Normal, "service.instance.id is present"),
    rule("RES-002", Impact::Important, "service.instance.id is unique across workloads"),
    rule("RES-003", Impact::Important, "k8s.pod.uid is present on Kubernetes"),
    rule("RES-004", Impact::Important, "attributes stand at the right level"),
    rule("RES-005", Impact::Critical, "service.name is present"),
    rule("SPA-001", Impact::Normal, "at most 10 internal spans per service and trace"),
    rule("SPA-002", Impact::Normal, "no orphan spans"),
    rule("SPA-004", Impact::Important, "root spans are not client spans"),
    rule("SPA-005", Impact::Important, "at most 20 spans under 5 ms per trace"),
];

/// The rules that are not computed, and why.
pub const UNSCORED: [(&str, &str); 10] = [
    ("SPA-003", "the specification gives no criteria"),
    ("LOG-001", "about logs"),
    ("LOG-002", "about logs"),
    ("MET-001", "about metrics"),
    ("MET-002", "about metrics"),
    ("MET-003", "about metrics"),
    ("MET-004", "about metrics"),
    ("MET-005", "about metrics"),
    ("MET-006", "about metrics"),
    ("SDK-001", "about what SDKs support"),
];

/// How a service stands to one rule.
#[derive(Clone, Debug, Serialize)]
pub struct Scored {
    /// The rule.
    #[serde(flatten)]
    pub rule: ScoreRule,
    /// It passes.
    pub passed: bool,
    /// How many resources, spans or traces do not.
    pub failures: u64,
}

/// The score of one service.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// The service; empty for those without a name.
    pub service: String,
    /// 0 to 100.
    pub score: f64,
    /// What the specification calls it.
    pub category: &'static str,
    /// The rules, in the order of [`SCORED`].
    pub rules: Vec<Scored>,
}

/// Failures of a service, in the order of [`SCORED`].
pub(super) type Failures = [u64; SCORED.len()];

/// Spans this short are counted.
const SHORT: u64 = 5_000_000;
const MOST_SHORT: usize = 20;
const MOST_INTERNAL: u64 = 10;

/// The scores of the services of spans that the filter lets pass, by name.
pub fn scores(capture: &Capture, filter: &Filter) -> Result<Vec<Score>, InputError> {
    let admitted = |span: &SpanRef| filter.is_open() || filter.admits(capture, *span, capture.head(*span).outcome());
    let mut failures: BTreeMap<String, Failures> = BTreeMap::new();
    let mut resources = Resources::default();
    for span in capture.spans().filter(&admitted) {
        resources.add(capture, span);
    }
    resources.judge(capture, &mut failures)?;
    misplaced(capture, &admitted, &mut failures)?;
    let forest = Forest::of(capture);
    let mut tree = Tree::default();
    for number in 0..forest.len() {
        forest.tree(capture, number, &mut tree);
        let all: Vec<SpanRef> = tree.nodes().iter().filter_map(|node| node.span).collect();
        let spans: Vec<SpanRef> = all.iter().copied().filter(&admitted).collect();
        judge(capture, &all, &spans, &mut failures);
    }
    Ok(failures.into_iter().map(|(service, failures)| score(service, &failures)).collect())
}

/// One more failure, or so many.
pub(super) fn fail(failures: &mut BTreeMap<String, Failures>, service: &str, id: &str, count: u64) {
    let at = SCORED.iter().position(|rule| rule.id == id);
    let service = failures.entry(service.to_owned()).or_default();
    if let Some(slot) = at.and_then(|at| service.get_mut(at)) {
        *slot += count;
    }
}

/// Judges a trace.
fn judge(capture: &Capture, all: &[SpanRef], spans: &[SpanRef], failures: &mut BTreeMap<String, Failures>) {
    let known: HashSet<SpanId> = all.iter().map(|span| capture.head(*span).id).collect();
    let mut internal: BTreeMap<&str, u64> = BTreeMap::new();
    // What never ended has no duration.
    let short = |span: &&SpanRef| {
        let head = capture.head(**span);
        head.start != 0 && head.end >= head.start && head.duration().0 < SHORT
    };
    for span in spans {
        let (head, service) = (capture.head(*span), capture.service(*span));
        *internal.entry(service).or_default() += u64::from(head.marks.kind() == Kind::Internal);
        if head.is_root() {
            fail(failures, service, "SPA-004", u64::from(head.marks.kind() == Kind::Client));
        } else {
            fail(failures, service, "SPA-002", u64::from(!known.contains(&head.parent)));
        }
    }
    for (service, count) in internal {
        fail(failures, service, "SPA-001", u64::from(count > MOST_INTERNAL));
    }
    if spans.iter().filter(short).count() > MOST_SHORT {
        let services: BTreeSet<&str> = spans.iter().filter(short).map(|span| capture.service(*span)).collect();
        services.into_iter().for_each(|service| fail(failures, service, "SPA-005", 1));
    }
}

/// Spans with attributes that belong to resources.
fn misplaced(
    capture: &Capture,
    admitted: &dyn Fn(&SpanRef) -> bool,
    failures: &mut BTreeMap<String, Failures>,
) -> Result<(), InputError> {
    let mut found: HashSet<(TraceId, SpanId)> = HashSet::new();
    for (source, number) in capture.sources().iter().zip(0..) {
        let take = &mut |seen: Seen<'_, '_>| {
            if let Seen::Span(span, _) = seen
                && span.attributes().iter().any(|attribute| is_of_resources(attribute.key.raw))
            {
                found.insert((span.trace_id.trace(), span.span_id.span()));
            }
        };
        if source.spans > 0 {
            capture.reread(SourceId(number), take).map_err(|error| InputError::read(&source.path, error))?;
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    for span in capture.spans().filter(admitted) {
        let head = capture.head(span);
        if found.contains(&(head.trace, head.id)) {
            fail(failures, capture.service(span), "RES-004", 1);
        }
    }
    Ok(())
}

fn score(service: String, failures: &Failures) -> Score {
    let rules: Vec<Scored> = SCORED
        .iter()
        .zip(failures)
        .map(|(rule, failures)| Scored { rule: *rule, passed: *failures == 0, failures: *failures })
        .collect();
    let weight =
        |rules: &mut dyn Iterator<Item = &Scored>| rules.map(|scored| scored.rule.impact.weight()).sum::<u64>();
    let passed = weight(&mut rules.iter().filter(|scored| scored.passed));
    let total = weight(&mut rules.iter());
    let score = (passed as f64 * 10_000.0 / total as f64).round() / 100.0;
    Score { service, score, category: category(score), rules }
}

fn category(score: f64) -> &'static str {
    match score {
        90.0.. => "Excellent",
        75.0.. => "Good",
        50.0.. => "Needs Improvement",
        _ => "Poor",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_weights_are_a_part_of_all() {
        let all: u64 = SCORED.iter().map(|rule| rule.impact.weight()).sum();
        assert_eq!(all, 250);
        let best = score("a".to_owned(), &Failures::default());
        assert_eq!((best.score, best.category), (100.0, "Excellent"));
        // Without RES-005 and SPA-001: 190 of 250.
        let worse = score("a".to_owned(), &[0, 0, 0, 0, 1, 7, 0, 0, 0]);
        assert_eq!((worse.score, worse.category), (76.0, "Good"));
        assert_eq!((category(74.99), category(49.9)), ("Needs Improvement", "Poor"));
    }
}

//! What every form of the answer is drawn from.
//!
//! Plain data: the report, what the baseline and the gate say of it, and how much is to be shown.

use std::collections::BTreeMap;

use crate::lint::{Finding, LintReport, Severity};

/// A report and everything that was decided about it.
#[derive(Clone, Copy, Debug)]
pub struct LintView<'r> {
    /// What was found; secrets hidden.
    pub report: &'r LintReport,
    /// For every finding whether a baseline knows it; empty without a baseline.
    pub known: &'r [bool],
    /// Whether the run fails, and why.
    pub verdict: &'r Verdict,
    /// The level from which on findings fail.
    pub fail_on: Option<Severity>,
    /// Suspicions about behaviour and speed fail too.
    pub fail_likely: bool,
    /// Whether findings of level info are shown to people.
    pub show_info: bool,
    /// By what findings stand together for people.
    pub group_by: GroupBy,
    /// Only so many findings are shown to people.
    pub limit: Option<usize>,
}

/// Findings that say the same of spans of several names: told once.
#[derive(Debug)]
pub(super) struct Same<'r> {
    /// The one that is told.
    pub(super) first: &'r Finding,
    /// The others.
    pub(super) others: Vec<&'r Finding>,
}

/// Names of spans that are listed before the rest is only counted.
const NAMES: usize = 3;

impl Same<'_> {
    /// How often it occurs, all in all.
    pub(super) fn count(&self) -> u64 {
        self.others.iter().map(|finding| finding.count).sum::<u64>() + self.first.count
    }

    /// Where else, the first few: `GET /a (2 times), GET /b and 7 more`, or the ids of spans where all have one name; empty where it
    /// is nowhere else.
    pub(super) fn elsewhere(&self) -> String {
        let mut names: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in self.others.iter().filter(|other| other.span_name != self.first.span_name) {
            *names.entry(&finding.span_name).or_default() += finding.count;
        }
        let name = |(name, times): (&&str, &u64)| match times {
            1 => (*name).to_owned(),
            times => format!("{name} ({times} times)"),
        };
        match names.is_empty() {
            true => listed(self.others.iter().map(|other| other.span_id.clone()).collect()),
            false => listed(names.iter().map(name).collect()),
        }
    }
}

fn listed(names: Vec<String>) -> String {
    match names.len().checked_sub(NAMES + 1) {
        Some(more) => format!("{} and {} more", names.get(..NAMES).unwrap_or_default().join(", "), more + 1),
        None => names.join(", "),
    }
}

/// How the run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it fails, each a clause; none means it does not.
    pub failures: Vec<String>,
    /// What else is to be said, each a clause.
    pub notes: Vec<String>,
}

/// By what findings stand together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// Not at all: in the order of the report.
    #[default]
    None,
    /// By rule.
    Rule,
    /// By the name of the span.
    SpanName,
    /// By trace.
    Trace,
    /// By service.
    Service,
}

impl<'r> LintView<'r> {
    /// The findings that people get to see, before the limit. What a baseline knows is only counted, in a note of the verdict.
    pub(super) fn shown(&self) -> Vec<&'r Finding> {
        let findings = self.report.findings.iter().enumerate();
        let mut shown: Vec<&Finding> = findings
            .filter(|(number, _)| self.known.get(*number) != Some(&true))
            .map(|(_, finding)| finding)
            .filter(|finding| self.show_info || finding.severity != Severity::Info)
            .collect();
        // Stable: within a group the order of the report stays.
        match self.group_by {
            GroupBy::None => {}
            GroupBy::Rule => shown.sort_by_key(|finding| finding.code),
            GroupBy::SpanName => shown.sort_by(|a, b| a.span_name.cmp(&b.span_name)),
            GroupBy::Trace => shown.sort_by(|a, b| a.trace_id.cmp(&b.trace_id)),
            GroupBy::Service => shown.sort_by(|a, b| a.service.cmp(&b.service)),
        }
        shown
    }

    /// The same, those that say the same of spans of several names together.
    pub(super) fn folded(&self) -> Vec<Same<'r>> {
        let mut folded: Vec<Same<'r>> = Vec::new();
        let mut numbers = BTreeMap::new();
        for finding in self.shown() {
            let what = (finding.severity, finding.code, &finding.message, &finding.help);
            let key = (self.group(finding), what, &finding.service, &finding.attribute);
            match numbers.get(&key).and_then(|number: &usize| folded.get_mut(*number)) {
                Some(same) => same.others.push(finding),
                None => {
                    numbers.insert(key, folded.len());
                    folded.push(Same { first: finding, others: Vec::new() });
                }
            }
        }
        folded
    }

    /// The heading under which a finding stands.
    pub(super) fn group<'f>(&self, finding: &'f Finding) -> Option<&'f str> {
        let name = match self.group_by {
            GroupBy::None => return None,
            GroupBy::Rule => finding.code,
            GroupBy::SpanName => &finding.span_name,
            GroupBy::Trace => &finding.trace_id,
            GroupBy::Service => &finding.service,
        };
        Some(if name.is_empty() { "(none)" } else { name })
    }

    /// Whether a finding fails the run by its level.
    pub(super) fn fails(&self, number: usize, finding: &Finding) -> bool {
        self.fail_on.is_some_and(|level| finding.severity <= level)
            && self.baseline(number) != Some("known")
            && (self.fail_likely || !finding.is_suspicion())
    }

    /// What the baseline says of a finding.
    pub(super) fn baseline(&self, number: usize) -> Option<&'static str> {
        self.known.get(number).map(|known| if *known { "known" } else { "new" })
    }
}

impl Verdict {
    /// Whether the run fails.
    pub fn fails(&self) -> bool {
        !self.failures.is_empty()
    }
}

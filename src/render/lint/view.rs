//! What every form of the answer is drawn from.
//!
//! Plain data: the report, what the baseline and the gate say of it, and how much is to be shown.

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
    /// Whether findings of level info are shown to people.
    pub show_info: bool,
    /// By what findings stand together for people.
    pub group_by: GroupBy,
    /// Only so many findings are shown to people.
    pub limit: Option<usize>,
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
    /// The findings that people get to see, before the limit.
    pub(super) fn shown(&self) -> Vec<&'r Finding> {
        let mut shown: Vec<&Finding> = self
            .report
            .findings
            .iter()
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

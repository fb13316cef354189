//! The answer of lint as plain data.
//!
//! Everything in it stands in an order that depends on nothing but the spans and the settings.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::Finding;
use super::rule::Severity;
use super::words::key;

/// What lint found in all inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LintReport {
    /// Spans that were linted: those that the filter let pass.
    pub spans: u64,
    /// Traces with such a span.
    pub traces: u64,
    /// Services of such spans, by name; nameless ones left out.
    pub services: Vec<String>,
    /// What was found: by severity, code, service, span name, start, trace, span, attribute.
    pub findings: Vec<Finding>,
    /// What could not be checked, by code.
    pub not_checked: Vec<NotChecked>,
    /// What was found and set aside, by code.
    pub ignored: Vec<Ignored>,
    /// How many findings each rule has, those that were set aside left out.
    pub by_rule: BTreeMap<&'static str, u64>,
    /// The codes of the rules that were in force.
    pub rules: Vec<&'static str>,
}

/// A rule that could not look at everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// The rule's code.
    pub code: &'static str,
    /// Why, a clause.
    pub reason: &'static str,
    /// At how many places.
    pub count: u64,
}

/// Findings that somebody asked to leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// The rule's code.
    pub code: &'static str,
    /// Who asked: an entry's reason, `override`, or `inline`.
    pub reason: String,
    /// How many occurrences.
    pub count: u64,
}

impl LintReport {
    /// How many findings there are of a level.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Adds a finding where it belongs; tells its number.
    pub(super) fn add(&mut self, finding: Finding) -> usize {
        *self.by_rule.entry(finding.code).or_default() += 1;
        let at = self.findings.partition_point(|known| key(known) <= key(&finding));
        self.findings.insert(at, finding);
        at
    }
}

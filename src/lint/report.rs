//! The answer of lint as plain data.
//!
//! Everything in it stands in an order that depends on nothing but the spans and the settings.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::Finding;
use super::rule::Severity;

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
    /// What the spans measured, for headroom against every budget.
    pub measures: Measures,
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

/// The largest things that were met, each what a budget may limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measures {
    /// Bytes of the largest attribute value.
    pub attr_value_bytes: u64,
    /// Characters of the largest attribute value.
    pub attr_value_chars: u64,
    /// Bytes of the longest attribute key.
    pub attr_key: u64,
    /// Attributes of one span.
    pub attrs: u64,
    /// Events of one span.
    pub events: u64,
    /// Links of one span.
    pub links: u64,
    /// Bytes of the longest span name.
    pub name: u64,
    /// Bytes of the largest span, encoded.
    pub span_bytes: u64,
    /// Bytes of the largest trace, encoded.
    pub trace_bytes: u64,
    /// Spans of the largest trace.
    pub trace_spans: u64,
}

impl LintReport {
    /// How many findings there are of a level.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

impl Measures {
    /// The larger of each.
    pub(super) fn largest(&self, other: &Self) -> Self {
        Self {
            attr_value_bytes: self.attr_value_bytes.max(other.attr_value_bytes),
            attr_value_chars: self.attr_value_chars.max(other.attr_value_chars),
            attr_key: self.attr_key.max(other.attr_key),
            attrs: self.attrs.max(other.attrs),
            events: self.events.max(other.events),
            links: self.links.max(other.links),
            name: self.name.max(other.name),
            span_bytes: self.span_bytes.max(other.span_bytes),
            trace_bytes: self.trace_bytes.max(other.trace_bytes),
            trace_spans: self.trace_spans.max(other.trace_spans),
        }
    }
}

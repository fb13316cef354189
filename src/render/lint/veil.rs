//! Secrets hidden in everything a finding says.
//!
//! Comes in: a report. Goes out: the same report, in which no text holds a secret. Fingerprints stay what they are. Names of spans,
//! services and scopes were hidden when they were read.

use crate::lint::{Finding, LintReport};
use crate::redact;

/// Hides what looks like a secret in every text of the report.
pub fn veil(report: &mut LintReport) {
    for finding in &mut report.findings {
        veil_finding(finding);
    }
}

fn veil_finding(finding: &mut Finding) {
    [&mut finding.message, &mut finding.help].into_iter().for_each(text);
    finding.attribute.iter_mut().for_each(text);
    finding.contributors.iter_mut().for_each(|part| text(&mut part.name));
    finding.code_location.iter_mut().for_each(|place| text(&mut place.path));
}

fn text(text: &mut String) {
    if let std::borrow::Cow::Owned(hidden) = redact::text(text) {
        *text = hidden;
    }
}

//! Secrets hidden in everything a finding says.
//!
//! Comes in: a report. Goes out: the same report, in which no text holds a secret. Fingerprints stay what they are.

use crate::lint::{Finding, LintReport};
use crate::redact;

/// Hides what looks like a secret in every text of the report.
pub fn veil(report: &mut LintReport) {
    report.services.iter_mut().for_each(text);
    for finding in &mut report.findings {
        veil_finding(finding);
    }
}

fn veil_finding(finding: &mut Finding) {
    let own = [&mut finding.message, &mut finding.help, &mut finding.span_name, &mut finding.service];
    own.into_iter().chain([&mut finding.scope]).for_each(text);
    finding.attribute.iter_mut().for_each(text);
    finding.path.iter_mut().for_each(text);
    finding.contributors.iter_mut().for_each(|part| text(&mut part.name));
    finding.code_location.iter_mut().for_each(|place| text(&mut place.path));
}

fn text(text: &mut String) {
    if let std::borrow::Cow::Owned(hidden) = redact::text(text) {
        *text = hidden;
    }
}

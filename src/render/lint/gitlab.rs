//! Code Quality reports for GitLab.
//!
//! Comes in: a view. Goes out: a JSON array; each entry has a fingerprint of its own, as GitLab wants it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::view::LintView;
use super::words::report_place;
use crate::lint::{Finding, Severity};
use crate::render::clean;
use crate::render::json::write_json;

#[derive(Serialize)]
struct Issue<'r> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'r>,
}

#[derive(Serialize)]
struct Location<'r> {
    path: &'r str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u64,
}

/// The message, and whose it is.
fn description(finding: &Finding) -> String {
    let parts = [&finding.service, &finding.span_name].into_iter().filter(|part| !part.is_empty());
    let whose = parts.map(|part| clean(part)).collect::<Vec<_>>().join(" · ");
    let message = format!("{} {}: {}", finding.code, finding.name, clean(&finding.message));
    if whose.is_empty() { message } else { format!("{message} ({whose})") }
}

/// Writes the report.
pub fn gitlab(view: &LintView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let issues: Vec<Issue<'_>> = view
        .report
        .findings
        .iter()
        .map(|finding| {
            let times = seen.entry(&finding.fingerprint).or_default();
            *times += 1;
            let (path, line) = report_place(finding).unwrap_or(("", 0));
            Issue {
                description: description(finding),
                check_name: finding.code,
                fingerprint: match *times {
                    1 => finding.fingerprint.clone(),
                    number => format!("{}-{number}", finding.fingerprint),
                },
                severity: match finding.severity {
                    Severity::Error => "critical",
                    Severity::Warn => "minor",
                    Severity::Info => "info",
                },
                location: Location { path, lines: Lines { begin: line.max(1) } },
            }
        })
        .collect();
    write_json(&issues, out)
}

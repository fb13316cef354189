//! Findings as JSON: one document, or one object a line.
//!
//! Comes in: a view. Goes out: every finding with every field, whatever people get to see. Nothing is cut.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::view::LintView;
use crate::lint::{Finding, Ignored, LintReport, NotChecked, Severity};
use crate::render::json::{write_json, write_json_line};

#[derive(Serialize)]
struct Document<'r> {
    schema: u32,
    tool: Tool,
    summary: Summary<'r>,
    verdict: Outcome<'r>,
    findings: Vec<Row<'r>>,
    not_checked: &'r [NotChecked],
    ignored: &'r [Ignored],
}

/// Who wrote this.
#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary<'r> {
    spans: u64,
    traces: u64,
    services: &'r [String],
    findings: BTreeMap<&'static str, usize>,
    by_rule: &'r BTreeMap<&'static str, u64>,
    rules: &'r [&'static str],
}

#[derive(Serialize)]
struct Outcome<'r> {
    fails: bool,
    reasons: &'r [String],
    notes: &'r [String],
}

/// A finding, and what the baseline says of it.
#[derive(Serialize)]
struct Row<'r> {
    #[serde(flatten)]
    finding: &'r Finding,
    baseline: Option<&'static str>,
}

/// A finding that stands alone.
#[derive(Serialize)]
struct Line<'r> {
    schema: u32,
    #[serde(flatten)]
    row: Row<'r>,
}

/// Writes one document.
pub fn lint_json(view: &LintView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let LintReport { not_checked, ignored, .. } = view.report;
    let document = Document {
        schema: 1,
        tool: Tool { name: "tracectl", version: env!("CARGO_PKG_VERSION") },
        summary: summary(view.report),
        verdict: Outcome { fails: view.verdict.fails(), reasons: &view.verdict.failures, notes: &view.verdict.notes },
        findings: rows(view).collect(),
        not_checked,
        ignored,
    };
    write_json(&document, out)
}

/// Writes an object a line, one a finding.
pub fn lint_jsonl(view: &LintView<'_>, out: &mut dyn Write) -> io::Result<()> {
    rows(view).try_for_each(|row| write_json_line(&Line { schema: 1, row }, out))
}

fn rows<'r>(view: &LintView<'r>) -> impl Iterator<Item = Row<'r>> {
    let view = *view;
    let findings = view.report.findings.iter().enumerate();
    findings.map(move |(number, finding)| Row { finding, baseline: view.baseline(number) })
}

fn summary(report: &LintReport) -> Summary<'_> {
    Summary {
        spans: report.spans,
        traces: report.traces,
        services: &report.services,
        findings: Severity::ALL.into_iter().map(|severity| (severity.name(), report.count(severity))).collect(),
        by_rule: &report.by_rule,
        rules: &report.rules,
    }
}

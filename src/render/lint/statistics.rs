//! How many findings each rule has.
//!
//! Comes in: a view. Goes out: a table, the most first.

use std::collections::BTreeMap;
use std::io;

use super::view::LintView;
use super::words::{looked_at, thousands, tone, totals};
use crate::lint::Finding;
use crate::render::{Cell, Column, Ink, Render, Table, Tone};

/// Findings counted by rule.
pub struct Statistics<'r>(pub LintView<'r>);

const fn column(title: &'static str, right: bool, least: Option<usize>) -> Column {
    Column { title, right, least, rank: 0 }
}

impl Render for Statistics<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let mut rules: BTreeMap<&str, (u64, u64, &Finding)> = BTreeMap::new();
        for finding in &self.0.report.findings {
            let (findings, occurrences, _) = rules.entry(finding.code).or_insert((0, 0, finding));
            *findings += 1;
            *occurrences += finding.count;
        }
        let mut rows: Vec<_> = rules.into_values().collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.2.code.cmp(b.2.code)));
        let columns = vec![
            column("TIMES", true, None),
            column("FINDINGS", true, None),
            column("CODE", false, None),
            column("LEVEL", false, None),
            column("NAME", false, Some(12)),
        ];
        let rows = rows.into_iter().map(|(findings, occurrences, finding)| row(findings, occurrences, finding));
        Table { columns, rows: rows.collect() }.render(ink)?;
        let verdict = self.0.verdict;
        let (tone, word) = if verdict.fails() { (Tone::Error, "failed") } else { (Tone::Good, "passed") };
        ink.put(tone, word)?;
        ink.say(format_args!(": {} in {}", totals(self.0.report), looked_at(self.0.report)))?;
        verdict.failures.iter().try_for_each(|clause| ink.say(format_args!("; {clause}")))?;
        ink.line()
    }
}

fn row(findings: u64, occurrences: u64, finding: &Finding) -> Vec<Cell> {
    vec![
        (Tone::Plain, thousands(occurrences)),
        (Tone::Plain, thousands(findings)),
        (Tone::Name, finding.code.to_owned()),
        (tone(finding.severity), finding.severity.to_string()),
        (Tone::Plain, finding.name.to_owned()),
    ]
}

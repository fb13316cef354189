//! A summary in Markdown, for pull requests and job summaries.
//!
//! Comes in: a view. Goes out: a verdict, a table by rule, and details to open; never more than GitHub takes. No text of a trace
//! means anything to Markdown or HTML.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::view::{LintView, Same};
use super::words::{count, fix, looked_at, place_text, thousands, totals};
use crate::lint::{Finding, Severity};
use crate::render::tree_markdown::{code, escaped};

/// A summary.
pub struct LintMarkdown<'r>(pub LintView<'r>);

/// GitHub takes comments of 65,536 characters.
const MOST: usize = 65_000;
/// What is kept free for the last lines.
const TAIL: usize = 400;

impl LintMarkdown<'_> {
    /// Writes the summary.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let view = &self.0;
        let mut text = String::new();
        let sign = if view.verdict.fails() { "❌ failed" } else { "✅ passed" };
        text.push_str(&format!(
            "## tracectl lint: {sign}\n\n{} in {}.\n\n",
            totals(view.report),
            looked_at(view.report)
        ));
        for clause in view.verdict.failures.iter().chain(&view.verdict.notes) {
            text.push_str(&format!("- {}\n", escaped(clause)));
        }
        let shown = view.shown();
        if !shown.is_empty() {
            self.table(&shown, &mut text);
            self.details(&mut text);
        }
        for not in &view.report.not_checked {
            let places = count(not.count, "place", "places");
            let line = format!("- not checked: {} at {places}: {}\n", not.code, escaped(not.reason));
            if text.chars().count() + line.chars().count() < MOST {
                text.push_str(&line);
            }
        }
        out.write_all(text.as_bytes())
    }

    fn table(&self, shown: &[&Finding], text: &mut String) {
        let mut rules: BTreeMap<(Severity, &str), (u64, u64, &Finding)> = BTreeMap::new();
        for finding in shown {
            let entry = rules.entry((finding.severity, finding.code)).or_insert((0, 0, finding));
            entry.0 += 1;
            entry.1 += finding.count;
        }
        text.push_str("\n| level | rule | findings | times | for example |\n|---|---|---:|---:|---|\n");
        for ((severity, rule), (findings, times, first)) in rules {
            let example: String = first.message.chars().take(160).collect();
            text.push_str(&format!(
                "| {severity} | {rule} {} | {} | {} | {} |\n",
                first.name,
                thousands(findings),
                thousands(times),
                escaped(&example)
            ));
        }
    }

    fn details(&self, text: &mut String) {
        let shown = self.0.folded();
        text.push_str("\n<details><summary>Findings</summary>\n\n");
        let mut length = text.chars().count();
        for (number, same) in shown.iter().enumerate() {
            let entry = entry(same);
            let longer = length + entry.chars().count();
            if longer + TAIL > MOST || self.0.limit.is_some_and(|limit| number >= limit) {
                text.push_str(&format!("- and {} more\n", shown.len() - number));
                break;
            }
            length = longer;
            text.push_str(&entry);
        }
        text.push_str("\n</details>\n\n");
    }
}

fn entry(same: &Same<'_>) -> String {
    let finding = same.first;
    let mut text = format!("- **{} {}** {}", finding.severity, finding.code, escaped(&cut(&finding.message)));
    let mut facts = Vec::new();
    for (word, part) in [("service", &finding.service), ("span", &finding.span_name), ("trace", &finding.trace_id)] {
        if !part.is_empty() {
            facts.push(format!("{word} {}", code(&cut(part))));
        }
    }
    facts.extend(place_text(finding).map(|place| code(&place)));
    if same.count() > 1 {
        facts.push(count(same.count(), "time", "times"));
    }
    if !same.others.is_empty() {
        facts.push(format!("also in {}", escaped(&cut(&same.elsewhere()))));
    }
    if !facts.is_empty() {
        text.push_str(&format!("  \n  {}", facts.join(" · ")));
    }
    if !finding.help.is_empty() {
        text.push_str(&format!("  \n  {}", escaped(&finding.help)));
    }
    if let Some(change) = &finding.fix {
        text.push_str(&format!("  \n  fix: {}", escaped(&fix(change))));
    }
    text.push('\n');
    text
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(500) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

//! Findings for people: a block each, as a compiler writes them, and a line in the end that says how it went.
//!
//! Comes in: a view. Goes out: lines. What one block has in common with many spans is told once, with a count.

use std::io;

use super::snippet::{margin, snippet};
use super::view::{LintView, Same};
use super::words::{count, fix, looked_at, measure, place_text, tone, totals};
use super::wrap::wrapped;
use crate::lint::{Confidence, Finding, Related, Severity};
use crate::render::{Ink, Render, Tone, clean, width};

/// Findings as blocks.
pub struct Human<'r>(pub LintView<'r>);

/// Where the text after `= help: ` goes on.
const TEXT: usize = 11;
/// Parts and occurrences that are named before the rest is only counted.
const NAMED: usize = 3;

impl Render for Human<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let shown = self.0.folded();
        let limit = self.0.limit.unwrap_or(usize::MAX);
        let mut group = None;
        for same in shown.iter().take(limit) {
            let heading = self.0.group(same.first);
            if heading.is_some() && heading != group {
                ink.put(Tone::Title, format_args!("{} ", if ink.page().unicode { "──" } else { "--" }))?;
                ink.put(Tone::Title, heading.unwrap_or_default())?;
                ink.line()?;
                ink.line()?;
                group = heading;
            }
            block(ink, same)?;
        }
        let left_out = shown.len().saturating_sub(limit);
        if left_out > 0 {
            let more = count(left_out as u64, "more finding", "more findings");
            ink.put(Tone::Quiet, format_args!("and {more} (--limit 0 shows all)"))?;
            ink.line()?;
            ink.line()?;
        }
        self.not_checked(ink)?;
        self.closing(ink)
    }
}

impl Human<'_> {
    fn not_checked(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        for not in &self.0.report.not_checked {
            ink.put(Tone::Odd, "not checked: ")?;
            let places = count(not.count, "place", "places");
            wrapped(ink, Tone::Plain, &format!("{} at {places}: {}", not.code, not.reason), 13)?;
            ink.line()?;
        }
        for ignored in &self.0.report.ignored {
            ink.put(Tone::Quiet, "set aside: ")?;
            let text = format!("{} {}: {}", ignored.code, count(ignored.count, "time", "times"), ignored.reason);
            wrapped(ink, Tone::Quiet, &text, 11)?;
            ink.line()?;
        }
        if !self.0.report.not_checked.is_empty() || !self.0.report.ignored.is_empty() {
            ink.line()?;
        }
        Ok(())
    }

    fn closing(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let report = self.0.report;
        let verdict = self.0.verdict;
        let tone = if verdict.fails() { Tone::Error } else { Tone::Good };
        ink.put(tone, if verdict.fails() { "failed" } else { "passed" })?;
        let hidden = report.count(Severity::Info);
        let infos = if self.0.show_info || hidden == 0 { "" } else { " (--show-info shows the infos)" };
        let rules = count(report.rules.len() as u64, "rule", "rules");
        let text = format!(": {} in {}, by {rules}{infos}", totals(report), looked_at(report));
        wrapped(ink, Tone::Plain, &text, 8)?;
        ink.line()?;
        for (clauses, tone) in [(&verdict.failures, Tone::Error), (&verdict.notes, Tone::Quiet)] {
            for clause in clauses {
                ink.pad_to(8)?;
                wrapped(ink, tone, clause, 8)?;
                ink.line()?;
            }
        }
        if let Some(first) = self.0.shown().first() {
            ink.pad_to(8)?;
            wrapped(ink, Tone::Quiet, &format!("tracectl explain {} tells more", first.code), 8)?;
            ink.line()?;
        }
        Ok(())
    }
}

fn block(ink: &mut Ink<'_>, same: &Same<'_>) -> io::Result<()> {
    let finding = same.first;
    ink.put(tone(finding.severity), format_args!("{}[{}]", finding.severity, finding.code))?;
    ink.say(" ")?;
    ink.put(Tone::Title, finding.name)?;
    if finding.confidence == Confidence::Likely {
        ink.put(Tone::Quiet, " (likely)")?;
    }
    ink.line()?;
    ink.put(Tone::Quiet, "  ")?;
    wrapped(ink, Tone::Plain, &finding.message, 2)?;
    ink.line()?;
    address(ink, finding)?;
    snippet(ink, finding)?;
    margin(ink)?;
    remarks(ink, finding)?;
    if same.count() > 1 {
        remark(ink, "seen", &seen(same))?;
    }
    ink.line()
}

/// Where it is: the dump, the service, the ids, the program.
fn address(ink: &mut Ink<'_>, finding: &Finding) -> io::Result<()> {
    let mut parts: Vec<String> = place_text(finding).into_iter().collect();
    if !finding.service.is_empty() {
        parts.push(finding.service.clone());
    }
    if !finding.trace_id.is_empty() {
        parts.push(format!("trace {}", finding.trace_id.get(..8).unwrap_or(&finding.trace_id)));
    }
    if !finding.span_id.is_empty() {
        parts.push(format!("span {}", finding.span_id));
    }
    if let Some(code) = &finding.code_location {
        parts.push(if code.line > 0 { format!("{}:{}", code.path, code.line) } else { code.path.clone() });
    }
    if parts.is_empty() {
        return Ok(());
    }
    ink.put(Tone::Quiet, if ink.page().unicode { "  ─▶ " } else { " --> " })?;
    let between = if ink.page().unicode { " · " } else { ", " };
    for (number, part) in parts.iter().enumerate() {
        let room = ink.page().width.saturating_sub(ink.column() + between.len());
        if number > 0 && width(&clean(part)) > room {
            ink.say(between.trim_end())?;
            ink.line()?;
            ink.pad_to(5)?;
        } else if number > 0 {
            ink.put(Tone::Quiet, between)?;
        }
        wrapped(ink, Tone::Service, part, 5)?;
    }
    ink.line()
}

fn remarks(ink: &mut Ink<'_>, finding: &Finding) -> io::Result<()> {
    if !finding.contributors.is_empty() {
        let size = |number| measure(number, finding.unit);
        let mut parts: Vec<String> =
            finding.contributors.iter().take(5).map(|part| format!("{} {}", part.name, size(part.size))).collect();
        if let Some(more) = finding.contributors.len().checked_sub(6) {
            parts.push(format!("and {} more", more + 1));
        }
        remark(ink, "parts", &parts.join(", "))?;
    }
    for (number, related) in finding.related.iter().enumerate() {
        let same = |other: &&Related| other.role == related.role;
        if !finding.related.iter().take(number).any(|other| same(&other)) {
            remark(ink, "with", &with(related.role, finding.related.iter().filter(same)))?;
        }
    }
    if !finding.help.is_empty() {
        remark(ink, "help", &finding.help)?;
    }
    if let Some(change) = &finding.fix {
        remark(ink, "fix", &fix(change))?;
    }
    Ok(())
}

/// Other spans of one role: `parent 7b1c…`, `propagated 8f6d…, 9227…, 8a6a… and 4 more`.
fn with<'r>(role: &str, related: impl Iterator<Item = &'r Related>) -> String {
    let id = |related: &'r Related| if related.span_id.is_empty() { &*related.trace_id } else { &*related.span_id };
    let ids: Vec<&str> = related.map(id).collect();
    let named = ids.get(..NAMED).unwrap_or(&ids).join(", ");
    match ids.len().checked_sub(NAMED + 1) {
        Some(more) => format!("{role} {named} and {} more", more + 1),
        None => format!("{role} {named}"),
    }
}

/// How often, and where else.
fn seen(same: &Same<'_>) -> String {
    let finding = same.first;
    if !same.others.is_empty() {
        return format!("{}, also in {}", count(same.count(), "time", "times"), same.elsewhere());
    }
    let others: Vec<&str> = finding
        .examples
        .iter()
        .filter(|example| example.span_id != finding.span_id || example.trace_id != finding.trace_id)
        .map(|example| if example.span_id.is_empty() { &*example.trace_id } else { &*example.span_id })
        .take(NAMED)
        .collect();
    let rest = finding.count.saturating_sub(1 + others.len() as u64);
    let mut text = count(finding.count, "time", "times");
    if !others.is_empty() {
        text.push_str(&format!(", also in {}", others.join(", ")));
        if rest > 0 {
            text.push_str(&format!(" and {rest} more"));
        }
    }
    text
}

fn remark(ink: &mut Ink<'_>, word: &str, text: &str) -> io::Result<()> {
    ink.put(Tone::Quiet, "   = ")?;
    ink.put(Tone::Good, word)?;
    ink.put(Tone::Quiet, ":")?;
    ink.pad_to(TEXT)?;
    if ink.column() > TEXT {
        ink.say(" ")?;
    }
    wrapped(ink, Tone::Plain, text, TEXT)?;
    ink.line()
}

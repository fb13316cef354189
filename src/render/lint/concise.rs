//! One line a finding: `run.jsonl:12: BUD001 error service span: message`, or `run.pb@4096: …` where there are no lines.
//!
//! Comes in: a view. Goes out: lines that `grep` and editors understand, then one that says how it went.

use std::io;

use super::view::LintView;
use super::words::{looked_at, place, tone, totals};
use crate::render::{Ink, Render, Tone};

/// Findings as lines.
pub struct Concise<'r>(pub LintView<'r>);

impl Render for Concise<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let shown = self.0.shown();
        for finding in shown.iter().take(self.0.limit.unwrap_or(usize::MAX)) {
            if let Some((path, line)) = place(finding) {
                ink.say(if path == "-" { "stdin" } else { path })?;
                match (&finding.source, line) {
                    // A dump without lines.
                    (Some(source), 0) => ink.say(format_args!("@{}: ", source.byte_offset))?,
                    _ => ink.say(format_args!(":{line}: "))?,
                }
            }
            ink.say(finding.code)?;
            ink.put(tone(finding.severity), format_args!(" {}", finding.severity))?;
            for (tone, text) in [(Tone::Service, &finding.service), (Tone::Name, &finding.span_name)] {
                if !text.is_empty() {
                    ink.put(tone, format_args!(" {text}"))?;
                }
            }
            ink.say(format_args!(": {}", finding.message))?;
            if finding.count > 1 {
                ink.put(Tone::Quiet, format_args!(" ({} times)", finding.count))?;
            }
            ink.line()?;
        }
        let verdict = self.0.verdict;
        let (tone, word) = if verdict.fails() { (Tone::Error, "failed") } else { (Tone::Good, "passed") };
        ink.put(tone, word)?;
        ink.say(format_args!(": {} in {}", totals(self.0.report), looked_at(self.0.report)))?;
        for clause in verdict.failures.iter().chain(&verdict.notes) {
            ink.say(format_args!("; {clause}"))?;
        }
        ink.line()
    }
}

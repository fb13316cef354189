//! Workflow commands for GitHub Actions: annotations on a run.
//!
//! Comes in: a view. Goes out: `::error file=…,line=…,title=…::…` lines. GitHub shows about ten of a level a step, so the
//! worst come first and the rest is one line.

use std::io::{self, Write};

use super::view::{LintView, Same};
use super::words::{looked_at, report_place, totals};
use crate::lint::Severity;
use crate::render::clean;

/// Findings as workflow commands.
pub struct GitHub<'r>(pub LintView<'r>);

/// Annotations of a level that GitHub shows.
const SHOWN: usize = 10;

impl GitHub<'_> {
    /// Writes the commands.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let folded = self.0.folded();
        for severity in Severity::ALL {
            let of_level: Vec<&Same<'_>> = folded.iter().filter(|same| same.first.severity == severity).collect();
            // The last place is kept for how many there are more.
            let full = of_level.len() <= SHOWN;
            let take = if full { of_level.len() } else { SHOWN - 1 };
            for same in of_level.iter().take(take) {
                command(same, out)?;
            }
            if !full {
                let more = of_level.len() - take;
                writeln!(out, "::{} title=tracectl lint::and {more} more of this level", word(severity))?;
            }
        }
        let verdict = if self.0.verdict.fails() { "failed" } else { "passed" };
        writeln!(out, "tracectl lint {verdict}: {} in {}", totals(self.0.report), looked_at(self.0.report))?;
        for clause in self.0.verdict.failures.iter().chain(&self.0.verdict.notes) {
            // A line that begins with a command would be one.
            writeln!(out, "  {}", data(clause))?;
        }
        Ok(())
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
        Severity::Info => "notice",
    }
}

fn command(same: &Same<'_>, out: &mut dyn Write) -> io::Result<()> {
    let finding = same.first;
    write!(out, "::{} ", word(finding.severity))?;
    if let Some((path, line)) = report_place(finding).filter(|(path, _)| *path != "stdin") {
        write!(out, "file={},", property(path))?;
        if line > 0 {
            write!(out, "line={line},")?;
        }
    }
    write!(out, "title={}::", property(&format!("{} {}", finding.code, finding.name)))?;
    let mut text = finding.message.clone();
    for (word, part) in [("service", &finding.service), ("span", &finding.span_name), ("trace", &finding.trace_id)] {
        if !part.is_empty() {
            text.push_str(&format!("\n{word}: {part}"));
        }
    }
    if same.count() > 1 {
        text.push_str(&format!("\n{} times", same.count()));
    }
    if !same.others.is_empty() {
        text.push_str(&format!(", also in {}", same.elsewhere()));
    }
    if !finding.help.is_empty() {
        text.push_str(&format!("\nhelp: {}", finding.help));
    }
    writeln!(out, "{}", data(&text))
}

/// The message of a command. Line breaks that are ours are kept, all else that acts on a terminal is shown.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| clean(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    clean(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_forge_a_command() {
        assert_eq!(data("100%\r\n::error::x"), "100%25␍%0A::error::x");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25␊");
    }
}

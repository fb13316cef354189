//! Writes trees as Markdown: a heading and a summary for each trace, then the tree in a fence.
//!
//! Comes in: a tree report. Goes out: text in which nothing from a trace can end the fence or act as Markdown.

use std::io::{self, Write};

use super::tree::{MORE_TRACES, omitted_line};
use super::tree_heading::{heading_facts, session_facts};
use super::{Ink, Page, clean};
use crate::forest::Tree;
use crate::model::Nanos;
use crate::view::{Heading, TraceView, TreeReport};

/// Writes all traces of a report. The page's colour is not used.
pub fn tree_markdown(report: &TreeReport<'_>, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { color: false, ..page };
    let mut tree = Tree::default();
    let mut session = None;
    for number in report.shown() {
        if report.settings().by_session && session != Some(report.session(number)) {
            session = Some(report.session(number));
            session_section(report, number, &mut tree, out)?;
        }
        let view = report.trace(number, &mut tree).map_err(io::Error::other)?;
        section(&view, report.settings().ids, page, out)?;
    }
    match omitted_line(report, "…") {
        Some(line) => writeln!(out, "{line} ({MORE_TRACES})"),
        None => Ok(()),
    }
}

fn session_section(report: &TreeReport<'_>, number: usize, tree: &mut Tree, out: &mut dyn Write) -> io::Result<()> {
    let name = report.session(number);
    match name {
        "" => writeln!(out, "# No session\n")?,
        name => writeln!(out, "# Session {}\n", code(name))?,
    }
    let facts = session_facts(&report.session_sums(name, tree)).into_iter().map(|(_, fact)| escaped(&fact));
    writeln!(out, "{}\n", facts.collect::<Vec<_>>().join(" · "))
}

fn section(view: &TraceView<'_>, ids: bool, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let Heading { id, name, .. } = &view.heading;
    let duration = Nanos(view.heading.counts.duration_ns());
    writeln!(out, "## {} {} {duration}\n", code(&id.short()), code(name))?;
    let facts: Vec<_> = heading_facts(&view.heading).into_iter().map(|(_, fact)| escaped(&fact)).collect();
    writeln!(out, "{}\n", facts.join(" · "))?;

    let mut body = Vec::new();
    view.render_rows(ids, &mut Ink::new(&mut body, page))?;
    let body = String::from_utf8_lossy(&body);
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    writeln!(out, "{fence}text\n{body}{fence}\n")
}

/// Text as code, whatever backticks are in it.
pub(super) fn code(text: &str) -> String {
    let text = clean(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// Text in which no character means anything to Markdown or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | ':' | '-' | '/' | '+') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

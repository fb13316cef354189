//! Shows traces as they settle, by the same code that shows them from a file.
//!
//! Comes in: batches, the time. Goes out: trees, lines or JSON on stdout; on a terminal the trace that is growing, too.

use std::time::Instant;

use super::console::Console;
use super::error::Error;
use super::listen_args::View;
use super::listen_settings::Showing;
use super::listen_status::Status;
use super::output::OutputArgs;
use crate::capture::{Capture, of_messages};
use crate::forest::{Forest, Tree};
use crate::live::{Batch, Pending, Settled, Totals};
use crate::render::{Ink, Page, Render, TraceLine, tree_jsonl};
use crate::view::{Settings, TreeReport};

/// Rows of a trace that is shown.
const ROWS: usize = 500;
/// Rows of a trace that is growing.
const GROWING: usize = 12;

/// The show.
pub(super) struct Show {
    showing: Showing,
    pending: Pending,
    status: Status,
    shown: u64,
    page: Page,
}

impl Show {
    /// A show on this console.
    pub(super) fn new(showing: Showing, console: &Console) -> Self {
        let pending = Pending::new(showing.settle, showing.keep);
        Self { showing, pending, status: Status::new(console), shown: 0, page: console.talk_page() }
    }

    /// Takes a batch in.
    pub(super) fn take(&mut self, batch: &Batch) {
        self.pending.take(batch, Instant::now());
    }

    /// Prints what has settled, or everything at the end.
    pub(super) fn settle(&mut self, all: bool, console: &mut Console) -> Result<(), Error> {
        for settled in self.pending.settled(Instant::now(), all) {
            let capture = capture(settled)?;
            self.print(&capture, console)?;
        }
        Ok(())
    }

    fn print(&mut self, capture: &Capture, console: &mut Console) -> Result<(), Error> {
        let forest = Forest::of(capture);
        let people = !self.showing.jsonl;
        let settings = Settings { rows: people.then_some(ROWS), collapse: people, ..Settings::default() };
        let report = TreeReport::of(capture, &forest, settings, &|_| true);
        let (out, gap) = (OutputArgs::default(), self.shown > 0);
        self.shown += 1;
        let showing = self.showing;
        self.status.aside(|| match (showing.jsonl, showing.view) {
            (true, _) => console.write(&out, |out| tree_jsonl(&report, out)),
            (_, View::Tree) => console.answer(&out, |ink| {
                if gap {
                    ink.line()?;
                }
                report.render(ink)
            }),
            _ => console.answer(&out, |ink| lines(&report, ink)),
        })
    }

    /// Draws the status line when it is time.
    pub(super) fn tick(&mut self, totals: &Totals) {
        if !self.status.is_due() {
            return;
        }
        let growing = if self.showing.view == View::Tree { self.growing() } else { None };
        self.status.draw(&growing.unwrap_or_default(), totals, &self.pending, self.shown);
    }

    /// The trace that is growing, as far as it has come.
    fn growing(&self) -> Option<String> {
        let capture = capture(self.pending.growing()?).ok()?;
        let forest = Forest::of(&capture);
        let settings = Settings { rows: Some(GROWING), collapse: true, ..Settings::default() };
        let report = TreeReport::of(&capture, &forest, settings, &|_| true);
        let mut text = Vec::new();
        report.render(&mut Ink::new(&mut text, self.page)).ok()?;
        text.push(b'\n');
        String::from_utf8(text).ok()
    }

    /// Makes way while something else is said.
    pub(super) fn aside<T>(&self, say: impl FnOnce() -> T) -> T {
        self.status.aside(say)
    }
}

fn lines(report: &TreeReport<'_>, ink: &mut Ink<'_>) -> std::io::Result<()> {
    let mut tree = Tree::default();
    for number in report.shown() {
        TraceLine(&report.trace(number, &mut tree).map_err(std::io::Error::other)?).render(ink)?;
    }
    Ok(())
}

fn capture(settled: Settled) -> Result<Capture, Error> {
    let mut messages = vec![("live".to_owned(), settled.message, false)];
    if !settled.late.is_empty() {
        messages.push(("live, late".to_owned(), settled.late, true));
    }
    Ok(of_messages(messages)?)
}

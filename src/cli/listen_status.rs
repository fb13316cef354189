//! The status line of `listen` on a terminal, and the tree that is growing above it.
//!
//! Comes in: counters and the trace that got a span last. Goes out: lines on stderr that make way for every answer and are gone
//! in the end; nothing where stderr is no terminal.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use super::look::Loudness;
use crate::live::{Pending, Totals};
use crate::model::ByteSize;
use crate::render::clean;

/// How often it is drawn.
const EVERY: Duration = Duration::from_millis(250);

/// The status line.
pub(super) struct Status {
    bar: Option<ProgressBar>,
    drawn: Instant,
    spans: u64,
}

impl Status {
    /// A line, where there is a terminal for it.
    pub(super) fn new(console: &Console) -> Self {
        let wanted = console.around().stderr_is_terminal && console.loudness() != Loudness::Quiet;
        Self { bar: wanted.then(bar), drawn: Instant::now(), spans: 0 }
    }

    /// Whether anybody sees it, and it is time for a new look.
    pub(super) fn is_due(&self) -> bool {
        self.bar.is_some() && self.drawn.elapsed() >= EVERY
    }

    /// Draws it anew; `growing` stands above it.
    pub(super) fn draw(&mut self, growing: &str, totals: &Totals, pending: &Pending, shown: u64) {
        let seconds = self.drawn.elapsed().as_secs_f64().max(0.001);
        let rate = totals.spans.saturating_sub(self.spans) as f64 / seconds;
        (self.spans, self.drawn) = (totals.spans, Instant::now());
        let Some(bar) = &self.bar else { return };
        let mut line = format!(
            "{rate:.0} spans/s, {} spans, {} open and {shown} settled traces, {} errors, {}, {} connections",
            totals.spans,
            pending.len(),
            pending.errors(),
            ByteSize(totals.bytes),
            totals.connections
        );
        for (service, spans) in pending.services().iter().take(4) {
            let _ = write!(line, ", {} {spans}", clean(service));
        }
        bar.set_message(format!("{growing}{line}"));
    }

    /// Makes way while something else is printed.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => {
                // What was growing may be what is printed now: it does not come back beneath it.
                bar.set_message(String::new());
                bar.suspend(print)
            }
            None => print(),
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        bar.set_style(style);
    }
    bar
}

//! The progress bar of long work.
//!
//! Comes in: how many bytes have been read or written. Goes out: a line on stderr that is gone in the end; nothing where stderr is no
//! terminal or the input is small.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use super::look::Loudness;
use crate::model::ByteSize;

/// Inputs below this are read before anybody would look.
const LARGE: u64 = 64 << 20;

/// A bar that appears once much has been read or made.
pub(super) struct Progress {
    wanted: bool,
    what: &'static str,
    /// How much there will be, where that is known.
    total: Option<u64>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar for what is read.
    pub(super) fn new(console: &Console) -> Self {
        Self::of("reading", None, console)
    }

    /// A bar for what is written.
    pub(super) fn writing(console: &Console) -> Self {
        Self::of("writing", None, console)
    }

    /// A bar for what is made up, of which there will be so much.
    pub(super) fn making(console: &Console, total: u64) -> Self {
        Self::of("making", Some(total), console)
    }

    fn of(what: &'static str, total: Option<u64>, console: &Console) -> Self {
        let wanted = console.around().stderr_is_terminal && console.loudness() != Loudness::Quiet;
        Self { wanted, what, total, bar: None }
    }

    /// Says how many bytes there have been in all.
    pub(super) fn reached(&mut self, bytes: u64) {
        if self.wanted && bytes >= LARGE {
            self.bar.get_or_insert_with(|| bar(self.what)).set_position(bytes);
        }
    }

    /// Says how many bytes there have been, and how much of the whole that is.
    pub(super) fn made(&mut self, bytes: u64, done: u64) {
        if self.wanted && bytes >= LARGE {
            let (what, total) = (self.what, self.total.unwrap_or(0));
            let bar = self.bar.get_or_insert_with(|| share(what, total));
            bar.set_position(done.min(total));
            bar.set_message(ByteSize(bytes).to_string());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template(&format!("{{spinner}} {what} {{binary_bytes}} ({{binary_bytes_per_sec}})"))
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A bar that knows how much there will be.
fn share(what: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = format!("{{spinner}} {what} {{bar:24}} {{percent}}% {{msg}} (done in {{eta}})");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

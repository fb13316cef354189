//! What a run of sending says on stderr: a progress bar on a terminal, notes, and how it ended.
//!
//! Comes in: facts. Goes out: lines for people, or one JSON object a line, of which the last says what was sent.

use std::io;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::console::Console;
use super::listen_args::LogFormat;
use super::look::Loudness;
use super::sending_ledger::Note;
use super::sending_sent::Sent;
use super::sending_way::Progress;
use crate::model::Nanos;
use crate::render::{Ink, Render, Tone};
use crate::send::{SentTotals, Target};

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(200);
const EVERY_LINE: Duration = Duration::from_secs(1);

/// A line of talk.
pub(super) struct Line(pub(super) Tone, pub(super) String);

impl Render for Line {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        ink.put(self.0, &self.1)?;
        ink.line()
    }
}

/// A number of things.
pub(super) fn counted(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// Says things in one of two forms.
pub(super) struct Talk {
    format: LogFormat,
    bar: Option<ProgressBar>,
    begun: Instant,
    told: Instant,
}

impl Talk {
    pub(super) fn new(format: LogFormat, console: &Console) -> Self {
        let people = console.around().stderr_is_terminal && console.loudness() != Loudness::Quiet;
        let bar = (people && format == LogFormat::Text).then(|| bar(console.talk_page().width));
        Self { format, bar, begun: Instant::now(), told: Instant::now() }
    }

    /// It begins.
    pub(super) fn started(&self, console: &mut Console, target: &Target, seed: Option<u64>) {
        if self.format == LogFormat::Json {
            let object =
                json!({ "event": "started", "to": target.place(), "protocol": target.protocol().name(), "seed": seed });
            console.cry(&Line(Tone::Plain, object.to_string()));
        } else if let Some(seed) = seed {
            console.talk(&Line(Tone::Quiet, format!("tracectl: new ids from --seed {seed}")));
        }
    }

    /// Says how far it is, now and then.
    pub(super) fn progress(
        &mut self,
        console: &mut Console,
        totals: &SentTotals,
        way: impl FnOnce(Duration) -> Option<Progress>,
    ) {
        let json = self.format == LogFormat::Json;
        if (self.bar.is_none() && !json) || self.told.elapsed() < if json { EVERY_LINE } else { EVERY } {
            return;
        }
        self.told = Instant::now();
        let SentTotals { spans, accepted, rejected, failed, .. } = *totals;
        if json {
            let object = json!({ "event": "progress", "spans": spans, "accepted": accepted, "rejected": rejected, "failed": failed });
            return console.cry(&Line(Tone::Plain, object.to_string()));
        }
        let Some(bar) = &self.bar else { return };
        let spans = if accepted == 1 { "span" } else { "spans" };
        let mut words = format!("{accepted} {spans} accepted");
        for (number, what) in [(rejected, "rejected"), (failed, "failed")] {
            if number > 0 {
                words.push_str(&format!(", {number} {what}"));
            }
        }
        if let Some(Progress { part, left }) = way(self.begun.elapsed()) {
            if bar.length().is_none() {
                bar.set_length(STEPS);
                bar.set_style(style(&format!("{{bar:{}}} {{wide_msg}}", console.talk_page().width.min(120) / 4)));
            }
            bar.set_position((part * STEPS as f64) as u64);
            let left = left.map(|left| format!("{} to go, ", short_time(left))).unwrap_or_default();
            words = format!("{}%, {left}{words}", (part * 100.0) as u64);
        }
        bar.set_message(words);
    }

    /// Says a note.
    pub(super) fn note(&self, console: &mut Console, note: &Note) {
        let (kind, words) = match note {
            Note::Waiting(why) => ("waiting", format!("the receiver does not take spans now: {why}")),
            Note::Again => ("again", "the receiver takes spans again".to_owned()),
            Note::Warning(words) => ("warning", format!("the receiver warns: {words}")),
            Note::Rejected(words) => ("rejected", format!("rejected: {words}")),
            Note::Failed(words) => ("failed", format!("not delivered: {words}")),
            Note::Broken(words) => ("broken", words.clone()),
        };
        self.say(console, kind, words);
    }

    /// Says something.
    pub(super) fn say(&self, console: &mut Console, kind: &str, words: String) {
        let mut print = || match self.format {
            // That something did not arrive is an error, and those are never kept quiet.
            LogFormat::Text if matches!(kind, "rejected" | "failed" | "broken") => {
                console.cry(&Line(Tone::Odd, format!("tracectl: {words}")));
            }
            LogFormat::Text => console.talk(&Line(Tone::Odd, format!("tracectl: {words}"))),
            LogFormat::Json => {
                let object = json!({ "event": "note", "kind": kind, "message": words });
                console.cry(&Line(Tone::Plain, object.to_string()));
            }
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// The end.
    pub(super) fn sent(&self, console: &mut Console, sent: &Sent) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        match self.format {
            LogFormat::Json => console.cry(&Line(Tone::Plain, serde_json::to_string(sent).unwrap_or_default())),
            LogFormat::Text => {
                for (tone, words) in sent.lines() {
                    let line = Line(tone, words);
                    if sent.is_lossy() { console.cry(&line) } else { console.talk(&line) }
                }
            }
        }
    }
}

/// Steps of the bar.
const STEPS: u64 = 10_000;

fn bar(width: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style(if width < 30 { "{wide_msg}" } else { "{spinner} {wide_msg}" }));
    bar
}

/// A time that nobody needs to know exactly.
pub(super) fn short_time(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds => Nanos(seconds.saturating_mul(1_000_000_000)).to_string(),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_whole_seconds() {
        let told = [250, 12_400, 120_300].map(|millis| short_time(Duration::from_millis(millis)));
        assert_eq!(told, ["250 ms", "12 s", "2 m 00 s"]);
    }
}

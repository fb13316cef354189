//! What a replay would send, and when.
//!
//! Comes in: planned requests. Goes out: a timetable for people, or one JSON object a line.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::listen_args::LogFormat;
use super::sending_talk::counted;
use crate::model::{ByteSize, Nanos};
use crate::render::{Ink, Render, Tone};
use crate::replay::Planned;

/// Requests that are shown to people one by one.
const ROWS: usize = 20;

/// The timetable of a replay.
pub(super) struct Dry {
    to: String,
    protocol: &'static str,
    format: LogFormat,
    /// When, spans, bytes, and whether a span is over the bound; of those that are shown.
    requests: Vec<(Duration, u64, u64, bool)>,
    /// How many there are, their spans and their bytes.
    sums: [u64; 3],
    lasts: Duration,
}

impl Dry {
    pub(super) fn new(to: String, protocol: &'static str, format: LogFormat) -> Self {
        Self { to, protocol, format, requests: Vec::new(), sums: [0; 3], lasts: Duration::ZERO }
    }

    /// A request that would be sent then.
    pub(super) fn take(&mut self, due: Duration, planned: &Planned) {
        let bytes = planned.bytes.len() as u64;
        self.sums = [self.sums[0] + 1, self.sums[1] + planned.spans, self.sums[2] + bytes];
        self.lasts = self.lasts.max(due);
        if self.format == LogFormat::Json || self.requests.len() < ROWS {
            self.requests.push((due, planned.spans, bytes, planned.oversize));
        }
    }

    /// When the last request is due.
    pub(super) fn lasts(&self) -> Duration {
        self.lasts
    }

    fn people(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        for (number, (due, spans, bytes, oversize)) in self.requests.iter().enumerate() {
            let due = Nanos(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX)).to_string();
            ink.say(format_args!(
                "{:>8}  +{due:<10} {:>12}  {:>10}",
                number + 1,
                counted(*spans, "span"),
                ByteSize(*bytes).to_string()
            ))?;
            if *oversize {
                ink.put(Tone::Odd, "  a single span over --batch-bytes")?;
            }
            ink.line()?;
        }
        let [requests, spans, bytes] = self.sums;
        if let Some(more) = requests.checked_sub(ROWS as u64).filter(|more| *more > 0) {
            let plural = if more == 1 { "" } else { "s" };
            ink.put(Tone::Quiet, format_args!("     and {more} more request{plural}"))?;
            ink.line()?;
        }
        let lasts = Nanos(u64::try_from(self.lasts().as_nanos()).unwrap_or(u64::MAX));
        let (to, protocol, bytes) = (&self.to, self.protocol, ByteSize(bytes));
        let (spans, requests) = (counted(spans, "span"), counted(requests, "request"));
        ink.say(format_args!("would send {spans} in {requests}, {bytes}, to {to} ({protocol})"))?;
        if lasts.0 > 0 {
            ink.say(format_args!(" within {lasts}"))?;
        }
        ink.line()
    }

    fn machines(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        for (number, (due, spans, bytes, oversize)) in self.requests.iter().enumerate() {
            let due = u64::try_from(due.as_nanos()).unwrap_or(u64::MAX);
            ink.say(json!({ "event": "request", "number": number + 1, "due_ns": due, "spans": spans, "bytes": bytes, "oversize": oversize }))?;
            ink.line()?;
        }
        let lasts = u64::try_from(self.lasts().as_nanos()).unwrap_or(u64::MAX);
        let [requests, spans, bytes] = self.sums;
        ink.say(json!({ "event": "would_send", "spans": spans, "requests": requests, "bytes": bytes, "lasts_ns": lasts, "to": self.to, "protocol": self.protocol }))?;
        ink.line()
    }
}

impl Render for Dry {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        match self.format {
            LogFormat::Text => self.people(ink),
            LogFormat::Json => self.machines(ink),
        }
    }
}

//! What a replay would send, and when.
//!
//! Comes in: planned requests. Goes out: a timetable for people, or one JSON object a line.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::listen_args::LogFormat;
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
    /// When, spans, bytes, and whether a span is over the bound.
    requests: Vec<(Duration, u64, u64, bool)>,
}

impl Dry {
    pub(super) fn new(to: String, protocol: &'static str, format: LogFormat) -> Self {
        Self { to, protocol, format, requests: Vec::new() }
    }

    /// A request that would be sent then.
    pub(super) fn take(&mut self, due: Duration, planned: &Planned) {
        self.requests.push((due, planned.spans, planned.bytes.len() as u64, planned.oversize));
    }

    /// When the last request is due.
    pub(super) fn lasts(&self) -> Duration {
        self.requests.iter().map(|(due, ..)| *due).max().unwrap_or_default()
    }

    fn sum(&self, what: impl Fn(&(Duration, u64, u64, bool)) -> u64) -> u64 {
        self.requests.iter().map(what).sum()
    }

    fn people(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        for (number, (due, spans, bytes, oversize)) in self.requests.iter().take(ROWS).enumerate() {
            let due = Nanos(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX)).to_string();
            ink.say(format_args!(
                "{:>8}  +{due:<10} {spans:>6} spans  {:>10}",
                number + 1,
                ByteSize(*bytes).to_string()
            ))?;
            if *oversize {
                ink.put(Tone::Odd, "  a single span over --batch-bytes")?;
            }
            ink.line()?;
        }
        if let Some(more) = self.requests.len().checked_sub(ROWS).filter(|more| *more > 0) {
            ink.put(Tone::Quiet, format_args!("     and {more} more requests"))?;
            ink.line()?;
        }
        let (spans, bytes) = (self.sum(|request| request.1), ByteSize(self.sum(|request| request.2)));
        let lasts = Nanos(u64::try_from(self.lasts().as_nanos()).unwrap_or(u64::MAX));
        let (requests, to, protocol) = (self.requests.len(), &self.to, self.protocol);
        ink.say(format_args!("would send {spans} spans in {requests} requests, {bytes}, to {to} ({protocol})"))?;
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
        let (spans, bytes) = (self.sum(|request| request.1), self.sum(|request| request.2));
        ink.say(json!({ "event": "would_send", "spans": spans, "requests": self.requests.len(), "bytes": bytes, "lasts_ns": lasts, "to": self.to, "protocol": self.protocol }))?;
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

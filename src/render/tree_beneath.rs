//! Draws the lines under a row: what went wrong, attributes, events.
//!
//! Comes in: a row and the guides it stands at. Goes out: lines cut to the page.

use std::io;

use super::tree::{Guides, tone};
use super::tree_signs::{Signs, counted, signs};
use super::{Ink, Tone, width};
use crate::model::{Attribute, Nanos, Outcome, Value, timestamp};
use crate::view::{Fault, Row};

/// The lines under a row: what went wrong, attributes, events.
pub(super) fn beneath(
    row: &Row<'_>,
    parent: bool,
    guides: &Guides,
    ink: &mut Ink<'_>,
    guide_room: usize,
) -> io::Result<()> {
    let mut lines: Vec<Vec<(Tone, String)>> = Vec::new();
    if let Some(fault) = &row.fault {
        let taken = (row.depth as usize + 1) * 2;
        lines.extend(fault_lines(row, fault, signs(ink), ink.page().width.saturating_sub(taken)));
    }
    for attribute in &row.attributes {
        lines.push(attribute_line(attribute));
    }
    for event in &row.events {
        let since = if row.start == 0 { 0 } else { event.time.saturating_sub(row.start) };
        let mut line = vec![(Tone::Quiet, format!("+{} ", Nanos(since))), (Tone::Name, format!("{} ", event.name))];
        for attribute in &event.attributes {
            line.extend(attribute_line(attribute));
            line.push((Tone::Plain, " ".to_owned()));
        }
        lines.push(line);
    }
    for line in lines {
        guides.beside(parent, ink, guide_room)?;
        for (tone, text) in line {
            let room = ink.page().width.saturating_sub(ink.column());
            ink.put_fit(tone, &text, room)?;
        }
        ink.line()?;
    }
    Ok(())
}

fn attribute_line(attribute: &Attribute) -> Vec<(Tone, String)> {
    vec![(Tone::Quiet, format!("{} = ", attribute.key)), (Tone::Plain, brief(&attribute.value, 3))]
}

/// A value on one line, as much of it as a line can hold.
fn brief(value: &Value, levels: usize) -> String {
    const SHOWN: usize = 32;
    let list = |parts: &mut dyn Iterator<Item = String>, more: bool| {
        let shown = parts.collect::<Vec<_>>().join(", ");
        if more { shown + ", …" } else { shown }
    };
    match value {
        Value::Empty => String::new(),
        Value::String(text) => text.chars().take(1024).collect(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Bytes(bytes) => counted(bytes.len() as u64, "byte"),
        Value::Array(_) | Value::Map(_) if levels == 0 => "…".to_owned(),
        Value::Array(values) => {
            let mut parts = values.iter().take(SHOWN).map(|value| brief(value, levels - 1));
            format!("[{}]", list(&mut parts, values.len() > SHOWN))
        }
        Value::Map(pairs) => {
            let mut parts =
                pairs.iter().take(SHOWN).map(|pair| format!("{}: {}", pair.key, brief(&pair.value, levels - 1)));
            format!("{{{}}}", list(&mut parts, pairs.len() > SHOWN))
        }
    }
}

/// `✗ RateLimitError: slow down (client.py:41 in call)`: the message gives way to the place. Of a cancellation, lines
/// follow with what was cancelled, when, and how far it went up.
fn fault_lines(row: &Row<'_>, fault: &Fault, signs: &Signs, room: usize) -> Vec<Vec<(Tone, String)>> {
    let tone = if row.fails_silently() { Tone::Error } else { tone(row) };
    let cancelled = row.outcome == Outcome::Cancelled;
    let mark = if cancelled { signs.cancelled } else { signs.error };
    let message: String = fault.message.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(1024).collect();
    let (name, message) = match fault.short_kind() {
        "" if cancelled => ("cancelled", message),
        "" if message.is_empty() => ("status ERROR, no reason given", message),
        "" => ("", message),
        // A status code that is the type as well.
        kind if message.strip_prefix("HTTP ") == Some(kind) => ("", message),
        kind => (kind, message),
    };
    let head = format!("{mark} {name}");
    let colon = if name.is_empty() || message.is_empty() { "" } else { ": " };
    let tail = fault.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
    let taken = [&head, colon, &tail].iter().map(|part| width(&super::clean(part))).sum();
    let message = super::fit(&message, room.saturating_sub(taken).max(16), signs.cut).into_owned();
    let mut lines = vec![vec![(tone, head), (Tone::Plain, format!("{colon}{message}")), (Tone::Quiet, tail)]];
    if cancelled {
        let parts = circumstances(row, fault);
        lines.extend(wrapped(&parts, signs.dot, room).into_iter().map(|line| vec![(Tone::Quiet, line)]));
    }
    lines
}

fn circumstances(row: &Row<'_>, fault: &Fault) -> Vec<String> {
    let mut parts = vec![if row.expected { "as asked" } else { "unexpected" }.to_owned()];
    if row.propagated > 0 {
        parts.push(format!("passed through {}", counted(row.propagated.into(), "span")));
    }
    if let Some(cancellation) = &fault.cancellation {
        parts.extend(cancellation.time_unix_nano.map(|time| format!("at {}", clock(time))));
        parts.extend(cancellation.task.as_ref().map(|task| format!("task {task}")));
    }
    parts
}

/// Parts joined into lines that fit, indented under a mark.
fn wrapped(parts: &[String], dot: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut().filter(|line| width(line) + width(dot) + width(part) <= room) {
            Some(line) => *line = format!("{line}{dot}{part}"),
            None => lines.push(format!("  {part}")),
        }
    }
    lines
}

/// The time of day of a Unix time.
fn clock(unix_nanos: u64) -> String {
    let text = timestamp(unix_nanos, false);
    text.split_once('T').map_or(text.clone(), |(_, time)| time.trim_end_matches('Z').to_owned())
}

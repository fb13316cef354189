//! Draws what stands above the rows of a trace: id, name and duration, then everything else about it, wrapped.
//!
//! Comes in: a trace view. Goes out: two lines or more.

use std::io;

use super::tree_facts::sums_words;
use super::tree_signs::{counted, grouped, signs};
use super::{Ink, Tone, width};
use crate::forest::Flags;
use crate::model::{Nanos, timestamp};
use crate::view::{Belongs, Heading, Nested, SessionSums, TraceView};

/// The heading's first line: short id, name, duration.
pub(super) fn title(heading: &Heading<'_>, ink: &mut Ink<'_>) -> io::Result<()> {
    let duration = Nanos(heading.counts.duration_ns()).to_string();
    let page = ink.page();
    if heading.id.is_none() {
        ink.put(Tone::Odd, "no trace id")?;
    } else {
        ink.put(Tone::Quiet, heading.id.short())?;
    }
    ink.say("  ")?;
    let room = page.width.saturating_sub(ink.column() + width(&duration) + 2);
    ink.put_fit(Tone::Title, heading.name, room.max(8))?;
    ink.say("  ")?;
    ink.put(Tone::Title, duration)?;
    ink.line()
}

/// The heading's other lines: everything else, wrapped.
pub(super) fn facts(view: &TraceView<'_>, ink: &mut Ink<'_>) -> io::Result<()> {
    let mut facts = heading_facts(&view.heading);
    if view.rows.iter().any(|row| row.flags.has(Flags::CRITICAL)) {
        let sign = super::tree_bar::critical_sign(ink.page().unicode);
        facts.push((Tone::Critical, format!("{sign} critical path")));
    }
    wrapped(facts, ink)
}

/// Facts one after another, wrapped; behind what stands on the line already.
pub(super) fn wrapped(facts: Vec<(Tone, String)>, ink: &mut Ink<'_>) -> io::Result<()> {
    let mut between = "  ";
    for (tone, fact) in facts {
        let needed = width(between) + width(&super::clean(&fact));
        if ink.column() > 0 && ink.column() + needed > ink.page().width {
            ink.line()?;
            between = "  ";
        }
        ink.put(if between.trim().is_empty() { Tone::Plain } else { Tone::Quiet }, between)?;
        between = signs(ink).dot;
        let room = ink.page().width.saturating_sub(ink.column());
        ink.put_fit(tone, &fact, room.max(8))?;
    }
    ink.line()
}

/// What a heading says besides id, name and duration, each with its tone.
pub(super) fn heading_facts(heading: &Heading<'_>) -> Vec<(Tone, String)> {
    let counts = &heading.counts;
    let mut facts: Vec<(Tone, String)> = Vec::new();
    if !heading.service.is_empty() {
        facts.push((Tone::Service, heading.service.to_owned()));
    }
    if counts.services > 1 {
        facts.push((Tone::Service, counted(counts.services.into(), "service")));
    }
    let start = if counts.start == 0 { "no start time".to_owned() } else { timestamp(counts.start, false) };
    facts.push((Tone::Quiet, start));
    facts.push((Tone::Plain, counted(counts.spans.into(), "span")));
    let unexpected = u64::from(counts.cancelled - counts.expected);
    let some: [(u64, Tone, &str); 8] = [
        (counts.failed.into(), Tone::Error, "error"),
        (unexpected, Tone::Cancelled, "cancelled"),
        (counts.expected.into(), Tone::Expected, "cancelled as asked"),
        (counts.unfinished.into(), Tone::Odd, "unfinished"),
        (counts.orphans.into(), Tone::Odd, "orphan"),
        (counts.cycles.into(), Tone::Odd, "in cycles"),
        (counts.duplicates.into(), Tone::Odd, "duplicate"),
        (if counts.roots > 1 { counts.roots.into() } else { 0 }, Tone::Odd, "root"),
    ];
    for (number, tone, word) in some.into_iter().filter(|(number, ..)| *number > 0) {
        let countable = matches!(word, "error" | "orphan" | "duplicate" | "root");
        let fact = if countable { counted(number, word) } else { format!("{} {word}", grouped(number)) };
        facts.push((tone, fact));
    }
    if heading.failed_tools > 0 {
        facts.push((Tone::Error, format!("{} failed", counted(heading.failed_tools, "tool"))));
    }
    if heading.failed_calls > 0 {
        facts.push((Tone::Error, format!("{} failed", counted(heading.failed_calls, "call"))));
    }
    facts.extend(heading.totals.iter().flat_map(|sums| sums_words(sums).into_iter().map(|fact| (Tone::Plain, fact))));
    let Nested { traces, spans, wrong } = heading.nested;
    if traces > 0 {
        let words = [(wrong.failed, "failed"), (wrong.cancelled, "cancelled")];
        let some = words.into_iter().filter(|(number, _)| *number > 0);
        let wrong: Vec<String> = some.map(|(number, word)| format!("{} {word}", grouped(number))).collect();
        let wrong = if wrong.is_empty() { String::new() } else { format!(" ({})", wrong.join(", ")) };
        let (traces, spans) = (counted(traces, "trace"), counted(spans, "span"));
        facts.push((Tone::Odd, format!("{traces} with {spans}{wrong} nested by ids")));
    }
    if let Some(Belongs { trace, name, by }) = &heading.belongs {
        facts.push((Tone::Odd, format!("belongs beneath {name} of trace {}, by {by}", trace.short())));
    }
    if !heading.rooted {
        facts.push((Tone::Odd, "no root".to_owned()));
    }
    if let Some(until) = heading.background_until() {
        let root = Nanos(heading.root_end.saturating_sub(heading.root_start));
        let until = Nanos(until.saturating_sub(heading.root_start));
        facts.push((Tone::Plain, format!("root {root}, background until {until}")));
    }
    facts
}

/// What a session says besides its name: how many traces, from when to when, what they took.
pub(super) fn session_facts(sums: &SessionSums) -> Vec<(Tone, String)> {
    let mut facts = vec![(Tone::Quiet, counted(sums.traces, "trace"))];
    if sums.start != 0 {
        let (start, end) = (timestamp(sums.start, false), timestamp(sums.end, false));
        let day = |time: &str| time.split_once('T').map(|(day, _)| day.to_owned());
        let same_day = day(&start) == day(&end);
        let end = end.split_once('T').filter(|_| same_day).map_or(end.as_str(), |(_, clock)| clock);
        facts.push((Tone::Quiet, format!("{start} to {end}")));
        facts.push((Tone::Plain, Nanos(sums.end.saturating_sub(sums.start)).to_string()));
    }
    facts.extend(sums.totals.iter().flat_map(|sums| sums_words(sums).into_iter().map(|fact| (Tone::Plain, fact))));
    facts
}

//! Draws trees as text: a heading, then rows with guides, name, duration and a waterfall.
//!
//! Comes in: a tree report. Goes out: lines that fit the page. One trace stands in memory at a time.

use std::io;

use super::tree_bar::{Bar, Scale};
use super::{Ink, Render, Tone, width};
use crate::forest::{Flags, Grade, Tree};
use crate::model::{Attribute, Nanos, Outcome, Value, timestamp};
use crate::view::{Fault, Heading, LeftOut, Row, TraceView, TreeReport};

impl Render for TreeReport<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let mut tree = Tree::default();
        for (at, number) in self.shown().enumerate() {
            if at > 0 {
                ink.line()?;
            }
            self.trace(number, &mut tree).map_err(io::Error::other)?.render(ink)?;
        }
        omitted(self, ink)
    }
}

impl Render for TraceView<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        title(&self.heading, ink)?;
        facts(self, ink)?;
        self.render_rows(ink)
    }
}

impl TraceView<'_> {
    /// Draws the rows without the heading, and what was left out.
    pub(super) fn render_rows(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        rows(self, ink)?;
        left_out(&self.left_out, ink)
    }
}

/// What a tree drawn on a page consists of.
struct Signs {
    branch: &'static str,
    corner: &'static str,
    line: &'static str,
    error: &'static str,
    cancelled: &'static str,
    unfinished: &'static str,
    orphan: &'static str,
    cycle: &'static str,
    duplicate: &'static str,
    budget: &'static str,
    times: &'static str,
    sum: &'static str,
    dot: &'static str,
    more: &'static str,
    cut: &'static str,
}

const UNICODE: Signs = Signs {
    branch: "├─ ",
    corner: "└─ ",
    line: "│ ",
    error: "✗",
    cancelled: "⊘",
    unfinished: "…",
    orphan: "⇡",
    cycle: "↻",
    duplicate: "≡",
    budget: "!",
    times: "×",
    sum: "Σ ",
    dot: " · ",
    more: "…",
    cut: "…",
};

const ASCII: Signs = Signs {
    branch: "|- ",
    corner: "`- ",
    line: "| ",
    error: "x",
    cancelled: "/",
    unfinished: ".",
    orphan: "^",
    cycle: "@",
    duplicate: "=",
    budget: "!",
    times: "x",
    sum: "sum ",
    dot: ", ",
    more: "...",
    cut: "~",
};

fn signs(ink: &Ink<'_>) -> &'static Signs {
    if ink.page().unicode { &UNICODE } else { &ASCII }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 span`, `25 spans`.
fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// The heading's first line: short id, name, duration.
fn title(heading: &Heading<'_>, ink: &mut Ink<'_>) -> io::Result<()> {
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
fn facts(view: &TraceView<'_>, ink: &mut Ink<'_>) -> io::Result<()> {
    let mut facts = heading_facts(&view.heading);
    if view.rows.iter().any(|row| row.flags.has(Flags::CRITICAL)) {
        let sign = super::tree_bar::critical_sign(ink.page().unicode);
        facts.push((Tone::Critical, format!("{sign} critical path")));
    }
    let mut first = true;
    for (tone, fact) in facts {
        let dot = signs(ink).dot;
        let needed = width(dot) + width(&super::clean(&fact));
        if first || ink.column() + needed > ink.page().width {
            if !first {
                ink.line()?;
            }
            ink.say("  ")?;
        } else {
            ink.put(Tone::Quiet, dot)?;
        }
        first = false;
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

/// Where the columns of a trace stand.
struct Columns {
    /// The width of names and their guides.
    left: usize,
    duration: usize,
    bar: usize,
}

impl Columns {
    fn of(view: &TraceView<'_>, ink: &Ink<'_>) -> Self {
        let page = ink.page().width.max(24);
        let duration = view.rows.iter().map(|row| width(&duration(row, ink))).max().unwrap_or(0).max(7);
        let bar = if page < 60 { page / 5 } else { (page * 3 / 10).min(60) };
        Self { left: page.saturating_sub(duration + bar + 2), duration, bar }
    }
}

fn duration(row: &Row<'_>, ink: &Ink<'_>) -> String {
    match row.fold {
        _ if row.missing.is_some() => String::new(),
        Some(fold) => format!("{}{}", signs(ink).sum, Nanos(fold.total_ns)),
        None if row.end == 0 => signs(ink).more.to_owned(),
        None => Nanos(row.duration_ns()).to_string(),
    }
}

/// Guides of a row: which levels above it go on.
#[derive(Default)]
struct Guides {
    open: Vec<bool>,
}

impl Guides {
    fn enter(&mut self, row: &Row<'_>) {
        let level = row.depth as usize;
        self.open.truncate(level.saturating_sub(1));
        if level > 0 {
            self.open.push(!row.last);
        }
    }

    /// The guides before a row's own text. Where they would fill the line, the depth stands for them.
    fn before(&self, ink: &mut Ink<'_>, room: usize) -> io::Result<()> {
        let signs = signs(ink);
        let Some((own, above)) = self.open.split_last() else { return Ok(()) };
        self.lines(above, ink, room)?;
        ink.put(Tone::Quiet, if *own { signs.branch } else { signs.corner })
    }

    /// The guides beside what stands under a row.
    fn beside(&self, parent: bool, ink: &mut Ink<'_>, room: usize) -> io::Result<()> {
        self.lines(&self.open, ink, room)?;
        let signs = signs(ink);
        ink.put(Tone::Quiet, if parent { signs.line } else { "  " })
    }

    fn lines(&self, levels: &[bool], ink: &mut Ink<'_>, room: usize) -> io::Result<()> {
        let signs = signs(ink);
        if levels.len() * 2 > room {
            return ink.put(Tone::Quiet, format_args!("{}{} ", signs.more, self.open.len()));
        }
        let line = levels.iter().map(|&open| if open { signs.line } else { "  " }).collect::<String>();
        ink.put(Tone::Quiet, line)
    }
}

fn rows(view: &TraceView<'_>, ink: &mut Ink<'_>) -> io::Result<()> {
    let columns = Columns::of(view, ink);
    let marker = view.heading.background_until().map(|_| view.heading.root_end);
    let counts = &view.heading.counts;
    let scale = Scale { start: counts.start, end: counts.end, cells: columns.bar, marker };
    let mut guides = Guides::default();
    for (at, row) in view.rows.iter().enumerate() {
        guides.enter(row);
        guides.before(ink, columns.left / 2)?;
        label(row, ink, columns.left)?;
        let text = duration(row, ink);
        if !text.is_empty() {
            ink.pad_to((columns.left + 1 + columns.duration).saturating_sub(width(&text)))?;
            ink.put(Tone::Plain, text)?;
            Bar::of(row, &scale).draw(columns.left + columns.duration + 2, ink)?;
        }
        ink.line()?;
        let parent = view.rows.get(at + 1).is_some_and(|next| next.depth > row.depth);
        beneath(row, parent, &guides, ink, &columns)?;
    }
    Ok(())
}

/// The tone that tells how a row ended.
pub(super) fn tone(row: &Row<'_>) -> Tone {
    match row.outcome {
        Outcome::Error => Tone::Error,
        Outcome::Cancelled if row.expected => Tone::Expected,
        Outcome::Cancelled => Tone::Cancelled,
        Outcome::Unfinished => Tone::Odd,
        Outcome::Ok if row.missing.is_some() => Tone::Odd,
        Outcome::Ok => Tone::Plain,
    }
}

/// Marks, name and notes.
fn label(row: &Row<'_>, ink: &mut Ink<'_>, left: usize) -> io::Result<()> {
    if let Some(missing) = row.missing {
        let grade = match missing.grade {
            Grade::Local => "local, lost",
            Grade::Remote => "remote, elsewhere",
            Grade::Unknown => "unknown",
        };
        let children = if missing.children == 1 { "child" } else { "children" };
        let beneath = format!("{}{} {children}", signs(ink).dot, grouped(missing.children));
        let room = ink.page().width.saturating_sub(ink.column());
        let whole = format!("? missing parent {} ({grade}{beneath})", row.id);
        let text = if width(&whole) <= room { whole } else { format!("? missing parent {} ({grade})", row.id.short()) };
        return ink.put_fit(Tone::Odd, &text, room);
    }
    let tone = tone(row);
    let marks = marks(row, signs(ink));
    if !marks.is_empty() {
        ink.put(if tone == Tone::Plain { Tone::Odd } else { tone }, marks + " ")?;
    }
    let notes = notes(row, signs(ink));
    let wanted: usize = notes.iter().map(|(_, note)| 2 + width(&super::clean(note))).sum();
    let room = left.saturating_sub(ink.column());
    // A name gives way to its notes, but never more than to three fifths of the room.
    ink.put_fit(tone, row.name, room.saturating_sub(wanted).max(room * 3 / 5))?;
    for (tone, note) in notes {
        let room = left.saturating_sub(ink.column() + 2);
        if room < 3 {
            break;
        }
        ink.say("  ")?;
        ink.put_fit(tone, &note, room)?;
    }
    Ok(())
}

fn marks(row: &Row<'_>, signs: &Signs) -> String {
    let outcome = match row.outcome {
        Outcome::Ok => "",
        Outcome::Error => signs.error,
        Outcome::Cancelled => signs.cancelled,
        Outcome::Unfinished => signs.unfinished,
    };
    let marks = [
        (true, outcome),
        (row.flags.has(Flags::ORPHAN), signs.orphan),
        (row.flags.has(Flags::CYCLE), signs.cycle),
        (row.flags.has(Flags::DUPLICATE), signs.duplicate),
        (row.budget.parameter || row.budget.span, signs.budget),
    ];
    marks.into_iter().filter(|(yes, _)| *yes).map(|(_, mark)| mark).collect()
}

/// What is said of a row beside its name.
fn notes(row: &Row<'_>, signs: &Signs) -> Vec<(Tone, String)> {
    let mut notes = Vec::new();
    if let Some(fold) = row.fold {
        let slowest = Nanos(fold.slowest_ns);
        notes.push((Tone::Title, format!("{}{}", signs.times, grouped(fold.times))));
        notes.push((Tone::Quiet, format!("slowest {slowest}")));
        if fold.spans > fold.times {
            notes.push((Tone::Quiet, counted(fold.spans, "span")));
        }
    }
    if let Some(service) = row.service {
        notes.push((Tone::Service, if service.is_empty() { "no service".to_owned() } else { service.to_owned() }));
    }
    let words = [
        (row.outcome == Outcome::Unfinished, "unfinished"),
        (row.outcome == Outcome::Error && row.end == 0, "unfinished"),
        (row.flags.has(Flags::CYCLE), "cycle"),
        (row.flags.has(Flags::DUPLICATE), "duplicate id"),
        (row.budget.parameter, "parameter over 2 MiB"),
        (row.budget.span, "parameters over 4 MiB"),
    ];
    notes.extend(words.into_iter().filter(|(yes, _)| *yes).map(|(_, word)| (Tone::Odd, word.to_owned())));
    if row.repeats > 0 {
        notes.push((Tone::Odd, format!("read {} times", grouped(u64::from(row.repeats) + 1))));
    }
    if row.below > 0 {
        notes.push((Tone::Quiet, format!("+{}", counted(row.below, "span"))));
    }
    notes
}

/// The lines under a row: what went wrong, attributes, events.
fn beneath(row: &Row<'_>, parent: bool, guides: &Guides, ink: &mut Ink<'_>, columns: &Columns) -> io::Result<()> {
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
        guides.beside(parent, ink, columns.left / 2)?;
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
    let tone = tone(row);
    let cancelled = row.outcome == Outcome::Cancelled;
    let mark = if cancelled { signs.cancelled } else { signs.error };
    let message: String = fault.message.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(1024).collect();
    let (name, message) = match fault.short_kind() {
        "" if cancelled => ("cancelled", message),
        "" if message.is_empty() => ("status ERROR, no reason given", message),
        "" => ("", message),
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

fn left_out(left: &LeftOut, ink: &mut Ink<'_>) -> io::Result<()> {
    let more = signs(ink).more;
    let lines = [
        (left.over, "more", "--rows 0 shows all"),
        (left.deep, "deeper", "a larger --depth shows them"),
        (left.fine, "without errors", "shown without --errors"),
    ];
    for (spans, what, how) in lines.into_iter().filter(|(spans, ..)| *spans > 0) {
        let noun = if spans == 1 { "span" } else { "spans" };
        let what = match what {
            "without errors" => format!("  {more} {} {noun} {what}", grouped(spans)),
            _ => format!("  {more} {} {what} {noun}", grouped(spans)),
        };
        remark(&what, how, ink)?;
    }
    Ok(())
}

/// Something that is not shown and how to see it, on two lines where one is too short.
fn remark(what: &str, how: &str, ink: &mut Ink<'_>) -> io::Result<()> {
    ink.put(Tone::Quiet, what)?;
    if ink.column() + width(how) + 3 > ink.page().width {
        ink.line()?;
        ink.say("   ")?;
    }
    ink.put(Tone::Quiet, format_args!(" ({how})"))?;
    ink.line()
}

fn omitted(report: &TreeReport<'_>, ink: &mut Ink<'_>) -> io::Result<()> {
    let Some(what) = omitted_line(report, signs(ink).more) else { return Ok(()) };
    ink.line()?;
    remark(&what, MORE_TRACES, ink)
}

/// How to see the traces over the limit.
pub(super) const MORE_TRACES: &str = "--limit 0 shows all";

/// What is over the limit of traces.
pub(super) fn omitted_line(report: &TreeReport<'_>, more: &str) -> Option<String> {
    let omitted = report.omitted();
    (omitted.traces > 0).then(|| {
        let noun = if omitted.traces == 1 { "trace" } else { "traces" };
        let spans = counted(omitted.spans, "span");
        format!("{more} {} more {noun} with {spans}", grouped(omitted.traces))
    })
}

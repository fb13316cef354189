//! The report of `stats`, as a table for people, Markdown or CSV.
//!
//! Comes in: a report. Goes out: lines. Markdown and CSV leave nothing out; the table leaves out columns without news.

use std::io;

use super::agents::summary;
use super::lint::wrapped;
use super::stats_calls::{CALLS, COUNTS};
use super::{Cell, Column, Ink, Render, Table, Tone, clean};
use crate::model::{ByteSize, Nanos};
use crate::stats::{Operation, Report, RunRow, Sort, Tokens};

/// The report as a Markdown table.
#[derive(Debug)]
pub struct StatsMarkdown<'r>(pub &'r Report);

/// The report's rows as CSV (RFC 4180): durations in nanoseconds.
#[derive(Debug)]
pub struct StatsCsv<'r>(pub &'r Report);

/// One column of every form: its heading in a table, its name in CSV, and how to get its cell.
pub(super) struct Field {
    pub(super) column: Column,
    pub(super) name: &'static str,
    pub(super) shown: fn(&Operation) -> Cell,
    pub(super) raw: fn(&Operation) -> String,
    /// Whether there is anything to see in it.
    pub(super) news: fn(&Report) -> bool,
}

const fn text(title: &'static str, least: usize, rank: u32) -> Column {
    Column { title, right: false, least: Some(least), rank }
}

pub(super) const fn number(title: &'static str, rank: u32) -> Column {
    Column { title, right: true, least: None, rank }
}

fn quiet(text: Option<&str>) -> Cell {
    (Tone::Quiet, text.unwrap_or_default().to_owned())
}

fn count(tone: Tone, count: u64) -> Cell {
    (if count == 0 { Tone::Quiet } else { tone }, count.to_string())
}

fn tokens(row: &Operation, of: fn(Tokens) -> u64) -> Cell {
    (Tone::Plain, row.tokens.map(|tokens| of(tokens).to_string()).unwrap_or_default())
}

fn time(nanos: u64) -> Cell {
    (Tone::Plain, Nanos(nanos).to_string())
}

/// A duration of a row, or a dash where no span of it has one.
fn measured(row: &Operation, nanos: u64) -> Cell {
    if row.finished == 0 { (Tone::Quiet, "-".to_owned()) } else { time(nanos) }
}

fn raw_measured(row: &Operation, nanos: u64) -> String {
    if row.finished == 0 { String::new() } else { nanos.to_string() }
}

fn name(row: &Operation) -> Cell {
    match row.name.as_str() {
        "" => (Tone::Odd, "(none)".to_owned()),
        name => (if row.errors > 0 { Tone::Error } else { Tone::Name }, name.to_owned()),
    }
}

fn several(report: &Report, of: fn(&Operation) -> Option<&str>) -> bool {
    let first = report.operations.first().map(of);
    report.by == "name" && report.operations.iter().any(|row| Some(of(row)) != first)
}

/// How many columns stand before the numbers of calls, and how many before their figures.
const BEFORE_COUNTS: usize = 5;
const BEFORE_CALLS: usize = 9;

/// All columns of a report: the numbers of calls stand behind that of all, their figures behind the tokens.
fn fields(report: &Report) -> impl Iterator<Item = &'static Field> {
    let calls = report.operations.iter().any(|row| row.calls.is_some());
    let (before, after) = FIELDS.split_at(BEFORE_CALLS);
    let (before, between) = before.split_at(BEFORE_COUNTS);
    let counts = COUNTS.iter().filter(move |_| calls);
    before.iter().chain(counts).chain(between).chain(CALLS.iter().filter(move |_| calls)).chain(after)
}

static FIELDS: [Field; 16] = [
    Field { column: text("OPERATION", 14, 0), name: "name", shown: name, raw: |row| row.name.clone(), news: |_| true },
    Field {
        column: text("SERVICE", 8, 70),
        name: "service",
        shown: |row| (Tone::Service, row.service.clone().unwrap_or_default()),
        raw: |row| row.service.clone().unwrap_or_default(),
        news: |report| several(report, |row| row.service.as_deref()),
    },
    Field {
        column: text("KIND", 8, 90),
        name: "kind",
        shown: |row| quiet(row.kind),
        raw: |row| row.kind.unwrap_or_default().to_owned(),
        news: |report| several(report, |row| row.kind),
    },
    Field {
        column: text("ROLE", 9, 80),
        name: "role",
        shown: |row| quiet(row.role),
        raw: |row| row.role.unwrap_or_default().to_owned(),
        news: |report| several(report, |row| row.role),
    },
    Field {
        column: number("COUNT", 0),
        name: "count",
        shown: |row| (Tone::Plain, row.count.to_string()),
        raw: |row| row.count.to_string(),
        news: |_| true,
    },
    Field {
        column: number("ERR", 10),
        name: "errors",
        shown: |row| count(Tone::Error, row.errors),
        raw: |row| row.errors.to_string(),
        news: |report| report.operations.iter().any(|row| row.errors > 0),
    },
    Field {
        column: number("CANC", 20),
        name: "cancelled",
        shown: |row| count(Tone::Cancelled, row.cancelled),
        raw: |row| row.cancelled.to_string(),
        news: |report| report.operations.iter().any(|row| row.cancelled > 0),
    },
    Field {
        column: number("TOK IN", 25),
        name: "input_tokens",
        shown: |row| tokens(row, |tokens| tokens.input),
        raw: |row| tokens(row, |tokens| tokens.input).1,
        news: |report| report.operations.iter().any(|row| row.tokens.is_some()),
    },
    Field {
        column: number("TOK OUT", 26),
        name: "output_tokens",
        shown: |row| tokens(row, |tokens| tokens.output),
        raw: |row| tokens(row, |tokens| tokens.output).1,
        news: |report| report.operations.iter().any(|row| row.tokens.is_some()),
    },
    Field {
        column: number("MIN", 100),
        name: "min_ns",
        shown: |row| measured(row, row.duration_ns.min),
        raw: |row| raw_measured(row, row.duration_ns.min),
        news: |_| true,
    },
    Field {
        column: number("P50", 30),
        name: "p50_ns",
        shown: |row| measured(row, row.duration_ns.p50),
        raw: |row| raw_measured(row, row.duration_ns.p50),
        news: |_| true,
    },
    Field {
        column: number("P95", 5),
        name: "p95_ns",
        shown: |row| measured(row, row.duration_ns.p95),
        raw: |row| raw_measured(row, row.duration_ns.p95),
        news: |_| true,
    },
    Field {
        column: number("P99", 60),
        name: "p99_ns",
        shown: |row| measured(row, row.duration_ns.p99),
        raw: |row| raw_measured(row, row.duration_ns.p99),
        news: |_| true,
    },
    Field {
        column: number("MAX", 65),
        name: "max_ns",
        shown: |row| measured(row, row.duration_ns.max),
        raw: |row| raw_measured(row, row.duration_ns.max),
        news: |_| true,
    },
    Field {
        column: number("TOTAL", 40),
        name: "sum_ns",
        shown: |row| time(row.duration_ns.sum),
        raw: |row| row.duration_ns.sum.to_string(),
        news: |_| true,
    },
    Field {
        column: number("SELF", 50),
        name: "self_ns",
        shown: |row| time(row.duration_ns.own),
        raw: |row| row.duration_ns.own.to_string(),
        news: |_| true,
    },
];

impl Render for Report {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        totals(self, ink)?;
        if let Some(agents) = &self.agents {
            summary(agents, ink)?;
        }
        ink.line()?;
        if let Some(agents) = self.agents.as_ref().filter(|agents| agents.list.is_some()) {
            return super::agents::table(agents, self.sort, ink);
        }
        let fields = || fields(self).filter(|field| (field.news)(self));
        let columns = fields().map(|field| match field.name {
            "name" => Column { title: heading(&self.by), ..field.column },
            // What the rows are sorted by is never left out.
            name if name == sorted_by(self.sort) => Column { rank: 0, ..field.column },
            // What alone tells rows of one name apart is kept as long as the name.
            "service" if namesakes(self, |row| (&row.name, None, None), |row| row.service.as_deref()) => kept(field),
            "kind" if namesakes(self, |row| (&row.name, row.service.as_deref(), None), |row| row.kind) => kept(field),
            "role" if namesakes(self, |row| (&row.name, row.service.as_deref(), row.kind), |row| row.role) => {
                kept(field)
            }
            _ => field.column,
        });
        let rows = self.operations.iter().map(|row| fields().map(|field| (field.shown)(row)).collect());
        let table = Table { columns: columns.collect(), rows: rows.collect() };
        table.render(ink)?;
        left_out(&table, ink)?;
        if self.operations_left_out > 0 {
            let more = self.operations_left_out;
            ink.put(Tone::Quiet, format_args!("and {more} more (--top 0 shows all)"))?;
            ink.line()?;
        }
        Ok(())
    }
}

/// Names the columns for which the page has no room.
pub(super) fn left_out(table: &Table, ink: &mut Ink<'_>) -> io::Result<()> {
    let names = table.left_out(ink.page().width).join(", ");
    if names.is_empty() {
        return Ok(());
    }
    wrapped(ink, Tone::Quiet, &format!("no room for {names} (a larger --width or --format csv shows all)"), 2)?;
    ink.line()
}

/// The name of the field that rows are sorted by.
fn sorted_by(sort: Sort) -> &'static str {
    match sort {
        Sort::Total => "sum_ns",
        Sort::OwnTime => "self_ns",
        Sort::Count => "count",
        Sort::Errors => "errors",
        Sort::Cancelled => "cancelled",
        Sort::P50 => "p50_ns",
        Sort::P95 => "p95_ns",
        Sort::P99 => "p99_ns",
        Sort::Max => "max_ns",
        Sort::Cost => "cost_usd",
        Sort::Name => "name",
    }
}

fn kept(field: &Field) -> Column {
    Column { rank: 6, ..field.column }
}

/// What two rows may have in common: name, service, kind.
type Shared<'r> = (&'r str, Option<&'r str>, Option<&'r str>);

/// Whether any two rows are the same in `shared` and differ in `apart`.
fn namesakes<'r>(
    report: &'r Report,
    shared: fn(&'r Operation) -> Shared<'r>,
    apart: fn(&'r Operation) -> Option<&'r str>,
) -> bool {
    let mut rows: Vec<_> = report.operations.iter().map(|row| (shared(row), apart(row))).collect();
    rows.sort_unstable();
    rows.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0 && a.1 != b.1))
}

fn heading(by: &str) -> &'static str {
    match by {
        "name" => "OPERATION",
        "service" => "SERVICE",
        "kind" => "KIND",
        "role" => "ROLE",
        "scope" => "SCOPE",
        "model" => "MODEL",
        "provider" => "PROVIDER",
        "tool" => "TOOL",
        "agent" => "AGENT",
        "session" => "SESSION",
        _ => "VALUE",
    }
}

/// Two or three lines of sums, those of zero left out where zero is as it should be.
fn totals(report: &Report, ink: &mut Ink<'_>) -> io::Result<()> {
    let totals = &report.totals;
    let plural = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let inputs = report.inputs.len() as u64;
    ink.put(Tone::Title, plural(totals.spans, "span", "spans"))?;
    ink.say(format_args!(" in {}", plural(totals.traces, "trace", "traces")))?;
    ink.say(format_args!(" of {}", plural(totals.services, "service", "services")))?;
    let size = format!(", {} read from {}", ByteSize(totals.bytes), plural(inputs, "input", "inputs"));
    if ink.column() + size.len() <= ink.page().width {
        ink.put(Tone::Quiet, size)?;
    }
    ink.line()?;
    let facts = [
        (Tone::Plain, totals.roots, "root", "roots", true),
        (Tone::Error, totals.errors, "error", "errors", true),
        (Tone::Cancelled, totals.cancelled, "cancelled", "cancelled", true),
        (Tone::Odd, totals.orphans, "orphan", "orphans", true),
        (Tone::Odd, totals.unfinished, "unfinished", "unfinished", false),
        (Tone::Odd, totals.duplicates, "duplicate", "duplicates", false),
        (Tone::Odd, totals.invalid_ids, "invalid id", "invalid ids", false),
        (Tone::Plain, totals.events, "event", "events", false),
        (Tone::Plain, totals.links, "link", "links", false),
        (Tone::Odd, totals.troubles, "kind of trouble", "kinds of trouble", false),
    ];
    for (tone, count, one, many, _) in facts.into_iter().filter(|(_, count, _, _, always)| *always || *count > 0) {
        let fact = plural(count, one, many);
        if ink.column() > 0 && ink.column() + 2 + fact.len() > ink.page().width {
            ink.line()?;
        } else if ink.column() > 0 {
            ink.say("  ")?;
        }
        ink.put(if count == 0 { Tone::Quiet } else { tone }, fact)?;
    }
    ink.line()
}

impl Render for StatsMarkdown<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        if let Some(runs) = runs(self.0) {
            return super::agents::markdown(runs, ink);
        }
        let columns: Vec<_> = fields(self.0).map(|field| field.column).collect();
        let rows = self.0.operations.iter().map(|row| fields(self.0).map(|field| (field.shown)(row).1).collect());
        markdown_table(&columns, rows, ink)
    }
}

impl Render for StatsCsv<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        if let Some(runs) = runs(self.0) {
            return super::agents::csv(runs, ink);
        }
        ink.finished_line(&fields(self.0).map(|field| field.name).collect::<Vec<_>>().join(","))?;
        for row in &self.0.operations {
            let cells: Vec<_> = fields(self.0).map(|field| quoted(&(field.raw)(row))).collect();
            ink.finished_line(&cells.join(","))?;
        }
        Ok(())
    }
}

/// The runs of agents, where the report is about them.
fn runs(report: &Report) -> Option<&[RunRow]> {
    report.agents.as_ref()?.list.as_deref()
}

/// A table in Markdown, its titles in small letters.
pub(super) fn markdown_table(
    columns: &[Column],
    rows: impl Iterator<Item = Vec<String>>,
    ink: &mut Ink<'_>,
) -> io::Result<()> {
    let escape = |text: &String| clean(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
    let titles: Vec<_> = columns.iter().map(|column| column.title.to_lowercase()).collect();
    ink.finished_line(&format!("| {} |", titles.join(" | ")))?;
    let rules: Vec<_> = columns.iter().map(|column| if column.right { "---:" } else { "---" }).collect();
    ink.finished_line(&format!("| {} |", rules.join(" | ")))?;
    for row in rows {
        ink.finished_line(&format!("| {} |", row.iter().map(escape).collect::<Vec<_>>().join(" | ")))?;
    }
    Ok(())
}

/// A field of CSV.
pub(super) fn quoted(text: &str) -> String {
    let text = clean(text);
    match text.contains(['"', ',', ' ']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into_owned(),
    }
}

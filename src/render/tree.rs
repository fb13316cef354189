//! Draws trees as text: a heading, then rows with guides, name, duration and a waterfall.
//!
//! Comes in: a tree report. Goes out: lines that fit the page. One trace stands in memory at a time.

use std::borrow::Cow;
use std::io;

use super::tree_bar::{Bar, Scale};
use super::tree_beneath::beneath;
use super::tree_facts::{self, Fact};
use super::tree_heading::{facts, session_facts, title, wrapped};
use super::tree_signs::{Signs, counted, grouped, signs};
use super::{Ink, Render, Tone, width};
use crate::forest::{Flags, Grade, Tree};
use crate::model::{Nanos, Outcome};
use crate::view::{LeftOut, Row, TraceView, TreeReport, Wrong};

impl Render for TreeReport<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let mut tree = Tree::default();
        let mut session = None;
        for (at, number) in self.shown().enumerate() {
            if at > 0 {
                ink.line()?;
            }
            if self.settings().by_session && session != Some(self.session(number)) {
                session = Some(self.session(number));
                session_line(self, number, &mut tree, ink)?;
            }
            let view = self.trace(number, &mut tree).map_err(io::Error::other)?;
            title(&view.heading, ink)?;
            facts(&view, ink)?;
            view.render_rows(self.settings().ids, ink)?;
        }
        omitted(self, ink)
    }
}

impl Render for TraceView<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        title(&self.heading, ink)?;
        facts(self, ink)?;
        self.render_rows(false, ink)
    }
}

impl TraceView<'_> {
    /// Draws the rows without the heading, perhaps with the ids of spans at their ends, and what was left out.
    pub(super) fn render_rows(&self, ids: bool, ink: &mut Ink<'_>) -> io::Result<()> {
        rows(self, ids, ink)?;
        left_out(&self.left_out, ink)
    }
}

/// `session conv-1  3 traces`, when they were and what they took, above the first of them.
fn session_line(report: &TreeReport<'_>, number: usize, tree: &mut Tree, ink: &mut Ink<'_>) -> io::Result<()> {
    let name = report.session(number);
    let sums = report.session_sums(name, tree);
    let room = ink.page().width.saturating_sub(10).max(8);
    ink.put(Tone::Quiet, if name.is_empty() { "no session" } else { "session " })?;
    ink.put_fit(Tone::Title, name, room)?;
    wrapped(session_facts(&sums), ink)
}

/// No bar is wider.
const WIDEST: usize = 100;
/// An id and the gap before it.
const ID: usize = 18;

/// Where the columns of a trace stand.
struct Columns {
    /// The width of names and their guides.
    left: usize,
    duration: usize,
    bar: usize,
}

impl Columns {
    fn of(view: &TraceView<'_>, ids: bool, ink: &Ink<'_>) -> Self {
        let page = ink.page().width.saturating_sub(if ids { ID } else { 0 }).max(24);
        let duration = view.rows.iter().map(|row| width(&duration(row, ink))).max().unwrap_or(0).max(7);
        // Who called which model or tool says more than how long the bars are.
        let narrow = page < 60 || page < 110 && view.rows.iter().any(|row| row.facts.is_some());
        let least = if narrow { page / 5 } else { (page * 3 / 10).min(60) };
        let most = page.saturating_sub(duration + least + 2);
        // What the names leave goes to the bars, and what is too much for these to the arguments of tools.
        let wanted = |glimpse: usize| view.rows.iter().map(|row| columns(row, ink, most, glimpse)).max().unwrap_or(0);
        let mut left = wanted(tree_facts::GLIMPSE).min(most);
        let over = page.saturating_sub(left + duration + 2 + WIDEST);
        if over > 0 {
            left = wanted(usize::MAX).min(left + over);
        }
        Self { left, duration, bar: page.saturating_sub(left + duration + 2).min(WIDEST) }
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
pub(super) struct Guides {
    open: Vec<bool>,
    /// The row hangs where it does because ids say so.
    inferred: bool,
}

impl Guides {
    fn enter(&mut self, row: &Row<'_>) {
        let level = row.depth as usize;
        self.inferred = row.inferred.is_some();
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
        ink.put(
            Tone::Quiet,
            match (*own, self.inferred) {
                (true, false) => signs.branch,
                (false, false) => signs.corner,
                (true, true) => signs.dashed_branch,
                (false, true) => signs.dashed_corner,
            },
        )
    }

    /// The guides beside what stands under a row.
    pub(super) fn beside(&self, parent: bool, ink: &mut Ink<'_>, room: usize) -> io::Result<()> {
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

fn rows(view: &TraceView<'_>, ids: bool, ink: &mut Ink<'_>) -> io::Result<()> {
    let columns = Columns::of(view, ids, ink);
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
        if ids && row.missing.is_none() {
            ink.pad_to(columns.left + columns.duration + columns.bar + 4)?;
            ink.put(Tone::Quiet, row.id)?;
        }
        ink.line()?;
        let parent = view.rows.get(at + 1).is_some_and(|next| next.depth > row.depth);
        beneath(row, parent, &guides, ink, columns.left / 2)?;
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
    let Label { marks, notes, facts } = Label::of(row, ink);
    for (tone, mark) in marks {
        ink.put(tone, mark + " ")?;
    }
    let room = left.saturating_sub(ink.column());
    // A name gives way to its notes and to what tells the row from others, but keeps a part of the room.
    let (needed, least) = (tree_facts::needed(&facts), tree_facts::kept(row, &facts, room));
    let room = room.saturating_sub(columns_of(&notes) + needed).max(least);
    ink.put(tone(row), fit_name(row.name, room, signs(ink).cut))?;
    for (tone, note) in notes {
        let room = left.saturating_sub(ink.column() + 2);
        if room < width(&super::clean(&note)).min(3) {
            break;
        }
        ink.say("  ")?;
        ink.put_fit(tone, &note, room)?;
    }
    tree_facts::draw(&facts, ink, left)
}

/// A name cut to so many columns: one with a path of modules before it at its beginning, any other at its end.
fn fit_name<'n>(name: &'n str, columns: usize, cut: &str) -> Cow<'n, str> {
    let path = !name.contains(' ') && name.split('.').nth(3).is_some();
    let from = name.char_indices().rev().nth(columns).filter(|_| path && columns > width(cut)).map(|(at, _)| at);
    let Some(tail) = from.and_then(|from| name.get(from..)) else { return super::fit(name, columns, cut) };
    let mut tail = super::clean(tail).into_owned();
    while width(&tail) + width(cut) > columns && !tail.is_empty() {
        tail.remove(0);
    }
    Cow::Owned(format!("{cut}{tail}"))
}

/// What stands around the name of a row.
struct Label {
    marks: Vec<(Tone, String)>,
    notes: Vec<(Tone, String)>,
    facts: Vec<Fact>,
}

impl Label {
    fn of(row: &Row<'_>, ink: &Ink<'_>) -> Self {
        let ended = Some(tone(row)).filter(|tone| *tone != Tone::Plain).unwrap_or(Tone::Odd);
        let outcome = Some(marks(row, signs(ink))).filter(|marks| !marks.is_empty());
        let role = tree_facts::role_sign(row, ink.page().unicode);
        let marks = outcome.map(|marks| (ended, marks)).into_iter();
        Self {
            marks: marks.chain(role.map(|(tone, sign)| (tone, sign.to_owned()))).collect(),
            notes: notes(row, signs(ink)),
            facts: tree_facts::facts(row, ink),
        }
    }
}

fn columns_of(notes: &[(Tone, String)]) -> usize {
    notes.iter().map(|(_, note)| 2 + width(&super::clean(note))).sum()
}

/// The columns that a row would like to have before its duration, at most `glimpse` of them for what its tool was given; `most` and
/// some, where it is more than that.
fn columns(row: &Row<'_>, ink: &Ink<'_>, most: usize, glimpse: usize) -> usize {
    if row.missing.is_some() {
        return 0;
    }
    let Label { marks, notes, facts } = Label::of(row, ink);
    let guides = (row.depth as usize * 2 + usize::from(row.depth > 0)).min(most / 2 + 8);
    let marks: usize = marks.iter().map(|(_, mark)| width(mark) + 1).sum();
    let name = width(&super::fit(row.name, most + 1, "~"));
    guides + marks + name + columns_of(&notes) + tree_facts::wanted(&facts, glimpse)
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
    if let Some(by) = row.inferred {
        notes.push((Tone::Odd, format!("by {by}")));
    }
    if row.below > 0 {
        notes.push((Tone::Quiet, format!("+{}", counted(row.below, "span"))));
        let Wrong { failed, cancelled } = row.wrong_below;
        if failed > 0 {
            notes.push((Tone::Error, format!("{} failed", grouped(failed))));
        }
        if cancelled > 0 {
            notes.push((Tone::Cancelled, format!("{} cancelled", grouped(cancelled))));
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
        (row.flags.has(Flags::LATE), "late"),
        (row.budget.parameter, "attribute over 2 MiB"),
        (row.budget.span, "attributes over 4 MiB"),
        (!row.wrong.is_empty(), row.wrong),
    ];
    notes.extend(words.into_iter().filter(|(yes, _)| *yes).map(|(_, word)| (Tone::Odd, word.to_owned())));
    if row.repeats > 0 {
        notes.push((Tone::Odd, format!("read {} times", grouped(u64::from(row.repeats) + 1))));
    }
    notes
}

fn left_out(left: &LeftOut, ink: &mut Ink<'_>) -> io::Result<()> {
    let more = signs(ink).more;
    let lines = [
        (left.over, "more", "--rows 0 shows all", left.over_wrong),
        (left.deep, "deeper", "a larger --depth shows them", left.deep_wrong),
        (left.fine, "without errors", "shown without --errors", Wrong::default()),
        (left.between, "other", "shown without --agents", Wrong::default()),
        (left.hollow, "empty generator", "--no-collapse shows them", Wrong::default()),
    ];
    for (spans, what, how, wrong) in lines.into_iter().filter(|(spans, ..)| *spans > 0) {
        let noun = if spans == 1 { "span" } else { "spans" };
        let mut what = match what {
            "without errors" => format!("  {more} {} {noun} {what}", grouped(spans)),
            _ => format!("  {more} {} {what} {noun}", grouped(spans)),
        };
        for (count, word) in [(wrong.failed, "failed"), (wrong.cancelled, "cancelled")] {
            if count > 0 {
                what.push_str(&format!(", {} {word}", grouped(count)));
            }
        }
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

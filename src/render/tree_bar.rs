//! The bar of a row in the waterfall.
//!
//! Comes in: a row and the scale of its trace. Goes out: cells at half a cell's precision, and a mark where the root
//! ended while work went on.

use std::io;

use super::tree::tone;
use super::{Ink, Tone};
use crate::forest::Flags;
use crate::model::Outcome;
use crate::view::{Extent, Row};

/// The time that the bars of one trace show.
pub(super) struct Scale {
    /// The trace's start.
    pub(super) start: u64,
    /// The trace's end.
    pub(super) end: u64,
    /// How many cells a bar has.
    pub(super) cells: usize,
    /// When the root ended, where work went on notably longer.
    pub(super) marker: Option<u64>,
}

impl Scale {
    /// A time in half cells.
    fn half(&self, time: u64, up: bool) -> usize {
        let span = u128::from(self.end.saturating_sub(self.start)).max(1);
        let halves = u128::from(time.clamp(self.start, self.end) - self.start) * (self.cells as u128 * 2);
        let half = if up { halves.div_ceil(span) } else { halves / span };
        usize::try_from(half).unwrap_or(usize::MAX)
    }
}

/// How a bar is drawn: whole cells, a left half, a right half.
#[derive(Clone, Copy)]
pub(super) struct Stroke {
    unicode: [&'static str; 3],
    ascii: &'static str,
}

pub(super) const PLAIN: Stroke = Stroke { unicode: ["━", "╸", "╺"], ascii: "=" };
pub(super) const CRITICAL: Stroke = Stroke { unicode: ["█", "▌", "▐"], ascii: "#" };
pub(super) const FOLDED: Stroke = Stroke { unicode: ["┅", "╸", "╺"], ascii: "-" };
pub(super) const UNFINISHED: Stroke = Stroke { unicode: ["┄", "┄", "┄"], ascii: "." };

impl Stroke {
    /// A short bar.
    pub(super) fn sample(&self, unicode: bool) -> String {
        let [whole, ..] = self.unicode;
        if unicode { whole } else { self.ascii }.repeat(3)
    }
}

/// What a bar on the critical path is drawn with.
pub(super) fn critical_sign(unicode: bool) -> &'static str {
    let [whole, ..] = CRITICAL.unicode;
    if unicode { whole } else { CRITICAL.ascii }
}

/// A row's bar, in half cells.
pub(super) struct Bar {
    from: usize,
    to: usize,
    cells: usize,
    /// The cell in which the root ended.
    marker: Option<usize>,
    stroke: Stroke,
    tone: Tone,
}

impl Bar {
    /// The bar of a row. A row without a start has an empty one.
    pub(super) fn of(row: &Row<'_>, scale: &Scale) -> Self {
        let critical = row.flags.has(Flags::CRITICAL);
        let unfinished = row.end == 0;
        let stroke = match () {
            () if unfinished => UNFINISHED,
            () if critical => CRITICAL,
            () if row.fold.is_some() || row.extent == Extent::Request => FOLDED,
            () => PLAIN,
        };
        let tone = match row.outcome {
            Outcome::Ok if critical => Tone::Critical,
            Outcome::Ok => Tone::Bar,
            _ => tone(row),
        };
        // However short, a span shows; at the very end it shows in the last half cell.
        let from = scale.half(row.start, false).min((scale.cells * 2).saturating_sub(1));
        let end = match row.extent {
            _ if unfinished => scale.end,
            Extent::FirstToken(wait) => row.start.saturating_add(wait),
            Extent::Span | Extent::Request => row.end,
        };
        let known = row.start != 0 && scale.end > scale.start;
        let to = if known { scale.half(end, true).max(from + 1) } else { from };
        let marker = scale.marker.map(|time| (scale.half(time, false) / 2).min(scale.cells.saturating_sub(1)));
        Self { from, to, cells: scale.cells, marker, stroke, tone }
    }

    /// Draws the bar from a column on, up to its last cell that is not empty.
    pub(super) fn draw(&self, column: usize, ink: &mut Ink<'_>) -> io::Result<()> {
        let unicode = ink.page().unicode;
        let mut text = String::new();
        for cell in 0..self.cells {
            match self.cell(cell, unicode) {
                Some(sign) => {
                    if text.is_empty() {
                        ink.pad_to(column + cell)?;
                    }
                    text.push_str(sign);
                }
                None => {
                    self.stroke(&mut text, ink)?;
                    if self.marker == Some(cell) {
                        ink.pad_to(column + cell)?;
                        ink.put(Tone::Quiet, if unicode { "┊" } else { ":" })?;
                    }
                }
            }
        }
        self.stroke(&mut text, ink)
    }

    fn stroke(&self, text: &mut String, ink: &mut Ink<'_>) -> io::Result<()> {
        if !text.is_empty() {
            ink.put(self.tone, std::mem::take(text))?;
        }
        Ok(())
    }

    fn cell(&self, cell: usize, unicode: bool) -> Option<&'static str> {
        let covered = |half: usize| (self.from..self.to).contains(&half);
        let [whole, left, right] = self.stroke.unicode;
        let sign = match (covered(cell * 2), covered(cell * 2 + 1)) {
            (true, true) => whole,
            (true, false) => left,
            (false, true) => right,
            (false, false) => return None,
        };
        Some(if unicode { sign } else { self.stroke.ascii })
    }
}

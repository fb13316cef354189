//! How much room every budget leaves.
//!
//! Comes in: what traces measured against each preset. Goes out: a block a preset, tightest limits first to break.

use std::io;

use super::budgets::cell_words;
use super::words::{count, measure};
use super::wrap::wrapped;
use crate::lint::{Cell, Fits};
use crate::render::{Ink, Render, Tone};

/// Room in every budget.
pub struct Room<'r>(pub &'r [Fits]);

impl Render for Room<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        self.0.iter().try_for_each(|fits| block(ink, fits))
    }
}

fn block(ink: &mut Ink<'_>, fits: &Fits) -> io::Result<()> {
    let tone = if fits.fitting == fits.traces { Tone::Good } else { Tone::Error };
    ink.put(Tone::Name, &fits.preset)?;
    ink.pad_to(16)?;
    ink.put(tone, format_args!("{} of {} fit", fits.fitting, count(fits.traces, "trace", "traces")))?;
    ink.line()?;
    for room in &fits.limits {
        let cell = Cell::named(room.limit_of);
        let size = |number| measure(number, cell.map(Cell::unit));
        ink.pad_to(2)?;
        ink.put(if room.over > 0 { Tone::Error } else { Tone::Plain }, cell.map_or("", cell_words))?;
        ink.pad_to(16)?;
        let numbers = [("limit", room.limit), ("p50", room.p50), ("p95", room.p95), ("max", room.max)];
        let numbers: Vec<String> =
            numbers.into_iter().map(|(word, number)| format!("{word} {}", size(number))).collect();
        wrapped(ink, Tone::Plain, &numbers.join(", "), 16)?;
        ink.line()?;
        if room.over > 0 {
            ink.pad_to(16)?;
            let first: Vec<&str> = room.offenders.iter().map(|id| id.get(..8).unwrap_or(id)).collect();
            let words = format!("{} over it: {}", count(room.over, "trace", "traces"), first.join(", "));
            wrapped(ink, Tone::Error, &words, 16)?;
            ink.line()?;
        }
    }
    Ok(())
}

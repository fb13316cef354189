//! How much room every budget leaves.
//!
//! Comes in: what traces measured against each preset. Goes out: a table, the rows of a preset together.

use std::io;

use super::budgets::cell_words;
use super::words::{limit, measure, thousands};
use crate::lint::{Cell, Fits, Headroom};
use crate::render::{Column, Ink, Render, Table, Tone};

/// Room in every budget.
pub struct Room<'r>(pub &'r [Fits]);

impl Render for Room<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let text = |title| Column { title, right: false, least: None, rank: 0 };
        let number = |title, rank| Column { title, right: true, least: None, rank };
        let columns = vec![
            text("BUDGET"),
            number("FIT", 0),
            text("LIMIT OF"),
            number("LIMIT", 0),
            number("P50", 3),
            number("P95", 2),
            number("MAX", 0),
            number("OVER", 0),
            Column { rank: 1, least: Some(8), ..text("FIRST") },
        ];
        let rows = self.0.iter().flat_map(|fits| fits.limits.iter().enumerate().map(|(at, room)| row(fits, at, room)));
        ink.put(Tone::Quiet, "traces that fit, and what was measured of spans and traces")?;
        ink.line()?;
        Table { columns, rows: rows.collect() }.render(ink)
    }
}

fn row(fits: &Fits, at: usize, room: &Headroom) -> Vec<(Tone, String)> {
    let cell = Cell::named(room.limit_of);
    let unit = cell.map(Cell::unit);
    let over = if room.over > 0 { Tone::Error } else { Tone::Plain };
    let fit = if fits.fitting == fits.traces { Tone::Good } else { Tone::Error };
    let first = |text: String| if at == 0 { text } else { String::new() };
    let size = |number| measure(number, unit);
    let offenders: Vec<&str> = room.offenders.iter().map(|id| id.get(..8).unwrap_or(id)).collect();
    vec![
        (Tone::Name, first(fits.preset.clone())),
        (fit, first(format!("{} of {}", thousands(fits.fitting), thousands(fits.traces)))),
        (Tone::Plain, cell.map_or("", cell_words).to_owned()),
        (Tone::Plain, limit(room.limit, unit)),
        (Tone::Quiet, size(room.p50)),
        (Tone::Quiet, size(room.p95)),
        (over, size(room.max)),
        (over, if room.over > 0 { thousands(room.over) } else { String::new() }),
        (Tone::Quiet, offenders.join(", ")),
    ]
}

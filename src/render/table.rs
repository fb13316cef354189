//! Tables that fit their page: the one place that knows comfy-table.
//!
//! Comes in: columns, and cells of any text. Goes out: lines. What does not fit is cut in the columns that may be cut; where
//! even that is not enough the least important columns are left out. comfy-table never gets to see the terminal.

use std::io;

use comfy_table::{
    Attribute, Cell as ComfyCell, CellAlignment, Color, ContentArrangement, Table as ComfyTable, presets,
};

use super::{Ink, Page, Render, Tone, clean, fit, width};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// Whether it holds numbers, which stand to the right.
    pub right: bool,
    /// The columns it can be cut to; `None` where it is never cut.
    pub least: Option<usize>,
    /// The larger, the earlier it is left out; zero never is.
    pub rank: u32,
}

/// A cell: what it means and its text, however untrusted.
pub type Cell = (Tone, String);

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// Columns between columns.
const GAP: usize = 2;

impl Table {
    /// The width of every column that is kept: `None` for those left out.
    fn layout(&self, page: usize) -> Vec<Option<usize>> {
        let natural = |at: usize, title: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|(_, text)| width(&clean(text)));
            cells.max().unwrap_or(0).max(width(title))
        };
        let natural: Vec<usize> =
            self.columns.iter().enumerate().map(|(at, column)| natural(at, column.title)).collect();
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        // What a table is about gets its share of the page before anything dispensable does.
        let share = |column: &Column| if column.rank == 0 { page * 2 / 5 } else { 0 };
        let least = |at: usize| self.columns.get(at).and_then(|column| Some(column.least?.max(share(column))));
        let natural_of = |at: usize| natural.get(at).copied().unwrap_or(0);
        let smallest = |at: usize| least(at).map_or(natural_of(at), |least| least.min(natural_of(at)));
        loop {
            let needed = kept.iter().map(|&at| smallest(at) + GAP).sum::<usize>().saturating_sub(GAP);
            let rank = |at: &usize| self.columns.get(*at).map_or(0, |column| column.rank);
            let Some(dispensable) = kept.iter().copied().filter(|at| rank(at) > 0).max_by_key(rank) else { break };
            if needed <= page {
                break;
            }
            kept.retain(|&at| at != dispensable);
        }
        let mut spare =
            page.saturating_sub(kept.iter().map(|&at| smallest(at) + GAP).sum::<usize>().saturating_sub(GAP));
        let mut widths = vec![None; self.columns.len()];
        for at in kept {
            let more = (natural_of(at) - smallest(at)).min(spare);
            spare -= more;
            if let Some(slot) = widths.get_mut(at) {
                *slot = Some(smallest(at) + more);
            }
        }
        widths
    }

    /// The headings of the columns for which a page has no room.
    pub(super) fn left_out(&self, page: usize) -> Vec<&'static str> {
        let columns = self.layout(page).into_iter().zip(&self.columns);
        columns.filter(|(width, _)| width.is_none()).map(|(_, column)| column.title).collect()
    }

    fn comfy(&self, page: Page) -> ComfyTable {
        let widths = self.layout(page.width);
        let ellipsis = if page.unicode { "…" } else { "~" };
        let mut table = ComfyTable::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.force_no_tty().set_width(u16::try_from(page.width).unwrap_or(u16::MAX));
        if page.color {
            table.enforce_styling();
            table.style_text_only();
        }
        let lines = widths.iter().zip(&self.columns).filter(|(width, _)| width.is_some());
        table.set_header(lines.map(|(_, column)| styled(column, Tone::Quiet, column.title.to_owned())));
        for row in &self.rows {
            let cells = row.iter().zip(&self.columns).zip(&widths);
            table.add_row(cells.filter_map(|(((tone, text), column), columns)| {
                Some(styled(column, *tone, fit(text, (*columns)?, ellipsis).into_owned()))
            }));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP as u16));
        }
        table
    }
}

impl Render for Table {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        for line in self.comfy(ink.page()).lines() {
            ink.finished_line(line.trim_end())?;
        }
        Ok(())
    }
}

/// A clean cell in a tone. The palette stays in [`Tone`]: its SGR numbers are put into comfy-table's words.
fn styled(column: &Column, tone: Tone, text: String) -> ComfyCell {
    let alignment = if column.right { CellAlignment::Right } else { CellAlignment::Left };
    let cell = ComfyCell::new_owned(text).set_alignment(alignment);
    tone.sgr().into_iter().flat_map(|sgr| sgr.split(';')).fold(cell, |cell, number| match number {
        "1" => cell.add_attribute(Attribute::Bold),
        "2" => cell.add_attribute(Attribute::Dim),
        "31" => cell.fg(Color::DarkRed),
        "32" => cell.fg(Color::DarkGreen),
        "33" => cell.fg(Color::DarkYellow),
        "34" => cell.fg(Color::DarkBlue),
        "35" => cell.fg(Color::DarkMagenta),
        "36" => cell.fg(Color::DarkCyan),
        _ => cell,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |title, right, least, rank| Column { title, right, least, rank };
        Table {
            columns: vec![
                column("NAME", false, Some(8), 0),
                column("COUNT", true, None, 0),
                column("SELF", true, None, 5),
            ],
            rows: vec![
                vec![
                    (Tone::Name, "a rather long name".into()),
                    (Tone::Plain, "7".into()),
                    (Tone::Quiet, "1.00 ms".into()),
                ],
                vec![(Tone::Error, "b\x1b[2J日本".into()), (Tone::Error, "12".into()), (Tone::Quiet, "2.00 s".into())],
            ],
        }
    }

    fn shown(page: Page) -> String {
        let mut out = Vec::new();
        table().render(&mut Ink::new(&mut out, page)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_fits_its_page() {
        assert_eq!(
            shown(Page::plain(80)),
            "NAME                COUNT     SELF\na rather long name      7  1.00 ms\nb␛[2J日本              12   2.00 s\n"
        );
        assert_eq!(
            shown(Page::plain(28)),
            "NAME          COUNT     SELF\na rather lo…      7  1.00 ms\nb␛[2J日本        12   2.00 s\n"
        );
        assert_eq!(shown(Page::plain(20)), "NAME           COUNT\na rather lon…      7\nb␛[2J日本         12\n");
        assert_eq!((table().left_out(28), table().left_out(20)), (vec![], vec!["SELF"]));
    }

    #[test]
    fn tones_become_colours_on_a_coloured_page() {
        let text = shown(Page { color: true, ..Page::plain(80) });
        assert!(text.contains("\x1b["), "{text}");
        assert!(!text.contains("\x1b[2J"), "{text:?}");
    }
}

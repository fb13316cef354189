//! The budgets there are.
//!
//! Comes in: the presets. Goes out: a block each, or JSON.

use std::io::{self, Write};

use serde_json::json;

use super::words::limit;
use super::wrap::wrapped;
use crate::lint::{BudgetPreset, Cell, DEFAULT_PRESET, PRESETS};
use crate::render::json::write_json;
use crate::render::{Ink, Render, Tone};

/// All presets.
pub struct Budgets;

impl Render for Budgets {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let column = PRESETS.iter().map(|preset| preset.name.len()).max().unwrap_or(0) + 2;
        for preset in PRESETS {
            ink.put(Tone::Name, preset.name)?;
            ink.pad_to(column)?;
            wrapped(ink, Tone::Plain, &limits(preset), column)?;
            ink.line()?;
            ink.pad_to(column)?;
            let usual = if preset.name == DEFAULT_PRESET { "; the default" } else { "" };
            wrapped(ink, Tone::Quiet, &format!("{}{usual}", preset.effect), column)?;
            ink.line()?;
        }
        Ok(())
    }
}

fn limits(preset: &BudgetPreset) -> String {
    let cells =
        preset.cells.iter().map(|(cell, most)| format!("{} {}", cell_words(*cell), limit(*most, Some(cell.unit()))));
    cells.collect::<Vec<_>>().join(", ")
}

/// What a kind of limit is about.
pub(super) fn cell_words(cell: Cell) -> &'static str {
    match cell {
        Cell::AttrValueBytes | Cell::AttrValueChars => "value",
        Cell::AttrKeyBytes | Cell::AttrKeyChars => "key",
        Cell::ArrayLen => "array elements",
        Cell::Attrs => "attributes",
        Cell::Events => "events",
        Cell::EventAttrs => "attributes an event",
        Cell::Links => "links",
        Cell::LinkAttrs => "attributes a link",
        Cell::NameBytes | Cell::NameChars => "name",
        Cell::SpanBytes => "span",
        Cell::ParamsTotal => "parameter.* in all",
        Cell::TraceBytes => "trace",
        Cell::TraceSpans => "spans a trace",
    }
}

/// Writes all presets as JSON.
pub fn budgets_json(out: &mut dyn Write) -> io::Result<()> {
    let presets: Vec<_> = PRESETS
        .iter()
        .map(|preset| {
            let limits: serde_json::Map<String, serde_json::Value> =
                preset.cells.iter().map(|(cell, limit)| (cell.name().to_owned(), json!(limit))).collect();
            json!({
                "name": preset.name,
                "default": preset.name == DEFAULT_PRESET,
                "limits": limits,
                "effect": preset.effect,
                "source": preset.source,
            })
        })
        .collect();
    write_json(&json!({ "schema": 1, "budgets": presets }), out)
}

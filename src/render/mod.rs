//! Reports in, characters out.
//!
//! Every report is drawn by one file here, through [`Ink`] only: no renderer opens a file, looks at the terminal or
//! decides a colour.

mod agents;
mod chat;
mod chat_text;
mod fold;
mod ink;
mod json;
mod lint;
mod page;
mod show;
mod stats;
mod stats_calls;
mod table;
mod trace_line;
mod tree;
mod tree_bar;
mod tree_beneath;
mod tree_facts;
mod tree_heading;
mod tree_json;
mod tree_legend;
mod tree_markdown;
mod tree_signs;
#[cfg(test)]
mod tree_tests;
mod troubles;

pub use chat::ChatText;
pub use ink::{Ink, clean, fit, width};
pub use json::{escaped, write_json};
pub use lint::{
    Budgets, Concise, Explain, GitHub, GroupBy, Human, LintMarkdown, LintView, Ottl, Room, RuleTable, Said, Scores,
    Sdk, Statistics, Verdict, budgets_json, gitlab, junit, lint_json, lint_jsonl, room_markdown, rules_json, sarif,
    scores_json, scores_junit, scores_markdown, veil,
};
pub use page::{Page, Tone};
pub use show::ShowText;
pub use stats::{StatsCsv, StatsMarkdown};
pub use table::{Cell, Column, Table};
pub use trace_line::TraceLine;
pub use tree_json::{tree_json, tree_jsonl};
pub use tree_legend::Legend;
pub use tree_markdown::tree_markdown;
pub use troubles::Troubles;

use std::io;

/// Anything that can be put on a page.
pub trait Render {
    /// Draws itself; fails only when the page cannot be written to.
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()>;
}

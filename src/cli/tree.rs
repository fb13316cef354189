//! `tracectl tree`: span trees with a waterfall.
//!
//! Comes in: arguments and a capture. Goes out: settings for the view, and its answer in the chosen format.

use std::io::{self, Write};

use clap::ValueEnum;

use crate::capture::{Capture, SpanRef};
use crate::forest::Forest;
use crate::render::{Ink, Page, Render, tree_json, tree_jsonl, tree_markdown};
use crate::view::{Keys, Settings, Sort, TreeReport};

/// Traces that are shown to people unless they say otherwise.
const TRACES: usize = 20;
/// Rows of a trace that are shown to people unless they say otherwise.
const ROWS: usize = 500;

/// Show span trees with a waterfall
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Show this many levels of each tree
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub depth: Option<u32>,

    /// Show at most this many traces; 0 shows all [default: 20 for people, all for machines]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Show at most this many rows of a trace; 0 shows all [default: 500]
    #[arg(long, value_name = "N")]
    pub rows: Option<usize>,

    /// Order the traces
    #[arg(long, value_enum, default_value_t)]
    pub sort: Order,

    /// Show only the paths to errors, cancellations and unfinished spans
    #[arg(long)]
    pub errors: bool,

    /// Show the attributes of each span, or those whose keys match
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*",
          value_parser = Keys::matching)]
    pub attributes: Option<Keys>,

    /// Show the events of each span
    #[arg(long)]
    pub events: bool,

    /// Show every span of a run of like siblings
    #[arg(long)]
    pub no_collapse: bool,

    /// Mark the spans without which a trace would have ended sooner
    #[arg(long)]
    pub critical_path: bool,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// The order of traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// Earliest first
    #[default]
    Start,
    /// Longest first
    Duration,
    /// Most errors and cancellations first
    Errors,
}

/// The forms of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Trees for people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// One JSON object a trace and line
    Jsonl,
    /// Trees in Markdown
    Markdown,
}

/// What the view is asked for.
pub fn settings(args: &Args) -> Settings {
    let people = matches!(args.format, Format::Text | Format::Markdown);
    let limit = |given: Option<usize>, usual| match given {
        Some(0) => None,
        Some(limit) => Some(limit),
        None => people.then_some(usual),
    };
    Settings {
        depth: args.depth,
        limit: limit(args.limit, TRACES),
        rows: limit(args.rows, ROWS),
        sort: match args.sort {
            Order::Start => Sort::Start,
            Order::Duration => Sort::Duration,
            Order::Errors => Sort::Errors,
        },
        errors: args.errors,
        attributes: args.attributes.clone(),
        events: args.events,
        // Who asks for the attributes of spans wants to see the spans.
        collapse: !args.no_collapse && args.attributes.is_none() && !args.events,
        critical_path: args.critical_path,
    }
}

/// Writes the trees of the traces of which any span is `selected`; how many traces were shown.
pub fn run(
    args: &Args,
    capture: &Capture,
    selected: &dyn Fn(SpanRef) -> bool,
    page: Page,
    out: &mut dyn Write,
) -> io::Result<usize> {
    let forest = Forest::of(capture);
    let report = TreeReport::of(capture, &forest, settings(args), selected);
    match args.format {
        Format::Text => report.render(&mut Ink::new(out, page))?,
        Format::Json => tree_json(&report, out)?,
        Format::Jsonl => tree_jsonl(&report, out)?,
        Format::Markdown => tree_markdown(&report, page, out)?,
    }
    Ok(report.shown().len())
}

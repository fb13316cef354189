//! `tracectl tree`: span trees with a waterfall.
//!
//! Comes in: options. Goes out: the trees of the traces that fit, in the format that was asked for.

use std::sync::Arc;

use clap::ValueEnum;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::filter::FilterArgs;
use super::inputs::{InputArgs, Inputs};
use super::output::OutputArgs;
use super::prices::PriceArgs;
use crate::forest::Forest;
use crate::model::Outcome;
use crate::query::{Filter, ended};
use crate::render::{Legend, tree_json, tree_jsonl, tree_markdown};
use crate::view::{self, Keys, Sort, TreeReport};

/// Traces that are shown to people unless they say otherwise.
const TRACES: usize = 20;
/// Rows of a trace that are shown to people unless they say otherwise.
const ROWS: usize = 500;

/// Show what happened: span trees with a waterfall
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
A trace is shown whole when any of its spans fits the filters. --outcome error goes by the status of
spans; --errors shows tools that failed by their own word as well.

Examples:
  tracectl tree run.jsonl
  tracectl tree run.jsonl --errors --events
  tracectl tree run.jsonl --agents
  tracectl tree run.jsonl --by session
  tracectl tree captures/ --sort duration --limit 3
  tracectl tree run.jsonl --service 'letta*' --min-duration 1s --attributes='gen_ai.*'")]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,

    /// Show this many levels of each tree
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,

    /// Show at most this many traces; 0 shows all [default: 20 for people, all for machines]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Show at most this many rows of a trace; 0 shows all [default: 500]
    #[arg(long, value_name = "N")]
    rows: Option<usize>,

    /// Order of the traces: start, duration or errors
    #[arg(long, value_name = "ORDER", hide_possible_values = true)]
    sort: Option<Order>,

    /// Show only the paths to errors, failed tools, cancellations and unfinished spans
    #[arg(long)]
    errors: bool,

    /// Show only what agents did (agents, steps, model and tool calls, memory) and what went wrong
    #[arg(long)]
    agents: bool,

    /// Show the attributes of each span, or those whose keys match
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*",
          value_parser = Keys::matching)]
    attributes: Option<Keys>,

    /// Show the events of each span
    #[arg(long)]
    events: bool,

    /// Show the id of each span at the end of its row, for `tracectl show`
    #[arg(long)]
    ids: bool,

    /// Show every span instead of collapsing similar siblings
    #[arg(long)]
    no_collapse: bool,

    /// Do not attach traces that lost their context to the parent that ids suggest
    #[arg(long)]
    no_infer: bool,

    /// Group traces: session (one conversation)
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    by: Option<Grouping>,

    #[command(flatten)]
    prices: PriceArgs,

    /// Mark the spans without which a trace would have ended sooner
    #[arg(long)]
    critical_path: bool,

    /// Print what the marks and bars mean, and exit
    #[arg(long)]
    legend: bool,

    /// text, json, jsonl or markdown [default: by the name of FILE, else text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, help_heading = "Output")]
    format: Option<Format>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    filter: FilterArgs,
}

/// The order of traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Order {
    /// Earliest first
    #[default]
    Start,
    /// Longest first
    Duration,
    /// Most errors and cancellations first
    Errors,
}

/// What traces are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Grouping {
    /// Their conversation
    Session,
}

/// The forms of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
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

struct Settings {
    inputs: Inputs,
    filter: Filter,
    view: view::Settings,
}

fn settings(args: &Args, format: Format, config: &Config, now: u64) -> Result<Settings, Error> {
    let people = matches!(format, Format::Text | Format::Markdown);
    let limit = |given: Option<usize>, usual| match given {
        Some(0) => None,
        Some(limit) => Some(limit),
        None => people.then_some(usual),
    };
    let number = |name| config.number(name).and_then(|number| usize::try_from(number).ok());
    let depth = config.number("tree.depth").and_then(|depth| u32::try_from(depth).ok()).filter(|depth| *depth > 0);
    let collapse = !args.no_collapse && config.flag("tree.collapse").unwrap_or(true);
    let view = view::Settings {
        depth: args.depth.or(depth),
        limit: limit(args.limit.or(number("tree.limit")), TRACES),
        rows: limit(args.rows, ROWS),
        sort: match args.sort.or(config.choice("tree.sort")).unwrap_or_default() {
            Order::Start => Sort::Start,
            Order::Duration => Sort::Duration,
            Order::Errors => Sort::Errors,
        },
        errors: args.errors,
        agents: args.agents || config.flag("tree.agents").unwrap_or(false),
        attributes: args.attributes.clone(),
        events: args.events,
        ids: args.ids,
        // Who asks for the attributes of spans wants to see the spans.
        collapse: collapse && args.attributes.is_none() && !args.events,
        critical_path: args.critical_path,
        by_session: args.by == Some(Grouping::Session),
        infer: !args.no_infer,
        // Machines get every trace where it stands.
        nest: people && !args.no_infer,
        prices: Some(Arc::new(args.prices.prices(config)?)),
    };
    Ok(Settings { inputs: args.inputs.settings(config), filter: args.filter.filter(now)?, view })
}

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    if args.legend {
        console.show(&Legend, &args.output)?;
        return Ok(Exit::Fine);
    }
    let format = args.output.format(args.format, Format::Text, console);
    let Settings { inputs, filter, view } = settings(args, format, config, console.around().now)?;
    let capture = inputs.open(console)?;
    args.output.spare(&capture)?;
    let forest = Forest::of(&capture);
    let fits = |span| filter.is_open() || filter.admits(&capture, span, ended(capture.head(span)));
    let report = TreeReport::of(&capture, &forest, view, &fits);
    let idle = report.shown().len() == 0;
    let page = console.page(&args.output);
    match format {
        Format::Json => console.write(&args.output, |out| tree_json(&report, out))?,
        _ if idle => {}
        Format::Text => console.show(&report, &args.output)?,
        Format::Jsonl => console.write(&args.output, |out| tree_jsonl(&report, out))?,
        Format::Markdown => console.write(&args.output, |out| tree_markdown(&report, page, out))?,
    }
    inputs.judge(&capture, console)?;
    if !idle {
        return Ok(Exit::Fine);
    }
    let error = Error::from(Problem::NothingFits { spans: capture.len() });
    let says_so = |span| capture.brief(span).is_some_and(|brief| brief.failed == Some(true));
    let silent = filter.outcomes.contains(&Outcome::Error) && capture.spans().any(says_so);
    Err(if silent { error.hint("tools failed by their own word, with status ok: --errors shows them") } else { error })
}

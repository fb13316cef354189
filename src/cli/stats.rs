//! `tracectl stats`: totals and a row an operation.
//!
//! Comes in: options. Goes out: the report in the format that was asked for.

use clap::ValueEnum;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::filter::FilterArgs;
use super::inputs::{InputArgs, Inputs};
use super::listed::listed;
use super::nearest::meant_of;
use super::output::OutputArgs;
use super::prices::PriceArgs;
use crate::query::Filter;
use crate::render::{StatsCsv, StatsMarkdown, write_json};
use crate::stats::{By, ByError, Question, Sort, report};

/// Count and measure: totals, then durations, errors and self time per operation
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Percentiles are exact (nearest rank). SELF is the part of a span's time in which none of its children ran.

Examples:
  tracectl stats run.jsonl
  tracectl stats run.jsonl --by role --sort self
  tracectl stats run.jsonl --agents
  tracectl stats run.jsonl --by model --sort count
  tracectl stats captures/ --format json -o stats.json")]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,
    /// Group by name, service, kind, role, scope or attr:KEY; calls by model, provider, tool, agent or session
    #[arg(long, value_name = "WHAT", hide_possible_values = true, value_parser = listed(grouping, &GROUPINGS))]
    by: Option<By>,
    /// One row per agent run: steps, calls, tokens, waste, cost, outcome
    #[arg(long, conflicts_with = "by")]
    agents: bool,
    #[command(flatten)]
    prices: PriceArgs,
    /// Show only the first N rows; 0 shows all [default: 40 in a table, else all]
    #[arg(long, value_name = "N")]
    top: Option<u32>,
    /// Order of the rows: total, self, count, errors, cancelled, cost, p50, p95, p99, max or name [default: total, with --agents cost]
    #[arg(long, value_name = "ORDER", hide_possible_values = true)]
    sort: Option<Order>,
    /// table, json, csv or markdown [default: by the name of FILE, else table]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, help_heading = "Output")]
    format: Option<Format>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    filter: FilterArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
    Markdown,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    Total,
    #[value(name = "self")]
    OwnTime,
    Count,
    Errors,
    Cancelled,
    Cost,
    P50,
    P95,
    P99,
    Max,
    Name,
}

/// What `--by` takes, the last with a key of its own.
const GROUPINGS: [&str; 11] =
    ["name", "service", "kind", "role", "scope", "model", "provider", "tool", "agent", "session", "attr:"];

fn grouping(text: &str) -> Result<By, String> {
    text.parse().map_err(|error: ByError| {
        format!("{error}{}", meant_of(text, GROUPINGS.into_iter().filter(|known| *known != text)))
    })
}

struct Settings {
    inputs: Inputs,
    filter: Filter,
    question: Question,
}

/// Rows of a table before the rest is only counted.
const TOP: u64 = 40;

fn settings(args: &Args, format: Format, config: &Config, now: u64) -> Result<Settings, Error> {
    let by = match (&args.by, config.text("stats.by")) {
        (Some(by), _) => by.clone(),
        (None, Some(text)) => {
            text.parse().map_err(|source: ByError| Problem::Setting { name: "stats.by", source: source.into() })?
        }
        (None, None) => By::default(),
    };
    let attribute = if let By::Attribute(key) = &by { Some(key.clone()) } else { None };
    let rows = if format == Format::Table { TOP } else { 0 };
    let top = args.top.map(u64::from).or(config.number("stats.top")).unwrap_or(rows);
    let inputs = args.inputs.settings(config).with_attribute(attribute).without_details();
    let top = usize::try_from(top).ok().filter(|top| *top > 0);
    let runs = args.agents || (args.by.is_none() && config.flag("stats.agents") == Some(true));
    let sort = sort(args.sort, config.choice("stats.sort"), runs)?;
    let prices = args.prices.prices(config)?;
    let question = Question { by, sort, top, jobs: inputs.jobs(), runs, prices };
    Ok(Settings { inputs, filter: args.filter.filter(now)?, question })
}

/// The order of the rows. Runs have no percentiles and no time of their own; what a configuration says of other rows does not hold for
/// them.
fn sort(asked: Option<Order>, usual: Option<Order>, runs: bool) -> Result<Sort, Error> {
    let of_operations =
        |order: &Order| matches!(order, Order::OwnTime | Order::P50 | Order::P95 | Order::P99 | Order::Max);
    let order = match (asked, runs) {
        (Some(order), true) if of_operations(&order) => {
            return Err(Error::from(Problem::Conflict("--agents has no percentiles and no self time to sort by"))
                .hint("with --agents, --sort is cost, total, count, errors, cancelled or name"));
        }
        (Some(order), _) => Some(order),
        (None, true) => Some(usual.filter(|order| !of_operations(order)).unwrap_or(Order::Cost)),
        (None, false) => usual,
    };
    Ok(order.map_or(Sort::default(), Sort::from))
}

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let format = args.output.format(args.format, Format::Table, console);
    let Settings { inputs, filter, question } = settings(args, format, config, console.around().now)?;
    let capture = inputs.open(console)?;
    args.output.spare(&capture)?;
    let report = report(&capture, &filter, &question);
    // A run may have ended like this though no span says so.
    let idle = report.totals.spans == 0 && report.agents.as_ref().is_none_or(|agents| agents.runs == 0);
    match format {
        Format::Json => console.write(&args.output, |out| write_json(&report, out))?,
        _ if idle => {}
        Format::Table => console.show(&report, &args.output)?,
        Format::Csv => console.show(&StatsCsv(&report), &args.output)?,
        Format::Markdown => console.show(&StatsMarkdown(&report), &args.output)?,
    }
    inputs.judge(&capture, console)?;
    if idle { Err(Problem::NothingFits { spans: capture.len() }.into()) } else { Ok(Exit::Fine) }
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        match order {
            Order::Total => Self::Total,
            Order::OwnTime => Self::OwnTime,
            Order::Count => Self::Count,
            Order::Errors => Self::Errors,
            Order::Cancelled => Self::Cancelled,
            Order::Cost => Self::Cost,
            Order::P50 => Self::P50,
            Order::P95 => Self::P95,
            Order::P99 => Self::P99,
            Order::Max => Self::Max,
            Order::Name => Self::Name,
        }
    }
}

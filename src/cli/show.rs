//! `tracectl show`: one span or one trace in full.
//!
//! Comes in: an id or its beginning. Goes out: everything that was recorded, secrets hidden.

use clap::ValueEnum;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::filter::FilterArgs;
use super::inputs::{InputArgs, Inputs};
use super::output::OutputArgs;
use crate::capture::{Capture, SpanRef};
use crate::forest::Forest;
use crate::query::{Filter, IdPrefix};
use crate::render::{ChatText, ShowText, write_json};
use crate::show::{Candidate, Chat, Found, Report, chat_of_span, chat_of_trace, find, report_span, report_trace};

/// Show everything about one span, or about every span of one trace
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Values that look like secrets (provider tokens, passwords, authorization headers) are hidden.

Examples:
  tracectl show 4bf92f35 run.jsonl
  tracectl show 00f067aa0ba902b7 run.jsonl --full
  tracectl show 4bf92f35 run.jsonl --messages
  tracectl show 4bf92f3577b34da6a3ce929d0e0e4736 run.jsonl --format json | jq .spans[0].attributes")]
pub(super) struct Args {
    /// A trace or span id, or its first digits
    id: IdPrefix,
    #[command(flatten)]
    inputs: InputArgs,
    /// Show what was said: the messages of a call to a model, or of all calls of a run or trace
    #[arg(long)]
    messages: bool,
    /// Show long values whole
    #[arg(long)]
    full: bool,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true, help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    filter: FilterArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

struct Settings {
    inputs: Inputs,
    filter: Filter,
}

fn settings(args: &Args, config: &Config, now: u64) -> Result<Settings, Error> {
    Ok(Settings { inputs: args.inputs.settings(config), filter: args.filter.filter(now)? })
}

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let Settings { inputs, filter } = settings(args, config, console.around().now)?;
    let capture = inputs.open(console)?;
    args.output.spare(&capture)?;
    if capture.is_empty() {
        return inputs.judge(&capture, console).map(|()| Exit::Fine);
    }
    let forest = Forest::of(&capture);
    if args.messages {
        let chat = chat(&capture, &forest, &filter, &args.id)?;
        match args.format {
            Format::Text => console.show(&ChatText { chat: &chat, full: args.full }, &args.output)?,
            Format::Json => console.write(&args.output, |out| write_json(&chat, out))?,
        }
    } else {
        let whole = args.full || matches!(args.format, Format::Json);
        let report = report(&capture, &forest, &filter, &args.id, if whole { usize::MAX } else { MOST })?;
        match args.format {
            Format::Text => console.show(&ShowText { report: &report, full: args.full }, &args.output)?,
            Format::Json => console.write(&args.output, |out| write_json(&report, out))?,
        }
    }
    inputs.judge(&capture, console)?;
    Ok(Exit::Fine)
}

/// Spans that are laid open for people who have not asked for all.
const MOST: usize = 2_000;

fn report(capture: &Capture, forest: &Forest, filter: &Filter, id: &IdPrefix, most: usize) -> Result<Report, Error> {
    match target(capture, forest, filter, id)? {
        Target::Span(span) => Ok(report_span(capture, forest, span, most)?),
        Target::Trace(number) => Ok(report_trace(capture, forest, number, filter, most)?),
    }
}

fn chat(capture: &Capture, forest: &Forest, filter: &Filter, id: &IdPrefix) -> Result<Chat, Error> {
    match target(capture, forest, filter, id)? {
        Target::Span(span) => Ok(chat_of_span(capture, forest, span)?),
        Target::Trace(number) => Ok(chat_of_trace(capture, forest, number, filter)?),
    }
}

/// The one thing an id stands for.
enum Target {
    Span(SpanRef),
    Trace(usize),
}

fn target(capture: &Capture, forest: &Forest, filter: &Filter, id: &IdPrefix) -> Result<Target, Error> {
    match find(capture, forest, filter, id) {
        Found::Span(span) => Ok(Target::Span(span)),
        Found::Trace(number) => Ok(Target::Trace(number)),
        Found::Filtered => Err(Problem::NothingFits { spans: capture.len() }.into()),
        Found::Several(candidates) => Err(ambiguous(id, &candidates)),
        Found::Nothing(near) => {
            let error = Error::from(Problem::NotFound { prefix: id.to_string() });
            let error = near.into_iter().fold(error, |error, near| error.hint(format!("did you mean {near}?")));
            Err(error.hint("tracectl tree lists traces with their ids, tracectl tree --format json all ids"))
        }
    }
}

/// Candidates that are listed before the rest is only counted.
const LISTED: usize = 10;

fn ambiguous(id: &IdPrefix, candidates: &[Candidate]) -> Error {
    let mut error = Error::from(Problem::Ambiguous { prefix: id.to_string(), count: candidates.len() });
    for Candidate { id, trace, name } in candidates.iter().take(LISTED) {
        error = error.hint(match trace {
            Some(trace) => format!("span  {id}  {name}  (--trace {})", trace.short()),
            None => format!("trace {id}  {name}"),
        });
    }
    match candidates.len().saturating_sub(LISTED) {
        0 => error.hint("give more digits, or pick with --trace, --service or --name"),
        more => error.hint(format!("and {more} more: give more digits")),
    }
}

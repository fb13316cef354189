//! `tracectl show`: one span or one trace in full.
//!
//! Comes in: an id or its beginning. Goes out: everything that was recorded, secrets hidden.

use std::path::Path;

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
use crate::show::{
    Candidate, Chat, Found, Report, chat_of_span, chat_of_trace, find, find_only, report_span, report_trace,
};

/// Show everything about one span, or about every span of one trace
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Values that look like secrets (provider tokens, passwords, authorization headers) are hidden.

Examples:
  tracectl show run.jsonl                          the only trace of a capture
  tracectl show 4bf92f35 run.jsonl
  tracectl show 00f067aa0ba902b7 run.jsonl --full
  tracectl show 4bf92f35 run.jsonl --messages
  tracectl show 4bf92f3577b34da6a3ce929d0e0e4736 run.jsonl --format json | jq .spans[0].attributes")]
pub(super) struct Args {
    /// A trace or span id, or its first digits; may be left out where there is one trace
    id: Option<String>,
    #[command(flatten)]
    inputs: InputArgs,
    /// Show the conversation: the messages of a model call, or of all calls of a run or trace
    #[arg(long)]
    messages: bool,
    /// Show long values in full
    #[arg(long)]
    full: bool,
    /// text or json [default: by the name of FILE, else text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, help_heading = "Output")]
    format: Option<Format>,
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
    /// None for the only trace.
    id: Option<IdPrefix>,
    inputs: Inputs,
    filter: Filter,
}

fn settings(args: &Args, config: &Config, now: u64) -> Result<Settings, Error> {
    let inputs = args.inputs.settings(config);
    let filter = args.filter.filter(now)?;
    match args.id.as_deref().map(str::parse::<IdPrefix>) {
        None => Ok(Settings { id: None, inputs, filter }),
        Some(Ok(id)) => Ok(Settings { id: Some(id), inputs, filter }),
        // What names an input and is no id leaves the id out.
        Some(Err(source)) => match args.id.as_ref().filter(|word| names_input(word)) {
            Some(first) => {
                let paths = std::iter::once(first.into()).chain(args.inputs.inputs.iter().cloned());
                Ok(Settings { id: None, inputs: inputs.of(paths.collect()), filter })
            }
            None => Err(Error::from(Problem::Id(source))
                .hint("no input of that name is there either; tracectl tree --ids shows the ids of spans")),
        },
    }
}

/// Whether a word is standard input, a glob, or something that is there.
fn names_input(word: &str) -> bool {
    word == "-" || word.contains(['*', '?', '[']) || Path::new(word).exists()
}

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let format = args.output.format(args.format, Format::Text, console);
    let Settings { id, inputs, filter } = settings(args, config, console.around().now)?;
    let capture = inputs.open(console)?;
    args.output.spare(&capture)?;
    if capture.is_empty() {
        return inputs.judge(&capture, console).map(|()| Exit::Fine);
    }
    let forest = Forest::of(&capture);
    if args.messages {
        let chat = chat(&capture, &forest, &filter, id.as_ref())?;
        match format {
            Format::Text => console.show(&ChatText { chat: &chat, full: args.full }, &args.output)?,
            Format::Json => console.write(&args.output, |out| write_json(&chat, out))?,
        }
    } else {
        let whole = args.full || matches!(format, Format::Json);
        let report = report(&capture, &forest, &filter, id.as_ref(), if whole { usize::MAX } else { MOST })?;
        match format {
            Format::Text => console.show(&ShowText { report: &report, full: args.full }, &args.output)?,
            Format::Json => console.write(&args.output, |out| write_json(&report, out))?,
        }
    }
    inputs.judge(&capture, console)?;
    Ok(Exit::Fine)
}

/// Spans that are laid open for people who have not asked for all.
const MOST: usize = 2_000;

fn report(
    capture: &Capture,
    forest: &Forest,
    filter: &Filter,
    id: Option<&IdPrefix>,
    most: usize,
) -> Result<Report, Error> {
    match target(capture, forest, filter, id)? {
        Target::Span(span) => Ok(report_span(capture, forest, span, most)?),
        Target::Trace(number) => Ok(report_trace(capture, forest, number, filter, most)?),
    }
}

fn chat(capture: &Capture, forest: &Forest, filter: &Filter, id: Option<&IdPrefix>) -> Result<Chat, Error> {
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

fn target(capture: &Capture, forest: &Forest, filter: &Filter, id: Option<&IdPrefix>) -> Result<Target, Error> {
    let Some(id) = id else {
        return match find_only(capture, forest, filter) {
            Found::Span(span) => Ok(Target::Span(span)),
            Found::Trace(number) => Ok(Target::Trace(number)),
            Found::Several(candidates) => {
                let problem = Problem::WhichTrace { count: candidates.len() };
                Err(listed(problem, &candidates, "give its first digits before the input"))
            }
            Found::Filtered | Found::Nothing(_) => Err(Problem::NothingFits { spans: capture.len() }.into()),
        };
    };
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
    let problem = Problem::Ambiguous { prefix: id.to_string(), count: candidates.len() };
    listed(problem, candidates, "give more digits, or pick with --trace, --service or --name")
}

fn listed(problem: Problem, candidates: &[Candidate], way_out: &str) -> Error {
    let mut error = Error::from(problem);
    for Candidate { id, trace, name } in candidates.iter().take(LISTED) {
        error = error.hint(match trace {
            Some(trace) => format!("span  {id}  {name}  (--trace {})", trace.short()),
            None => format!("trace {id}  {name}"),
        });
    }
    match candidates.len().saturating_sub(LISTED) {
        0 => error.hint(way_out),
        more => error.hint(format!("and {more} more: {way_out}")),
    }
}

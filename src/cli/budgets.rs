//! `tracectl budgets`: what backends accept.
//!
//! Comes in: a format. Goes out: every preset of `lint --budget`.

use clap::ValueEnum;

use super::Exit;
use super::console::Console;
use super::error::Error;
use super::output::OutputArgs;
use crate::render::{Budgets, budgets_json};

/// List the budgets of lint: what backends accept, and where they say so
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tracectl budgets
  tracectl budgets --format json | jq '.budgets[] | select(.name == \"tempo\")'")]
pub(super) struct Args {
    /// table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", hide_possible_values = true, help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs the command.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Error> {
    match args.format {
        Format::Table => console.show(&Budgets, &args.output)?,
        Format::Json => console.write(&args.output, budgets_json)?,
    }
    Ok(Exit::Fine)
}

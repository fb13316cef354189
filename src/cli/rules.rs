//! `tracectl rules`: the rules of lint.
//!
//! Comes in: a format. Goes out: a table, or everything about every rule as JSON.

use clap::ValueEnum;

use super::Exit;
use super::console::Console;
use super::error::Error;
use super::output::OutputArgs;
use crate::render::{RuleTable, rules_json};

/// List the rules of lint
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tracectl rules
  tracectl rules --format json | jq '.rules[].code'")]
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
        Format::Table => console.show(&RuleTable(None), &args.output)?,
        Format::Json => console.write(&args.output, |out| rules_json(&[], out))?,
    }
    Ok(Exit::Fine)
}

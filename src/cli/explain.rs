//! `tracectl explain`: one rule in full.
//!
//! Comes in: a code or a name. Goes out: the words of the rule's own file.

use clap::ValueEnum;

use super::Exit;
use super::console::Console;
use super::error::{Error, Problem};
use super::lint_codes::{one, select};
use super::lint_settings::Misuse;
use super::output::OutputArgs;
use crate::render::{Explain, RuleTable, rules_json};

/// Explain a rule of lint: why it matters, a bad and a good example, its settings
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tracectl explain BUD001
  tracectl explain orphan-span")]
pub(super) struct Args {
    /// A rule's code or name, or a group
    #[arg(value_name = "RULE")]
    rule: String,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true, help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Runs the command.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Error> {
    let unknown = |error| Error::from(Problem::Lint(Misuse::Rule(error))).hint("tracectl rules lists all");
    let rule = match one(&args.rule) {
        Ok(rule) => rule,
        // A group: its rules, to choose from.
        Err(error) => {
            let group = select(&args.rule).map_err(|_| unknown(error))?;
            return match args.format {
                Format::Text => console.show(&RuleTable(Some(group.codes)), &args.output),
                Format::Json => console.write(&args.output, |out| rules_json(&group.codes, out)),
            }
            .map(|()| Exit::Fine);
        }
    };
    match args.format {
        Format::Text => console.show(&Explain(rule), &args.output)?,
        Format::Json => console.write(&args.output, |out| rules_json(&[rule.code], out))?,
    }
    Ok(Exit::Fine)
}

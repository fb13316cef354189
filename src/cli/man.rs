//! `tracectl man`: the manual page of the program or of one command.
//!
//! Comes in: a command's name, or none. Goes out: roff.

use clap::builder::PossibleValuesParser;
use clap_mangen::Man;

use super::Exit;
use super::console::Console;
use super::error::Error;
use super::output::OutputArgs;
use super::root;

/// Print a manual page
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tracectl man | man -l -
  tracectl man stats > tracectl-stats.1")]
pub(super) struct Args {
    /// The command; without it, the page of tracectl itself
    #[arg(value_name = "COMMAND")]
    about: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// The command the page is about.
fn settings(args: &Args) -> Result<clap::Command, Error> {
    let mut root = root::command();
    root.build();
    let Some(name) = &args.about else { return Ok(root) };
    let names: Vec<_> = root.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    // The parser of possible values words the "did you mean".
    let check = clap::Command::new("tracectl man").no_binary_name(true);
    let check = check.arg(clap::Arg::new("COMMAND").value_parser(PossibleValuesParser::new(names)));
    check.try_get_matches_from([name]).map_err(|error| super::error::Problem::Arguments(Box::new(error)))?;
    Ok(root.find_subcommand(name).cloned().unwrap_or(root))
}

/// Runs the command.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Error> {
    let command = settings(args)?;
    console.write(&args.output, |out| Man::new(command).render(out))?;
    Ok(Exit::Fine)
}

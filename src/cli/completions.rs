//! `tracectl completions`: scripts that let a shell complete the command line.
//!
//! Comes in: a shell's name. Goes out: its script.

use clap_complete::Shell;

use super::Exit;
use super::console::Console;
use super::error::Error;
use super::output::OutputArgs;
use super::root;

/// Print a script that lets your shell complete tracectl's command line
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tracectl completions bash > ~/.local/share/bash-completion/completions/tracectl
  tracectl completions fish > ~/.config/fish/completions/tracectl.fish")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Error> {
    // Generated into memory: the generator panics on a writer that fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut root::command(), "tracectl", &mut script);
    console.write(&args.output, |out| out.write_all(&script))?;
    Ok(Exit::Fine)
}

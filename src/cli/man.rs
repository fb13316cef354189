//! `tracectl man`: the manual page of the program or of one command.
//!
//! Comes in: a command's name, or none. Goes out: roff.

use std::io::{self, Write};

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

/// The exit codes of every command, for the page.
const EXIT_STATUS: [(u8, &str); 4] = [
    (0, "Success. Also when the reader of the output has gone away, or when Ctrl-C ends listen."),
    (1, "Something was found: findings of lint at or above --fail-on, or spans that were rejected or not delivered."),
    (2, "Wrong usage or configuration, or the command could not do what was asked."),
    (3, "The input could not be read, or held no spans to work on."),
];

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
    let said = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    console.write(&args.output, |out| page(command, &said, out))?;
    Ok(Exit::Fine)
}

/// Writes a page. What stands behind the help of the command gets the sections that pages have for it.
fn page(command: clap::Command, said: &str, out: &mut dyn Write) -> io::Result<()> {
    let (subcommands, version) = (command.has_subcommands(), command.get_version().is_some());
    let man = Man::new(command);
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    // A blank line ends a paragraph; one that begins with "Examples:" holds command lines, one about exit codes has a section too.
    let own = |paragraph: &&str| !paragraph.starts_with("Examples:") && !paragraph.starts_with("Exit codes:");
    for paragraph in said.split("\n\n").filter(own) {
        writeln!(out, ".PP\n{}", roff(paragraph))?;
    }
    man.render_options_section(out)?;
    if subcommands {
        man.render_subcommands_section(out)?;
    }
    writeln!(out, ".SH \"EXIT STATUS\"")?;
    for (code, meaning) in EXIT_STATUS {
        writeln!(out, ".TP\n{code}\n{}", roff(meaning))?;
    }
    for examples in said.split("\n\n").filter_map(|paragraph| paragraph.strip_prefix("Examples:\n")) {
        let lines: Vec<&str> = examples.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
        writeln!(out, ".SH EXAMPLES\n.nf\n{}\n.fi", roff(&lines.join("\n")))?;
    }
    if version {
        man.render_version_section(out)?;
    }
    Ok(())
}

/// Text in which nothing is a command of roff.
fn roff(text: &str) -> String {
    let escape = |line: &str| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
    };
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_the_sections_that_readers_look_for() {
        let names = root::command().get_subcommands().map(|command| command.get_name().to_owned()).collect::<Vec<_>>();
        for about in names.into_iter().map(Some).chain([None]) {
            let command = settings(&Args { about: about.clone(), output: OutputArgs::default() }).unwrap();
            let said = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let mut text = Vec::new();
            page(command, &said, &mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            let sections = [".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", ".SH \"EXIT STATUS\"", ".SH EXAMPLES"];
            for section in sections {
                assert_eq!(text.matches(section).count(), 1, "{about:?}: {section}");
            }
            assert!(text.contains("\n.nf\ntracectl "), "{about:?}");
            assert!(!text.contains("\nExamples:") && !text.contains("\nExit codes:"), "{about:?}");
        }
        assert_eq!(roff(".x \\ -o\n'y"), "\\&.x \\e \\-o\n\\&'y");
    }
}

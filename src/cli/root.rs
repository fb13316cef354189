//! The program from arguments to exit code.
//!
//! Comes in: arguments, surroundings, two streams. Goes out: an [`Exit`]. Every command is one line here.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::listen_args::LogFormat;
use super::look::{Look, LookArgs};
use super::{
    Exit, Surroundings, budgets, completions, convert, convert_args, emit, explain, init, lint, listen, listen_args,
    man, replay, replay_args, rules, show, stats, tree,
};

const EXAMPLES: &str = "\
Examples:
  tracectl tree run.jsonl                what happened, as trees with a waterfall
  tracectl show 4bf92f35 run.jsonl       everything about one span or trace
  tracectl stats *.jsonl --format json   totals and percentiles per operation, for scripts
  tracectl lint run.jsonl                what is wrong, for people and for CI
  kubectl logs agent | tracectl tree     from a pipe
  tracectl listen -o run.jsonl -- pytest run a program, record its spans, show them
  tracectl replay run.jsonl --to URL     send recorded spans to a receiver again
  tracectl convert run.jsonl -o run.pb   the same spans in another format
  tracectl emit | tracectl tree          generated traces, to try everything on

Exit codes: 0 success; 1 findings or rejected spans; 2 wrong usage or failure; 3 input unreadable or without spans.

Settings come from flags, then TRACECTL_* variables, then tracectl.toml, then defaults.";

/// Read, show and judge OpenTelemetry traces of LLM agents, from plain files
#[derive(Debug, Parser)]
#[command(name = "tracectl", version, after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 120)]
struct Root {
    #[command(flatten)]
    look: LookArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Tree(tree::Args),
    Show(show::Args),
    Stats(stats::Args),
    Lint(Box<lint::Args>),
    Rules(rules::Args),
    Explain(explain::Args),
    Budgets(budgets::Args),
    Init(init::Args),
    Listen(Box<listen_args::Args>),
    Replay(Box<replay_args::Args>),
    Convert(Box<convert_args::Args>),
    Emit(Box<emit::Args>),
    Completions(completions::Args),
    Man(man::Args),
}

/// What a command needs of the configuration.
enum Needs {
    Everything,
    /// Its variables alone.
    Variables,
    /// How things look, if it says: what only lists or describes needs none that works.
    Look,
}

impl Root {
    /// Whether what the command says on stderr is for machines.
    fn logs_json(&self, config: &Config) -> bool {
        let format = match &self.command {
            Command::Listen(args) => args.log_format.or(config.choice("listen.log-format")),
            Command::Replay(args) => Some(args.log_format),
            Command::Emit(args) => Some(args.log_format),
            _ => None,
        };
        format == Some(LogFormat::Json)
    }

    fn needs(&self) -> Needs {
        match &self.command {
            Command::Lint(args) if args.judging.rules.isolated => Needs::Variables,
            Command::Listen(args) if args.lint.judging.rules.isolated => Needs::Variables,
            Command::Init(_) => Needs::Variables,
            _ if self.look.config.is_some() => Needs::Everything,
            Command::Rules(_) | Command::Explain(_) | Command::Budgets(_) => Needs::Look,
            Command::Completions(_) | Command::Man(_) => Needs::Look,
            _ => Needs::Everything,
        }
    }
}

/// The whole command line, for whoever describes it.
pub(super) fn command() -> clap::Command {
    Root::command()
}

/// Runs the program in this process.
pub fn main() -> ExitCode {
    let (out, err) = (Box::new(std::io::stdout()), Box::new(std::io::stderr()));
    run(std::env::args_os(), Surroundings::real(), out, err).into()
}

/// Runs the program anywhere: `args` begin with the program's name.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    around: Surroundings,
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
) -> Exit {
    let mut console = Console::new(out, err, around);
    match attempt(args, &mut console) {
        Ok(exit) => exit,
        Err(error) => match error.problem() {
            // Help that cannot be printed is an answer that cannot; about misuse there is nobody else to tell.
            Problem::Arguments(words) => match console.recite(words) {
                Err(source) if !words.use_stderr() => conclude(&source.into(), &mut console),
                _ => error.exit(),
            },
            _ => conclude(&error, &mut console),
        },
    }
}

/// Reports what stopped a command, unless that is a normal end.
fn conclude(error: &Error, console: &mut Console) -> Exit {
    let exit = error.exit();
    if exit != Exit::Fine {
        console.report(error);
    }
    exit
}

fn attempt(args: impl IntoIterator<Item = OsString>, console: &mut Console) -> Result<Exit, Error> {
    let args: Vec<OsString> = args.into_iter().collect();
    let words = |error| Problem::Arguments(Box::new(advised(error, &args)));
    let plan = command().term_width(console.talk_page().width.min(120));
    let matches = plan.try_get_matches_from(&args).map_err(words)?;
    let root = Root::from_arg_matches(&matches).map_err(words)?;
    let config = match root.needs() {
        Needs::Everything => Config::load(root.look.config.as_deref(), console.around())?,
        Needs::Variables => Config::isolated(console.around())?,
        // What is wrong in it is told by the commands that need it.
        Needs::Look => Config::load(root.look.config.as_deref(), console.around()).unwrap_or_default(),
    };
    console.dress(Look::decide(&root.look, &config, console.around())?);
    console.log_json(root.logs_json(&config));
    match &root.command {
        Command::Tree(args) => tree::run(args, &config, console),
        Command::Show(args) => show::run(args, &config, console),
        Command::Stats(args) => stats::run(args, &config, console),
        Command::Lint(args) => lint::run(args, &config, console),
        Command::Rules(args) => rules::run(args, console),
        Command::Explain(args) => explain::run(args, console),
        Command::Budgets(args) => budgets::run(args, console),
        Command::Init(args) => init::run(args, console),
        Command::Listen(args) => listen::run(args, &config, console),
        Command::Replay(args) => replay::run(args, &config, console),
        Command::Convert(args) => convert::run(args, &config, console),
        Command::Emit(args) => emit::run(args, &config, console),
        Command::Completions(args) => completions::run(args, console),
        Command::Man(args) => man::run(args, console),
    }
}

/// The misuse, and how a command is given to `listen` where that is what was meant.
fn advised(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let listens = args.get(1).is_some_and(|command| command == "listen");
    let command = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if listens && !word.starts_with('-') => Some(word.clone()),
        _ => None,
    };
    if let Some(command) = command.filter(|_| error.kind() == ErrorKind::UnknownArgument) {
        let advice = format!("to run a command, write '--' before it: tracectl listen -- {command}");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(advice)]));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config_keys::{Holds, KEYS};

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn a_command_without_its_dashes_is_understood() {
        let advice = |args: &[&str]| {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            advised(command().try_get_matches_from(&args).unwrap_err(), &args).to_string()
        };
        let forgotten = advice(&["tracectl", "listen", "pytest", "-q"]);
        assert!(
            forgotten.contains("tip: to run a command, write '--' before it: tracectl listen -- pytest"),
            "{forgotten}"
        );
        assert!(!advice(&["tracectl", "listen", "--vew", "tree"]).contains("to run a command"));
        assert!(!advice(&["tracectl", "rules", "pytest"]).contains("to run a command"));
        assert!(advice(&["tracectl", "lnit"]).contains("'lint'"));
    }

    #[test]
    fn choices_of_the_configuration_are_those_of_the_flags() {
        for key in KEYS {
            let Holds::Choice(words) = key.holds else { continue };
            let (section, flag) = key.name.split_once('.').unwrap_or(("", key.name));
            let root = command();
            let Some(command) = (if section.is_empty() { Some(&root) } else { root.find_subcommand(section) }) else {
                continue;
            };
            let argument = command.get_arguments().find(|argument| argument.get_long() == Some(flag)).unwrap();
            let values: Vec<_> =
                argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            assert_eq!(values, words, "{}", key.name);
        }
    }
}

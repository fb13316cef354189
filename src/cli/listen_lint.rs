//! `listen --lint`: the options of lint on another command.
//!
//! Comes in: lint's own definition of them. Goes out: the same options, each of which asks for `--lint`. None is written down
//! twice.

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use super::lint_args::JudgingArgs;

/// The heading of all of them.
const HEADING: &str = "Lint";

/// Where they stand in the help: behind all others.
const FIRST: usize = 500;

/// `--lint` and what it takes.
#[derive(Clone, Debug)]
pub(super) struct LintArgs {
    /// A report of lint at the end.
    pub(super) wanted: bool,
    /// How it judges.
    pub(super) judging: JudgingArgs,
}

impl clap::Args for LintArgs {
    fn augment_args(command: Command) -> Command {
        let switch = Arg::new("lint")
            .long("lint")
            .action(ArgAction::SetTrue)
            .help_heading(HEADING)
            .display_order(FIRST)
            .help("Lint what was received at the end, instead of showing it");
        let own = JudgingArgs::augment_args(Command::new("lint"));
        let orders = FIRST + 1..;
        let own = own
            .get_arguments()
            .zip(orders)
            .map(|(argument, order)| argument.clone().requires("lint").help_heading(HEADING).display_order(order));
        own.fold(command.arg(switch), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LintArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { wanted: matches.get_flag("lint"), judging: JudgingArgs::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

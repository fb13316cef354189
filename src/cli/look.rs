//! How the answer looks and how much is said: the options of every command.
//!
//! Comes in: flags, configuration, surroundings. Goes out: a [`Page`] for each stream, decided here and nowhere else.

use clap::ValueEnum;

use super::config::Config;
use super::error::Error;
use super::surroundings::Surroundings;
use crate::render::Page;

/// Options of every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Display")]
pub(super) struct LookArgs {
    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub(super) color: Option<When>,
    /// Width of the output in columns [default: the terminal's, or 100]
    #[arg(long, global = true, value_name = "COLUMNS")]
    pub(super) width: Option<u32>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub(super) ascii: bool,
    /// Print only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print more on stderr: every problem of the input
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Read settings from FILE instead of the nearest tracectl.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<std::path::PathBuf>,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// Where a terminal is.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Loudness {
    /// Errors only.
    Quiet,
    /// Errors and what is odd.
    #[default]
    Normal,
    /// Everything.
    Verbose,
}

/// What was decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The page of stdout.
    pub(super) answer: Page,
    /// The page of stderr.
    pub(super) talk: Page,
    /// The page of a file.
    pub(super) file: Page,
    /// How much is said.
    pub(super) loudness: Loudness,
}

const NARROWEST: usize = 20;
const WIDEST: usize = 10_000;
const USUAL: usize = 100;

impl Look {
    /// Decides from flags, then configuration, then surroundings.
    pub(super) fn decide(args: &LookArgs, config: &Config, around: &Surroundings) -> Result<Self, Error> {
        let when = args.color.or(config.choice("color")).unwrap_or_default();
        let asked = args.width.map(u64::from).or(config.number("width"));
        let asked = asked.map(|columns| usize::try_from(columns).unwrap_or(WIDEST));
        let unicode = !args.ascii && !config.flag("ascii").unwrap_or(false) && around.speaks_unicode();
        let page = |terminal: bool| Page {
            width: asked.or(around.columns.filter(|_| terminal)).unwrap_or(USUAL).clamp(NARROWEST, WIDEST),
            color: colored(when, around, terminal),
            unicode,
        };
        let loudness = match (args.quiet, args.verbose) {
            (true, _) => Loudness::Quiet,
            (_, true) => Loudness::Verbose,
            _ => Loudness::Normal,
        };
        // Colour in a file only where it was asked for in so many words: CLICOLOR_FORCE is about terminals.
        let file = Page { color: when == When::Always, ..page(false) };
        Ok(Self { answer: page(around.stdout_is_terminal), talk: page(around.stderr_is_terminal), file, loudness })
    }

    /// What holds until flags and configuration are read.
    pub(super) fn first(around: &Surroundings) -> Self {
        let page = |terminal: bool| Page {
            width: around.columns.filter(|_| terminal).unwrap_or(USUAL).clamp(NARROWEST, WIDEST),
            color: colored(When::Auto, around, terminal),
            unicode: around.speaks_unicode(),
        };
        let (answer, talk) = (page(around.stdout_is_terminal), page(around.stderr_is_terminal));
        Self { answer, talk, file: Page { color: false, ..page(false) }, loudness: Loudness::Normal }
    }
}

/// `--color`, then `NO_COLOR`, then `CLICOLOR_FORCE`, then `TERM=dumb`, then whether the stream is a terminal.
fn colored(when: When, around: &Surroundings, terminal: bool) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if around.variable("NO_COLOR").is_some() => false,
        When::Auto if around.variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        When::Auto if around.variable("TERM") == Some("dumb") => false,
        When::Auto => terminal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(variables: &[(&str, &str)], terminal: bool) -> Surroundings {
        Surroundings {
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            stdout_is_terminal: terminal,
            columns: Some(132),
            ..Surroundings::default()
        }
    }

    #[test]
    fn colour_is_decided_in_the_documented_order() {
        let color = |when, variables: &[(&str, &str)], terminal| colored(when, &around(variables, terminal), terminal);
        assert!(color(When::Always, &[("NO_COLOR", "1")], false));
        assert!(!color(When::Never, &[("CLICOLOR_FORCE", "1")], true));
        assert!(!color(When::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(color(When::Auto, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], false));
        assert!(!color(When::Auto, &[("TERM", "dumb")], true));
        assert!(!color(When::Auto, &[("CLICOLOR_FORCE", "0")], false));
        assert!(color(When::Auto, &[("NO_COLOR", "")], true));
    }

    #[test]
    fn width_is_the_flag_then_the_terminal_then_a_hundred() {
        let width = |flag, terminal| {
            let args = LookArgs { width: flag, ..LookArgs::default() };
            Look::decide(&args, &Config::default(), &around(&[], terminal)).unwrap().answer.width
        };
        assert_eq!(
            (width(Some(60), true), width(None, true), width(None, false), width(Some(3), true)),
            (60, 132, 100, 20)
        );
    }
}

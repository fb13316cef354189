//! The options of `tracectl lint`.
//!
//! Comes in: what was typed. Goes out: the same, by subject; `listen --lint` takes all of it but the inputs and the places of
//! the answer. Nothing is decided here.

use std::path::PathBuf;

use clap::ValueEnum;

use super::filter::FilterArgs;
use super::inputs::InputArgs;
use super::lint_format::{Format, Target};
use super::lint_levels::LevelArgs;
use super::lint_profile::Profile;
use super::prices::PriceArgs;
use crate::lint::{Confidence, Severity};
use crate::render::GroupBy;

/// Judge traces by rules: budgets, lost parents, swallowed errors, loops, leaked secrets
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 nothing at or above --fail-on; 1 findings at or above it; 2 wrong usage or configuration; 3 nothing to lint.
Files of -o are written before the exit code is decided. `tracectl rules` lists the rules, `tracectl explain` tells one.

Examples:
  tracectl lint run.jsonl
  tracectl lint run.jsonl --select BUD,ERR --budget tempo --fail-on warn
  tracectl lint traces/ -o sarif=lint.sarif -o junit=lint.xml
  tracectl lint run.jsonl --baseline lint-baseline.json --update-baseline
  tracectl lint run.jsonl --fix-output fixed.jsonl")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) inputs: InputArgs,
    #[command(flatten)]
    pub(super) judging: JudgingArgs,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// How a dump is judged, wherever it comes from.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct JudgingArgs {
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) gate: GateArgs,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    #[command(flatten)]
    pub(super) fix: FixArgs,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    #[command(flatten)]
    pub(super) prices: PriceArgs,
}

/// What is looked for.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct RuleArgs {
    #[command(flatten)]
    pub(super) levels: LevelArgs,
    /// A ready-made choice: letta, otel, openinference, agent or strict
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    pub(super) profile: Option<Profile>,
    /// Leave out findings that are less sure: proven or likely [default: likely]
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    pub(super) min_confidence: Option<Sureness>,
    /// Limits of these backends [default: letta]; `tracectl budgets` lists them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) budget: Vec<String>,
    /// A setting of a rule, like bud001.attr_value=64KiB
    #[arg(long, value_name = "RULE.KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// The dump is a part of something: missing parents are no fault
    #[arg(long)]
    pub(super) partial: bool,
    /// Read no configuration file
    #[arg(long)]
    pub(super) isolated: bool,
}

/// What fails a run.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Failing")]
pub(super) struct GateArgs {
    /// Fail on findings of this level or worse: error, warn, info or never [default: error]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub(super) fail_on: Option<FailOn>,
    /// Fail on more warnings than N
    #[arg(long, value_name = "N")]
    pub(super) max_warnings: Option<u64>,
    /// Fail on more findings than N
    #[arg(long, value_name = "N")]
    pub(super) max_findings: Option<u64>,
    /// Findings of AGT and PRF that are only likely fail too
    #[arg(long)]
    pub(super) fail_likely: bool,
    /// End with 0 whatever is found
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Findings known to FILE fail nothing
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write what is found to the baseline
    #[arg(long)]
    pub(super) update_baseline: bool,
    /// Show only what the baseline does not know
    #[arg(long)]
    pub(super) new_only: bool,
}

/// Where the answer goes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct AnswerArgs {
    /// human, concise, json, jsonl, sarif, junit, github, gitlab or markdown
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub(super) format: Option<Format>,
    /// Write the answer to FILE instead of stdout, or besides in FORMAT; may be repeated
    #[arg(short, long, value_name = "[FORMAT=]FILE")]
    pub(super) output: Vec<Target>,
}

/// What of the findings is shown.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ReportArgs {
    /// Count findings by rule
    #[arg(long)]
    pub(super) statistics: bool,
    /// Show findings of level info too
    #[arg(long)]
    pub(super) show_info: bool,
    /// Findings together by rule, span-name, trace or service
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub(super) group_by: Option<Grouping>,
    /// The N first findings only; 0 for all [default: 50]
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Show how much room every budget leaves instead
    #[arg(long)]
    pub(super) budget_report: bool,
    /// Show the Instrumentation Score of every service instead, as far as traces tell it
    #[arg(long, conflicts_with = "budget_report")]
    pub(super) score: bool,
}

/// What is done about findings.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Fixing")]
pub(super) struct FixArgs {
    /// Write the dump to FILE with what can be put right put right (.pb for protobuf, else JSON Lines; with .gz or .zst compressed)
    #[arg(long, value_name = "FILE")]
    pub(super) fix_output: Option<PathBuf>,
    /// Print what would put it right upstream instead: ottl (Collector) or sdk (environment)
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub(super) emit: Option<Emit>,
}

/// `--min-confidence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sureness {
    Proven,
    Likely,
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Error,
    Warn,
    Info,
    Never,
}

/// `--group-by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Grouping {
    Rule,
    SpanName,
    Trace,
    Service,
}

/// `--emit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Emit {
    Ottl,
    Sdk,
}

impl From<Sureness> for Confidence {
    fn from(sureness: Sureness) -> Self {
        match sureness {
            Sureness::Proven => Self::Proven,
            Sureness::Likely => Self::Likely,
        }
    }
}

impl FailOn {
    /// The level, or none for never.
    pub(super) fn level(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warn => Some(Severity::Warn),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}

impl From<Grouping> for GroupBy {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Rule => Self::Rule,
            Grouping::SpanName => Self::SpanName,
            Grouping::Trace => Self::Trace,
            Grouping::Service => Self::Service,
        }
    }
}

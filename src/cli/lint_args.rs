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

Files of -o are written before the exit code is decided. `tracectl rules` lists the rules, `tracectl explain` describes one.

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
    /// Use a ready-made set of rules: letta, otel, openinference, agent or strict
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    pub(super) profile: Option<Profile>,
    /// Leave out findings of lower confidence: proven or likely [default: likely]
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    pub(super) min_confidence: Option<Sureness>,
    /// Check against the limits of these backends [default: letta]; `tracectl budgets` lists them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) budget: Vec<String>,
    /// Change a setting of a rule, like bud001.attr_value=64KiB
    #[arg(long, value_name = "RULE.KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// The input is only a part of the traces: do not report missing parents as lost
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
    /// Fail on findings of AGT and PRF that are only likely, too
    #[arg(long)]
    pub(super) fail_likely: bool,
    /// Exit with 0 whatever is found
    #[arg(long)]
    pub(super) exit_zero: bool,
    /// Do not fail on findings that FILE already knows; they are only counted
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write the current findings to the baseline
    #[arg(long)]
    pub(super) update_baseline: bool,
    /// Leave findings that the baseline knows out of every format
    #[arg(long)]
    pub(super) new_only: bool,
}

/// Where the answer goes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct AnswerArgs {
    /// human, concise, json, jsonl, sarif, junit, github, gitlab or markdown [default: by the name of FILE, else human; on GitHub Actions github]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub(super) format: Option<Format>,
    /// Write to FILE instead of stdout, or with FORMAT= as an additional report (repeatable)
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
    /// Group findings by rule, span-name, trace or service
    #[arg(long, value_name = "WHAT", hide_possible_values = true)]
    pub(super) group_by: Option<Grouping>,
    /// Show only the first N findings; 0 shows all [default: 50]
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Show the headroom of every budget instead of findings
    #[arg(long)]
    pub(super) budget_report: bool,
    /// Show the Instrumentation Score of every service instead of findings, as far as traces tell
    #[arg(long, conflicts_with = "budget_report")]
    pub(super) score: bool,
}

/// What is done about findings.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Fixing")]
pub(super) struct FixArgs {
    /// Write a corrected copy of the input to FILE (.pb for protobuf, else JSON Lines; add .gz or .zst to compress)
    #[arg(long, value_name = "FILE")]
    pub(super) fix_output: Option<PathBuf>,
    /// Print configuration that fixes findings at the source instead: ottl (Collector) or sdk (environment)
    #[arg(long, value_name = "WHAT", hide_possible_values = true, conflicts_with_all = ["score", "budget_report"])]
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

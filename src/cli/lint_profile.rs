//! Profiles: ready-made choices of rules, levels and budgets.
//!
//! Comes in: a name. Goes out: what configuration and flags then change.

use clap::ValueEnum;

use super::lint_codes::select;
use super::lint_levels::Level;
use crate::lint::Severity;

/// A ready-made choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// Servers of Letta: everything, with Letta's own budget.
    Letta,
    /// Any OpenTelemetry SDK: no rules about agents or Letta's parameters.
    Otel,
    /// OpenInference instrumentation: its own attribute names are not outdated ones.
    Openinference,
    /// Agents of any make.
    Agent,
    /// Everything, and every warning an error.
    Strict,
}

impl Profile {
    /// All names, as configuration has them.
    pub(super) const NAMES: [&str; 5] = ["letta", "otel", "openinference", "agent", "strict"];

    /// The budgets of the profile.
    pub(super) fn budgets(self) -> &'static [&'static str] {
        match self {
            Self::Letta | Self::Strict => &["letta"],
            Self::Otel => &["otel-default", "otlp-grpc"],
            Self::Openinference | Self::Agent => &["otlp-grpc"],
        }
    }

    /// The levels of the profile.
    pub(super) fn levels(self) -> Vec<(Vec<&'static str>, Level)> {
        let rules = |word: &str, level| select(word).ok().map(|selected| (selected.codes, level));
        let changes = match self {
            Self::Letta => vec![],
            Self::Otel => vec![rules("AGT", None), rules("GEN", None), rules("BUD006", None)],
            Self::Openinference => vec![rules("BUD006", None), rules("SEM001", Some(Severity::Info))],
            Self::Agent => vec![rules("BUD006", None)],
            Self::Strict => vec![rules("ALL", Some(Severity::Error))],
        };
        changes.into_iter().flatten().collect()
    }
}

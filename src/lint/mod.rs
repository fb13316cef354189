//! Judges traces by rules.
//!
//! Comes in: inputs and settings. Goes out: a [`LintReport`] of [`Finding`]s. Rules are values in one list, [`RULES`]; a check
//! notes facts, the engine counts them, decides about levels and puts them in order. Nothing is printed here.

mod baseline;
mod budget;
mod engine;
mod facts;
mod finding;
mod gather;
mod group;
mod headroom;
mod hints;
mod ident;
mod look;
mod note;
mod pattern;
mod place;
mod plan;
mod report;
mod resources;
mod rule;
mod rules;
mod score;
mod score_resources;
mod settings;
mod talk;
mod verdict;
mod words;

pub use baseline::{Baseline, BaselineError, Compared};
pub use budget::{Bound, Budget, BudgetPreset, Cell, DEFAULT_PRESET, PRESETS, UnknownPreset, preset};
pub use engine::{Linted, lint};
pub use facts::{Fact, Told, Words};
pub use finding::{CodePlace, Contributor, Example, Finding, Fix, Place, Related, Unit};
pub use headroom::{Fits, Headroom, headroom};
pub use hints::Hints;
pub use look::{Brief, DumpLook, ResourceLook, SpanLook, TraceLook};
pub use note::Sink;
pub use pattern::Pattern;
pub use report::{Ignored, LintReport, NotChecked};
pub use rule::{
    Check, Confidence, GROUPS, Limit, LimitError, LimitValue, Needs, Preset, Rule, Scope, Severity, SeverityError,
    SpanCheck,
};
pub use rules::{RULES, SEMCONV, codes, rule};
pub use score::{Impact, SCORED, SPECIFICATION, Score, ScoreRule, Scored, UNSCORED, scores};
pub use settings::{Aim, IgnoreFinding, Override, Settings};

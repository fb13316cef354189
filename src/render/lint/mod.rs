//! What lint found, in every form somebody wants it in.
//!
//! Comes in: a [`LintView`]. Goes out: characters. One file a form; none of them decides what is found or whether it fails.

mod budgets;
mod concise;
mod explain;
mod github;
mod gitlab;
mod headroom;
mod human;
mod junit;
mod machine;
mod markdown;
mod sarif;
mod sarif_rules;
mod score;
mod score_reports;
mod snippet;
mod statistics;
mod upstream;
mod veil;
mod view;
mod words;
mod wrap;

pub use budgets::{Budgets, budgets_json};
pub use concise::Concise;
pub use explain::{Explain, RuleTable, rules_json};
pub use github::GitHub;
pub use gitlab::gitlab;
pub use headroom::Room;
pub use human::Human;
pub use junit::junit;
pub use machine::{lint_json, lint_jsonl};
pub use markdown::LintMarkdown;
pub use sarif::sarif;
pub use score::{Scores, scores_json};
pub use score_reports::{room_markdown, scores_junit, scores_markdown};
pub use statistics::Statistics;
pub use upstream::{Ottl, Said, Sdk};
pub use veil::veil;
pub use view::{GroupBy, LintView, Verdict};
pub(super) use wrap::wrapped;

//! Everything lint is asked to do, put together from flags, configuration and profile.
//!
//! Comes in: options and the configuration. Goes out: settings that cannot be wrong.

use std::path::PathBuf;

use thiserror::Error;

use super::config::Config;
use super::error::{Error, Problem};
use super::lint_args::JudgingArgs;
use super::lint_budget::{NoSuchBudget, budget};
use super::lint_codes::{NoSuchRule, one, select};
use super::lint_gate::Gate;
use super::lint_levels::Base;
use super::nearest::{meant, nearest};
use crate::lint::{Confidence, DEFAULT_PRESET, LimitError, LimitValue, RULES, SEMCONV, Settings, Severity};

/// Why the options cannot be used.
#[derive(Debug, Error)]
pub(super) enum Misuse {
    /// No such rule.
    #[error(transparent)]
    Rule(#[from] NoSuchRule),
    /// No such budget.
    #[error(transparent)]
    Budget(#[from] NoSuchBudget),
    /// `--set` without its parts.
    #[error("--set wants RULE.KEY=VALUE, like bud001.attr_value=64KiB, not '{0}'")]
    Set(String),
    /// The rule has no such setting.
    #[error("no rule of '{word}' has a setting '{key}'{}", meant(*nearest))]
    Key {
        /// The rules.
        word: String,
        /// The setting.
        key: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The setting cannot have this value.
    #[error("--set {name}")]
    Value {
        /// The setting.
        name: String,
        /// Why.
        source: LimitError,
    },
    /// `listen` was asked for something that only lint gives.
    #[error("{0} needs --lint")]
    NoLint(String),
    /// A report other than the findings in a form that only findings have.
    #[error("--{flag} cannot be written as {form}")]
    Form {
        /// The flag that asks for the report.
        flag: &'static str,
        /// The form.
        form: String,
    },
    /// Every rule is off.
    #[error("no rule is in force: nothing would be judged")]
    NoRules,
    /// `--update-baseline` or `--new-only` without a file.
    #[error("--{0} needs --baseline FILE")]
    NoBaseline(&'static str),
}

/// The engine's settings.
pub(super) fn settings(args: &JudgingArgs, config: &Config, now: u64, jobs: usize) -> Result<Settings, Error> {
    let lint = config.lint();
    let profile = args.rules.profile.or(lint.profile);
    let base = Base {
        select: lint.select.clone(),
        ignore: lint.ignore.clone(),
        levels: profile
            .map(|profile| profile.levels())
            .into_iter()
            .flatten()
            .chain(lint.levels.iter().cloned())
            .collect(),
    };
    let names: Vec<String> = match (args.rules.budget.is_empty(), &lint.budget, profile) {
        (false, ..) => args.rules.budget.clone(),
        (true, Some(names), _) => names.clone(),
        (true, None, Some(profile)) => profile.budgets().iter().map(|name| (*name).to_owned()).collect(),
        (true, None, None) => vec![DEFAULT_PRESET.to_owned()],
    };
    let mut settings = Settings {
        levels: args.rules.levels.settle(&base).map_err(Misuse::from)?,
        limits: lint.limits.iter().map(|(code, key, value)| ((*code, *key), value.clone())).collect(),
        budget: budget(&names, &lint.budgets).map_err(Misuse::from)?,
        expected: lint.expected.clone(),
        unexpected: lint.unexpected.clone(),
        semconv: lint.semconv.unwrap_or(SEMCONV),
        partial: args.rules.partial,
        min_confidence: args.rules.min_confidence.map_or(Confidence::Likely, Confidence::from),
        overrides: lint.overrides.clone(),
        ignores: lint.ignores.clone(),
        prices: args.prices.given(config)?,
        inline: lint.inline,
        filter: args.filter.filter(now)?,
        now,
        jobs,
    };
    if args.report.show_info {
        // Ends that somebody asked for are of interest only to who wants to see everything.
        settings.limits.entry(("ERR002", "report")).or_insert(LimitValue::Flag(true));
    }
    for text in &args.rules.set {
        for (code, key, value) in set(text)? {
            settings.limits.insert((code, key), value);
        }
    }
    Ok(settings)
}

/// `bud001.attr_value=64KiB`, for one rule or all of a group that have the setting.
fn set(text: &str) -> Result<Vec<(&'static str, &'static str, LimitValue)>, Misuse> {
    let parts = text.split_once('=').and_then(|(name, value)| Some((name.rsplit_once('.')?, value)));
    let ((word, key), value) = parts.ok_or_else(|| Misuse::Set(text.to_owned()))?;
    let codes = match one(word) {
        Ok(rule) => vec![rule.code],
        Err(_) => select(word)?.codes,
    };
    let of_word = || RULES.iter().filter(|rule| codes.contains(&rule.code));
    let mut found = Vec::new();
    for rule in of_word() {
        let Some(limit) = rule.limit(key) else { continue };
        let value = limit.read(value).map_err(|source| Misuse::Value { name: format!("{word}.{key}"), source })?;
        found.push((rule.code, limit.key, value));
    }
    let keys = of_word().flat_map(|rule| rule.limits.iter().map(|limit| limit.key));
    match found.is_empty() {
        true => Err(Misuse::Key { word: word.to_owned(), key: key.to_owned(), nearest: nearest(key, keys) }),
        false => Ok(found),
    }
}

/// What fails the run.
pub(super) fn gate(args: &JudgingArgs, config: &Config) -> Gate {
    let fail_on = args.gate.fail_on.map(|fail_on| fail_on.level()).or(config.lint().fail_on);
    Gate {
        fail_on: fail_on.unwrap_or(Some(Severity::Error)),
        max_warnings: args.gate.max_warnings.or(config.lint().max_warnings),
        max_findings: args.gate.max_findings,
        likely: args.gate.fail_likely || config.lint().fail_likely,
    }
}

/// The file of the baseline, where there is one.
pub(super) fn baseline(args: &JudgingArgs, config: &Config) -> Result<Option<PathBuf>, Error> {
    let path = args.gate.baseline.clone().or_else(|| config.lint().baseline.as_deref().map(|path| config.path(path)));
    match (&path, args.gate.update_baseline, args.gate.new_only) {
        (None, true, _) => Err(Problem::Lint(Misuse::NoBaseline("update-baseline")).into()),
        (None, _, true) => Err(Problem::Lint(Misuse::NoBaseline("new-only")).into()),
        _ => Ok(path),
    }
}

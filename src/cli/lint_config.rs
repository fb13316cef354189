//! The `[lint]` section of `tracectl.toml`.
//!
//! Comes in: the section as it was parsed. Goes out: settings that are checked; what is wrong is told with its line.

use toml::Spanned;
use toml::de::DeValue;

use super::lint_budget::OwnBudget;
use super::lint_codes::{Selected, one, select};
use super::lint_entries::{budgets, ignores, overrides};
use super::lint_levels::Level;
use super::lint_profile::Profile;
use super::lint_walk::{Walk, Wrong, number, text, texts};
use super::surroundings::Surroundings;
use crate::lint::{IgnoreFinding, LimitValue, Override, SEMCONV, Severity};

/// What `[lint]` says.
#[derive(Clone, Debug, Default)]
pub(super) struct LintConfig {
    /// `profile`.
    pub(super) profile: Option<Profile>,
    /// `select`.
    pub(super) select: Option<Vec<Selected>>,
    /// `ignore`.
    pub(super) ignore: Vec<Selected>,
    /// `semconv`, the minor version.
    pub(super) semconv: Option<u8>,
    /// `budget`.
    pub(super) budget: Option<Vec<String>>,
    /// `fail-on`; the inner `None` is `never`.
    pub(super) fail_on: Option<Option<Severity>>,
    /// `fail-likely`.
    pub(super) fail_likely: bool,
    /// `max-warnings`.
    pub(super) max_warnings: Option<u64>,
    /// `baseline`.
    pub(super) baseline: Option<String>,
    /// `allow-inline`.
    pub(super) inline: bool,
    /// `[lint.severity]`.
    pub(super) levels: Vec<(Vec<&'static str>, Level)>,
    /// `[lint.rules.<code>]`.
    pub(super) limits: Vec<(&'static str, &'static str, LimitValue)>,
    /// `[lint.errors] expected`.
    pub(super) expected: Vec<String>,
    /// `[lint.errors] unexpected`.
    pub(super) unexpected: Vec<String>,
    /// `[[lint.override]]`.
    pub(super) overrides: Vec<Override>,
    /// `[[lint.ignore-finding]]`.
    pub(super) ignores: Vec<IgnoreFinding>,
    /// `[lint.budget.<name>]`.
    pub(super) budgets: Vec<OwnBudget>,
}

const KEYS: [&str; 16] = [
    "allow-inline",
    "baseline",
    "budget",
    "errors",
    "fail-likely",
    "fail-on",
    "ignore",
    "ignore-finding",
    "max-warnings",
    "override",
    "profile",
    "rules",
    "select",
    "semconv",
    "severity",
    "budgets",
];

impl LintConfig {
    /// Reads the section.
    pub(super) fn read(walk: &Walk<'_>) -> Result<Self, Wrong> {
        let mut config = Self::default();
        walk.each(&KEYS, |key, value, at| {
            config.take(key, value, at)?;
            Ok(())
        })?;
        Ok(config)
    }

    fn take(&mut self, key: &str, value: &DeValue<'_>, at: usize) -> Result<(), Wrong> {
        match (key, value) {
            ("profile", value) => {
                let word = Walk::choice(key, value, at, &Profile::NAMES)?;
                self.profile = clap::ValueEnum::from_str(word, true).ok();
            }
            ("select", value) => self.select = Some(selected(key, value, at)?),
            ("ignore", value) => self.ignore = selected(key, value, at)?,
            ("budget" | "budgets", DeValue::Table(table)) => self.budgets = budgets(&Walk { table })?,
            ("budget", value) => self.budget = Some(texts(key, value, at)?),
            ("semconv", value) => self.semconv = Some(semconv(key, value, at)?),
            ("fail-on", value) => {
                let word = Walk::choice(key, value, at, &["error", "warn", "info", "never"])?;
                self.fail_on = Some(word.parse().ok());
            }
            ("max-warnings", value) => self.max_warnings = Some(number(key, value, at)?),
            ("baseline", value) => self.baseline = Some(text(key, value, at)?.to_owned()),
            ("allow-inline", DeValue::Boolean(yes)) => self.inline = *yes,
            ("fail-likely", DeValue::Boolean(yes)) => self.fail_likely = *yes,
            ("severity", DeValue::Table(table)) => self.levels = severities(&Walk { table })?,
            ("rules", DeValue::Table(table)) => self.limits = limits(&Walk { table })?,
            ("errors", DeValue::Table(table)) => {
                Walk { table }.each(&["expected", "unexpected"], |key, value, at| {
                    let words = texts(key, value, at)?;
                    *(if key == "expected" { &mut self.expected } else { &mut self.unexpected }) = words;
                    Ok(())
                })?
            }
            ("override", value) => self.overrides = overrides(value, at)?,
            ("ignore-finding", value) => self.ignores = ignores(value, at)?,
            ("allow-inline" | "fail-likely", _) => return Err(Wrong::kind(key, at, "true or false")),
            _ => return Err(Wrong::kind(key, at, "a table")),
        }
        Ok(())
    }
}

/// Settings that variables may give: `fail-on` is `TRACECTL_LINT_FAIL_ON`. Lists are separated by commas.
const VARIABLES: [&str; 10] = [
    "allow-inline",
    "baseline",
    "budget",
    "fail-likely",
    "fail-on",
    "ignore",
    "max-warnings",
    "profile",
    "select",
    "semconv",
];

impl LintConfig {
    /// Reads the variables; tells the one that is wrong.
    pub(super) fn read_variables(&mut self, around: &Surroundings) -> Result<(), (String, Wrong)> {
        for key in VARIABLES {
            let name = format!("TRACECTL_LINT_{}", key.replace('-', "_").to_ascii_uppercase());
            let Some(text) = around.variable(&name) else { continue };
            let item = |text: &str| Spanned::new(0..0, DeValue::String(text.trim().to_owned().into()));
            let value = match (key, text) {
                ("select" | "ignore" | "budget", list) => DeValue::Array(list.split(',').map(item).collect()),
                ("allow-inline" | "fail-likely", "1" | "true") => DeValue::Boolean(true),
                ("allow-inline" | "fail-likely", "0" | "false") => DeValue::Boolean(false),
                (_, text) => DeValue::String(text.into()),
            };
            self.take(key, &value, 0).map_err(|wrong| (name, wrong))?;
            if key == "baseline" {
                // Unlike one in a file, it does not go out from the folder of that file.
                self.baseline = Some(around.directory.join(text).to_string_lossy().into_owned());
            }
        }
        Ok(())
    }
}

/// A version of the semantic conventions, like `1.44` or `1.36.0`: its minor version.
fn semconv(key: &str, value: &DeValue<'_>, at: usize) -> Result<u8, Wrong> {
    let minor = |text: &str| text.strip_prefix("1.")?.split('.').next()?.parse().ok().filter(|minor| *minor <= SEMCONV);
    let wanted = || Wrong::kind(key, at, &format!("a version of the conventions up to 1.{SEMCONV}, like \"1.36\""));
    minor(text(key, value, at)?).ok_or_else(wanted)
}

fn selected(key: &str, value: &DeValue<'_>, at: usize) -> Result<Vec<Selected>, Wrong> {
    let words = texts(key, value, at)?;
    words.iter().map(|word| select(word).map_err(|error| Wrong::new(at, error))).collect()
}

/// A table from rules to levels.
pub(super) fn severities(walk: &Walk<'_>) -> Result<Vec<(Vec<&'static str>, Level)>, Wrong> {
    let mut levels = Vec::new();
    walk.all(|key, value, at| {
        let codes = select(key).map_err(|error| Wrong::new(at, error))?.codes;
        let word = Walk::choice(key, value, at, &["error", "warn", "info", "off"])?;
        levels.push((codes, word.parse().ok()));
        Ok(())
    })?;
    Ok(levels)
}

fn limits(walk: &Walk<'_>) -> Result<Vec<(&'static str, &'static str, LimitValue)>, Wrong> {
    let mut limits = Vec::new();
    walk.all(|code, value, at| {
        let rule = one(code).map_err(|error| Wrong::new(at, error))?;
        let DeValue::Table(table) = value else { return Err(Wrong::kind(code, at, "a table")) };
        let keys: Vec<&'static str> = rule.limits.iter().map(|limit| limit.key).collect();
        Walk { table }.each(&keys, |key, value, at| {
            let Some(limit) = rule.limit(key) else { return Ok(()) };
            let text = match value {
                DeValue::Array(_) => texts(key, value, at)?.join(limit.separator()),
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Float(number) => number.as_str().to_owned(),
                DeValue::Boolean(flag) => flag.to_string(),
                _ => return Err(Wrong::kind(key, at, "a number, a text or a list of texts")),
            };
            let value = limit.read(&text).map_err(|error| Wrong::new(at, error))?;
            limits.push((rule.code, limit.key, value));
            Ok(())
        })
    })?;
    Ok(limits)
}

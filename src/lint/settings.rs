//! What lint is asked to do, validated: plain data that cannot be wrong.
//!
//! Filled by the command line from flags and configuration; read by the engine and the rules.

use std::collections::BTreeMap;

use globset::GlobMatcher;

use super::budget::{Budget, DEFAULT_PRESET};
use super::rule::{Confidence, Limit, LimitValue, Preset, Rule, Severity};
use super::rules::{RULES, SEMCONV};
use crate::ledger::Prices;
use crate::query::{Filter, IdPrefix};

/// What lint is asked to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The rules in force, by code, with the level that somebody chose; `None` leaves each finding the level it has by itself.
    pub levels: BTreeMap<&'static str, Option<Severity>>,
    /// Limits that differ from the rule's own, by code and key.
    pub limits: BTreeMap<(&'static str, &'static str), LimitValue>,
    /// The limits of the budgets that were named.
    pub budget: Budget,
    /// Exception types and messages that are expected ends, besides those that are known.
    pub expected: Vec<String>,
    /// Exception types and messages that are cancellations nobody asked for, besides those that are known.
    pub unexpected: Vec<String>,
    /// The version of the semantic conventions that holds, as a minor version of 1.
    pub semconv: u8,
    /// The dump is a part of something: missing parents are to be expected.
    pub partial: bool,
    /// Findings that are less sure than this are left out.
    pub min_confidence: Confidence,
    /// Other levels for some spans; of several that fit, the last one counts.
    pub overrides: Vec<Override>,
    /// Findings that are known and set aside.
    pub ignores: Vec<IgnoreFinding>,
    /// What models cost, where it is not the table that comes with the program.
    pub prices: Option<Prices>,
    /// Whether a span's attribute `tracectl.lint.ignore` counts.
    pub inline: bool,
    /// The spans that are asked about. Trees are always built of all spans.
    pub filter: Filter,
    /// The present, Unix nanoseconds.
    pub now: u64,
    /// Threads to work with, at least one.
    pub jobs: usize,
}

/// What a span or finding must be like; every part that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct Aim {
    /// The service.
    pub service: Option<GlobMatcher>,
    /// The span's name.
    pub span: Option<GlobMatcher>,
    /// The trace.
    pub trace: Option<IdPrefix>,
    /// The input's path.
    pub path: Option<GlobMatcher>,
}

/// Other levels for some spans.
#[derive(Clone, Debug, Default)]
pub struct Override {
    /// Which spans.
    pub aim: Aim,
    /// Rules that do not hold for them.
    pub ignore: Vec<&'static str>,
    /// Levels of rules for them.
    pub levels: BTreeMap<&'static str, Severity>,
}

/// Findings that are known and set aside.
#[derive(Clone, Debug, Default)]
pub struct IgnoreFinding {
    /// The codes of the rules; none means all.
    pub rules: Vec<&'static str>,
    /// Which spans.
    pub aim: Aim,
    /// Which attribute.
    pub attribute: Option<GlobMatcher>,
    /// Why.
    pub reason: String,
    /// From when on it counts no more, Unix nanoseconds.
    pub expires: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        let selectable = RULES.iter().filter(|rule| !rule.is_meta());
        Self {
            levels: selectable.map(|rule| (rule.code, None)).collect(),
            limits: BTreeMap::new(),
            budget: Budget::of([DEFAULT_PRESET]).unwrap_or_default(),
            expected: Vec::new(),
            unexpected: Vec::new(),
            semconv: SEMCONV,
            partial: false,
            min_confidence: Confidence::Likely,
            overrides: Vec::new(),
            ignores: Vec::new(),
            prices: None,
            inline: false,
            filter: Filter::default(),
            now: 0,
            jobs: 1,
        }
    }
}

impl Settings {
    /// Whether a rule is in force.
    pub fn has(&self, rule: &Rule) -> bool {
        self.levels.contains_key(rule.code)
    }

    /// A number a rule goes by; `None` where it is a matter of the budget, or no number.
    pub fn number(&self, rule: &Rule, limit: &Limit) -> Option<u64> {
        match (self.limits.get(&(rule.code, limit.key)), limit.default) {
            (Some(LimitValue::Number(number)), _) => Some(*number),
            (None, Preset::Number(number) | Preset::Least(_, number)) => Some(number),
            _ => None,
        }
    }

    /// Whether a rule's flag is set.
    pub fn flag(&self, rule: &Rule, limit: &Limit) -> bool {
        match (self.limits.get(&(rule.code, limit.key)), limit.default) {
            (Some(LimitValue::Flag(flag)), _) => *flag,
            (None, Preset::Flag(flag)) => flag,
            _ => false,
        }
    }

    /// Words a rule goes by.
    pub fn words(&self, rule: &Rule, limit: &Limit) -> Vec<String> {
        match (self.limits.get(&(rule.code, limit.key)), limit.default) {
            (Some(LimitValue::Words(words)), _) => words.clone(),
            (None, Preset::Words(words) | Preset::Patterns(words)) => {
                words.iter().map(|word| (*word).to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }
}

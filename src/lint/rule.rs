//! What a rule is: a value with its words, its limits and its checks.
//!
//! Plain data. A check notes facts; the engine counts them, puts them together and decides about levels, and `tell` finds the
//! words for what is left, so that a million violations never become a million strings.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use super::facts::{Told, Words};
use super::finding::Unit;
use super::look::{DumpLook, ResourceLook, SpanLook, TraceLook};
use super::note::Sink;
use super::pattern::Pattern;
use crate::ledger::Money;

/// How bad a finding is. The worst comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is broken.
    Error,
    /// Something is probably wrong, or costs.
    #[default]
    Warn,
    /// Something to know.
    Info,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The data proves it.
    #[default]
    Proven,
    /// The data suggests it.
    Likely,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One span at a time.
    Span,
    /// One resource at a time.
    Resource,
    /// A whole trace.
    Trace,
    /// The whole dump.
    Dump,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Three letters and three digits, the same for ever.
    pub code: &'static str,
    /// Its name in kebab-case; reads well after "allow".
    pub name: &'static str,
    /// The level it has unless something overrides it.
    pub severity: Severity,
    /// How sure its findings are, where a finding does not say.
    pub confidence: Confidence,
    /// What it looks at.
    pub scope: Scope,
    /// One line without a full stop.
    pub summary: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What exactly it looks for, where the summary and the limits do not say it all; may be empty.
    pub when: &'static str,
    /// A bad example.
    pub bad: &'static str,
    /// The good one beside it.
    pub good: &'static str,
    /// The numbers it goes by.
    pub limits: &'static [Limit],
    /// Of what it counts, where that is no matter of a budget.
    pub unit: Option<Unit>,
    /// Where the rule comes from.
    pub source: &'static str,
    /// A page about it; empty where there is none.
    pub url: &'static str,
    /// What it does.
    pub check: Check,
    /// The words for what it found.
    pub tell: fn(&Told<'_>) -> Words,
}

impl Rule {
    /// The three letters of its group.
    pub fn group(&self) -> &'static str {
        self.code.get(..3).unwrap_or(self.code)
    }

    /// The limit with this key.
    pub fn limit(&self, key: &str) -> Option<&'static Limit> {
        self.limits.iter().find(|limit| limit.key == key)
    }

    /// Whether the engine itself makes its findings; such a rule cannot be selected or ignored.
    pub fn is_meta(&self) -> bool {
        self.group() == "CFG"
    }
}

/// Looks at a span.
pub type SpanCheck = fn(&SpanLook<'_>, &mut Sink<'_>);

/// What a rule does, and when; a rule without any of them is the engine's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Check {
    /// Looks at every span while its bytes are hot.
    pub span: Option<SpanCheck>,
    /// Looks at every different resource and scope.
    pub resource: Option<fn(&ResourceLook<'_>, &mut Sink<'_>)>,
    /// Looks at every trace when everything is read.
    pub trace: Option<fn(&TraceLook<'_>, &mut Sink<'_>)>,
    /// Looks at everything at once.
    pub dump: Option<fn(&DumpLook<'_>, &mut Sink<'_>)>,
    /// What has to be noted of every span for it.
    pub needs: Needs,
}

impl Check {
    /// Does nothing.
    pub const NONE: Self = Self { span: None, resource: None, trace: None, dump: None, needs: Needs::NOTHING };
}

/// What is noted or read of spans only where a rule in force needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs(u8);

impl Needs {
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// What calls to models recorded of messages and tools.
    pub const TALK: Self = Self(1);
    /// What spans wanted to reach.
    pub const TARGETS: Self = Self(1 << 1);
    /// What calls to databases, servers and embedding models are but for their values.
    pub const SHAPES: Self = Self(1 << 2);
    /// Exceptions, each by what it says.
    pub const RAISED: Self = Self(1 << 3);
    /// Encoded sizes.
    pub const SIZES: Self = Self(1 << 4);
    /// The span that is told, in full, for the words.
    pub const DETAIL: Self = Self(1 << 5);

    /// What both need.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is needed besides the other.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether any of the given things is needed.
    pub fn has(self, needs: Self) -> bool {
        self.0 & needs.0 != 0
    }
}

/// The names of the groups, in the order they are listed.
pub const GROUPS: &[(&str, &str)] = &[
    ("STR", "OTLP structure"),
    ("TRE", "trees, context, time"),
    ("BUD", "budgets"),
    ("ERR", "errors and cancellations"),
    ("SEM", "semantic conventions and resources"),
    ("GEN", "calls to language models"),
    ("AGT", "agent behaviour"),
    ("PRF", "performance"),
    ("SEC", "secrets"),
    ("CFG", "lint itself"),
];

/// A number or list that a rule goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Its name in `[lint.rules.<code>]` and `--set <code>.<key>=…`.
    pub key: &'static str,
    /// What it is when nobody says.
    pub default: Preset,
    /// Of what it is a number; `None` for lists and flags.
    pub unit: Option<Unit>,
    /// One line about it.
    pub about: &'static str,
}

/// What a limit is when nobody says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preset {
    /// This number.
    Number(u64),
    /// The second number; anything below the first makes no sense.
    Least(u64, u64),
    /// Yes or no.
    Flag(bool),
    /// These words.
    Words(&'static [&'static str]),
    /// These regular expressions.
    Patterns(&'static [&'static str]),
    /// No limit.
    Unset,
    /// What the budget says; no limit where it says nothing.
    Budget,
}

/// What somebody set a limit to.
#[derive(Clone, Debug, PartialEq)]
pub enum LimitValue {
    /// A number of the limit's unit.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Words.
    Words(Vec<String>),
}

/// Why a limit was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LimitError {
    /// It is something else.
    #[error("'{text}' is not {wanted}")]
    Kind {
        /// What was written.
        text: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// It is too small to mean anything.
    #[error("'{text}' is too small: {least} is the least")]
    Small {
        /// What was written.
        text: String,
        /// The smallest value, as it is written.
        least: String,
    },
    /// It is no regular expression.
    #[error("'{text}' is no regular expression: {why}")]
    Pattern {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Limit {
    /// A number of which anything below `least` makes no sense.
    pub const fn number(key: &'static str, least: u64, usual: u64, unit: Unit, about: &'static str) -> Self {
        Self { key, default: Preset::Least(least, usual), unit: Some(unit), about }
    }

    /// A list of words.
    pub const fn words(key: &'static str, usual: &'static [&'static str], about: &'static str) -> Self {
        Self { key, default: Preset::Words(usual), unit: None, about }
    }

    /// A list of regular expressions.
    pub const fn patterns(key: &'static str, usual: &'static [&'static str], about: &'static str) -> Self {
        Self { key, default: Preset::Patterns(usual), unit: None, about }
    }

    /// What stands between the items of a list when it is written as one text.
    pub fn separator(&self) -> &'static str {
        // A comma may be part of a regular expression.
        if matches!(self.default, Preset::Patterns(_)) { "\n" } else { "," }
    }

    /// The smallest number that makes sense.
    fn least(&self) -> u64 {
        match self.default {
            Preset::Least(least, _) => least,
            Preset::Budget | Preset::Unset => 1,
            _ => 0,
        }
    }

    /// Reads a value as people write it: `64KiB`, `250ms`, `0.8`, `true`, words separated by commas.
    pub fn read(&self, text: &str) -> Result<LimitValue, LimitError> {
        let value = self.parsed(text)?;
        match value {
            LimitValue::Number(number) if number < self.least() => {
                Err(LimitError::Small { text: text.trim().to_owned(), least: self.written(self.least()) })
            }
            value => Ok(value),
        }
    }

    /// A number of this limit as [`Self::read`] takes it: `4MiB`, `100ms`, `0.8`.
    pub fn written(&self, number: u64) -> String {
        const SIZES: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        const TIMES: [(u64, &str); 5] =
            [(3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
        let whole = |units: &[(u64, &str)], smallest: &str| {
            let unit = units.iter().find(|(size, _)| number >= *size && number.is_multiple_of(*size));
            unit.map_or_else(|| format!("{number}{smallest}"), |(size, name)| format!("{}{name}", number / size))
        };
        match self.unit {
            Some(Unit::Bytes) => whole(&SIZES, ""),
            Some(Unit::Nanos) => whole(&TIMES, "ns"),
            Some(Unit::Permille) => fraction(number, 3),
            Some(Unit::Dollars) => fraction(number, 9),
            Some(Unit::Chars | Unit::Count) | None => number.to_string(),
        }
    }

    fn parsed(&self, text: &str) -> Result<LimitValue, LimitError> {
        let error = |wanted| LimitError::Kind { text: text.to_owned(), wanted };
        let text = text.trim();
        match (self.default, self.unit) {
            (Preset::Patterns(_), _) => {
                let words = text.lines().map(str::trim).filter(|word| !word.is_empty());
                let sound = |word: &str| match Pattern::new(word) {
                    Ok(_) => Ok(word.to_owned()),
                    Err(why) => Err(LimitError::Pattern { text: word.to_owned(), why }),
                };
                words.map(sound).collect::<Result<_, _>>().map(LimitValue::Words)
            }
            (Preset::Words(_), _) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Ok(LimitValue::Words(words.map(str::to_owned).collect()))
            }
            (Preset::Flag(_), _) => text.parse().map(LimitValue::Flag).map_err(|_| error("true or false")),
            (_, Some(Unit::Nanos)) => crate::model::parse_duration(text)
                .map(|time| LimitValue::Number(time.0))
                .map_err(|_| error("a duration (write it like 250ms, 1.5s or 2h)")),
            (_, Some(Unit::Dollars)) => dollars(text).ok_or_else(|| error("an amount of US dollars (0.25)")),
            (_, Some(Unit::Permille)) => ratio(text).map(LimitValue::Number).ok_or_else(|| error("a ratio (0.8)")),
            // A part of a byte or of a call is nothing: `2.5` must not act as 2.
            _ if text.contains('.') && text.ends_with(|c: char| c.is_ascii_digit()) => {
                Err(error("a whole number (write it like 512, 64KiB or 2MB)"))
            }
            _ => text
                .parse::<crate::model::ByteSize>()
                .map(|size| LimitValue::Number(size.0))
                .map_err(|_| error("a number (write it like 512, 64KiB or 2MB)")),
        }
    }
}

/// A number with so many digits behind the point, none of them for nothing.
fn fraction(number: u64, digits: usize) -> String {
    let padded = format!("{number:0>width$}", width = digits + 1);
    let (whole, rest) = padded.split_at(padded.len() - digits);
    let text = format!("{whole}.{rest}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `0.25` as billionths.
fn dollars(text: &str) -> Option<LimitValue> {
    let dollars: f64 = text.trim_start_matches('$').parse().ok()?;
    (0.0..1e9).contains(&dollars).then(|| LimitValue::Number(Money::dollars(dollars).0))
}

/// `0.8` as thousandths.
fn ratio(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u64>().ok()? * 1000 + thousandths.parse::<u64>().ok()?)
}

impl Severity {
    /// All levels, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Info];

    /// The lower-case name used everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

impl Confidence {
    /// The lower-case name used everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a level was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is none of error, warn, info")]
pub struct SeverityError {
    text: String,
}

impl FromStr for Severity {
    type Err = SeverityError;

    fn from_str(text: &str) -> Result<Self, SeverityError> {
        let found = Self::ALL.into_iter().find(|severity| severity.name() == text.trim());
        found.ok_or_else(|| SeverityError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for (unit, number, text) in [
            (Unit::Bytes, 4 << 20, "4MiB"),
            (Unit::Bytes, 4_000_001, "4000001"),
            (Unit::Nanos, 60_000_000_000, "1m"),
            (Unit::Nanos, 86_400_000_000_000, "24h"),
            (Unit::Nanos, 1_500_000, "1500us"),
            (Unit::Permille, 500, "0.5"),
            (Unit::Permille, 4_000, "4"),
            (Unit::Dollars, 250_000_000, "0.25"),
            (Unit::Count, 2_048, "2048"),
        ] {
            let limit = Limit::number("x", 1, 1, unit, "");
            assert_eq!(limit.written(number), text);
            assert_eq!(limit.read(text), Ok(LimitValue::Number(number)), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_thing_is_refused() {
        let count = Limit::number("max", 1, 50, Unit::Count, "");
        assert!(count.read("1.9").unwrap_err().to_string().contains("a whole number"));
        assert_eq!(count.read("1.5k"), Ok(LimitValue::Number(1_500)));
        let small = Limit::number("factor", 1_000, 4_000, Unit::Permille, "").read("0.5").unwrap_err();
        assert_eq!(small.to_string(), "'0.5' is too small: 1 is the least");
    }
}

//! CFG001 to CFG003: what lint says about itself.
//!
//! Always in force; the engine makes their findings, so they have no checks.

use crate::lint::facts::{Told, Words};
use crate::lint::rule::{Check, Confidence, Rule, Scope, Severity};

const META: Rule = Rule {
    code: "CFG000",
    name: "",
    severity: Severity::Info,
    confidence: Confidence::Proven,
    scope: Scope::Dump,
    summary: "",
    why: "",
    when: "",
    bad: "",
    good: "",
    limits: &[],
    unit: None,
    source: "own",
    url: "",
    check: Check::NONE,
    tell: silent,
};

fn silent(_: &Told<'_>) -> Words {
    Words::default()
}

/// Nothing was linted.
pub(in crate::lint) const NOTHING_LINTED: Rule = Rule {
    code: "CFG001",
    name: "nothing-linted",
    severity: Severity::Error,
    summary: "No span was linted",
    why: "A check that looks at nothing always passes.",
    bad: "an input without spans, or a filter that lets none pass",
    good: "at least one span",
    ..META
};

/// An entry that sets findings aside matched nothing.
pub(in crate::lint) const UNUSED_IGNORE: Rule = Rule {
    code: "CFG002",
    name: "unused-ignore",
    severity: Severity::Warn,
    summary: "An entry that sets findings aside matched nothing",
    why: "It would hide the fault the day it comes back.",
    bad: "an entry for a fault that was mended",
    good: "only entries that are needed",
    ..META
};

/// A rule could not look at everything.
pub(in crate::lint) const NOT_CHECKED: Rule = Rule {
    code: "CFG003",
    name: "not-checked",
    severity: Severity::Info,
    summary: "A rule could not look at everything",
    why: "What was not looked at must not look like what was found in order.",
    bad: "tool calls whose arguments were not recorded",
    good: "everything that the rules in force need is recorded",
    ..META
};

//! What a rule is: one in full, or all in a table.
//!
//! Comes in: rules. Goes out: their own words. Everything shown here is in the rule's file.

use std::io::{self, Write};

use serde::Serialize;

use super::words::tone;
use super::wrap::wrapped;
use crate::lint::{Confidence, GROUPS, Limit, Preset, RULES, Rule, Scope, Severity, Unit};
use crate::render::json::write_json;
use crate::render::{Column, Ink, Render, Table, Tone};

/// A rule in full.
pub struct Explain<'r>(pub &'r Rule);

/// Rules in a table: those with these codes, or all.
pub struct RuleTable(pub Option<Vec<&'static str>>);

/// A rule as JSON.
#[derive(Serialize)]
struct Row {
    code: &'static str,
    name: &'static str,
    group: &'static str,
    severity: Severity,
    confidence: Confidence,
    scope: Scope,
    summary: &'static str,
    why: &'static str,
    when: &'static str,
    bad: &'static str,
    good: &'static str,
    source: &'static str,
    url: &'static str,
    limits: Vec<LimitRow>,
}

#[derive(Serialize)]
struct LimitRow {
    key: &'static str,
    default: serde_json::Value,
    unit: Option<Unit>,
    about: &'static str,
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    rules: Vec<Row>,
}

/// Writes the rules with these codes as JSON, all where none is named.
pub fn rules_json(codes: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let rules = RULES.iter().filter(|rule| codes.is_empty() || codes.contains(&rule.code)).map(row);
    write_json(&Document { schema: 1, rules: rules.collect() }, out)
}

fn row(rule: &Rule) -> Row {
    let limit = |limit: &Limit| LimitRow {
        key: limit.key,
        default: match limit.default {
            Preset::Number(number) | Preset::Least(_, number) => number.into(),
            Preset::Flag(flag) => flag.into(),
            Preset::Words(words) | Preset::Patterns(words) => words.iter().copied().collect(),
            Preset::Unset => serde_json::Value::Null,
            Preset::Budget => "budget".into(),
        },
        unit: limit.unit,
        about: limit.about,
    };
    Row {
        code: rule.code,
        name: rule.name,
        group: GROUPS.iter().find(|(code, _)| *code == rule.group()).map_or("", |(_, about)| about),
        severity: rule.severity,
        confidence: rule.confidence,
        scope: rule.scope,
        summary: rule.summary,
        why: rule.why,
        when: rule.when,
        bad: rule.bad,
        good: rule.good,
        source: rule.source,
        url: rule.url,
        limits: rule.limits.iter().map(limit).collect(),
    }
}

impl Render for RuleTable {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let column = |title, least| Column { title, right: false, least, rank: 0 };
        let columns = vec![
            column("CODE", None),
            column("LEVEL", None),
            column("NAME", None),
            Column { rank: 1, ..column("WHAT IT FINDS", Some(20)) },
        ];
        let wanted = |rule: &&Rule| self.0.as_ref().is_none_or(|codes| codes.contains(&rule.code));
        let rows = RULES.iter().filter(wanted).map(|rule| {
            vec![
                (Tone::Name, rule.code.to_owned()),
                (tone(rule.severity), rule.severity.to_string()),
                (Tone::Plain, rule.name.to_owned()),
                (Tone::Quiet, rule.summary.to_owned()),
            ]
        });
        Table { columns, rows: rows.collect() }.render(ink)
    }
}

impl Render for Explain<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let rule = self.0;
        ink.put(Tone::Title, format_args!("{} {}", rule.code, rule.name))?;
        ink.line()?;
        wrapped(ink, Tone::Plain, rule.summary, 0)?;
        ink.line()?;
        ink.line()?;
        ink.put(Tone::Quiet, "level ")?;
        ink.put(tone(rule.severity), rule.severity)?;
        ink.put(Tone::Quiet, format_args!(", {}", rule.confidence.name()))?;
        ink.line()?;
        let sections = [("Why", rule.why), ("When", rule.when), ("Bad", rule.bad), ("Good", rule.good)];
        for (heading, text) in sections.into_iter().filter(|(_, text)| !text.is_empty()) {
            section(ink, heading, text)?;
        }
        if !rule.limits.is_empty() {
            ink.line()?;
            ink.put(Tone::Title, "Limits")?;
            ink.line()?;
            rule.limits.iter().try_for_each(|limit| limit_line(ink, rule, limit))?;
        }
        section(ink, "Source", &format!("{}\n{}", rule.source, rule.url))?;
        ink.line()?;
        let code = rule.code.to_ascii_lowercase();
        if rule.is_meta() {
            return Ok(());
        }
        wrapped(
            ink,
            Tone::Quiet,
            &format!("Leave it out: --ignore {} or [lint] ignore = [\"{}\"]", rule.code, rule.code),
            2,
        )?;
        ink.line()?;
        if rule.limits.is_empty() {
            return Ok(());
        }
        wrapped(ink, Tone::Quiet, &format!("Its settings: --set {code}.KEY=VALUE or [lint.rules.{code}]"), 2)?;
        ink.line()
    }
}

fn section(ink: &mut Ink<'_>, heading: &str, text: &str) -> io::Result<()> {
    ink.line()?;
    ink.put(Tone::Title, heading)?;
    ink.line()?;
    for line in text.lines() {
        ink.pad_to(2)?;
        wrapped(ink, Tone::Plain, line, 2)?;
        ink.line()?;
    }
    Ok(())
}

fn limit_line(ink: &mut Ink<'_>, rule: &Rule, limit: &Limit) -> io::Result<()> {
    let value = match limit.default {
        Preset::Number(number) | Preset::Least(_, number) => limit.written(number),
        Preset::Flag(flag) => flag.to_string(),
        Preset::Words([]) | Preset::Patterns([]) => "none".to_owned(),
        Preset::Words(words) | Preset::Patterns(words) => words.join(", "),
        Preset::Unset => "no limit".to_owned(),
        Preset::Budget => "what the budget says".to_owned(),
    };
    ink.pad_to(2)?;
    ink.put(Tone::Name, format_args!("{}.{}", rule.code.to_ascii_lowercase(), limit.key))?;
    wrapped(ink, Tone::Plain, &format!(" {}; default {value}", limit.about), 4)?;
    ink.line()
}

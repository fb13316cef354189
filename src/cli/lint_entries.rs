//! The lists of `[lint]`: overrides, findings set aside, own budgets.
//!
//! Comes in: arrays and tables. Goes out: checked entries.

use globset::GlobMatcher;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::lint_budget::OwnBudget;
use super::lint_codes::select;
use super::lint_config::severities;
use super::lint_walk::{Walk, Wrong, number, text, texts};
use crate::lint::{Aim, Cell, IgnoreFinding, Override};
use crate::query::name_glob;

const AIM: [&str; 4] = ["service", "span", "trace", "path"];

/// `[[lint.override]]`.
pub(super) fn overrides(value: &DeValue<'_>, at: usize) -> Result<Vec<Override>, Wrong> {
    entries("override", value, at)?.into_iter().map(|(walk, at)| one_override(&walk, at)).collect()
}

fn one_override(walk: &Walk<'_>, at: usize) -> Result<Override, Wrong> {
    let mut entry = Override::default();
    walk.each(&[&AIM[..], &["ignore", "severity"]].concat(), |key, value, at| {
        match (key, value) {
            ("ignore", value) => entry.ignore = codes(key, value, at)?,
            ("severity", DeValue::Table(table)) => {
                for (codes, level) in severities(&Walk { table })? {
                    match level {
                        Some(level) => entry.levels.extend(codes.into_iter().map(|code| (code, level))),
                        None => entry.ignore.extend(codes),
                    }
                }
            }
            ("severity", _) => return Err(Wrong::kind(key, at, "a table")),
            _ => aim(&mut entry.aim, key, value, at)?,
        }
        Ok(())
    })?;
    let Aim { service, span, trace, path } = &entry.aim;
    match service.is_none() && span.is_none() && trace.is_none() && path.is_none() {
        true => Err(Wrong::new(at, "an 'override' needs a 'service', 'span', 'trace' or 'path'")),
        false => Ok(entry),
    }
}

/// `[[lint.ignore-finding]]`.
pub(super) fn ignores(value: &DeValue<'_>, at: usize) -> Result<Vec<IgnoreFinding>, Wrong> {
    entries("ignore-finding", value, at)?.into_iter().map(|(walk, at)| one_ignore(&walk, at)).collect()
}

fn one_ignore(walk: &Walk<'_>, at: usize) -> Result<IgnoreFinding, Wrong> {
    let mut entry = IgnoreFinding::default();
    walk.each(&[&AIM[..], &["rule", "attribute", "reason", "expires"]].concat(), |key, value, at| {
        match key {
            "rule" => entry.rules = codes(key, value, at)?,
            "attribute" => entry.attribute = Some(glob(key, value, at)?),
            "reason" => entry.reason = text(key, value, at)?.trim().to_owned(),
            "expires" => entry.expires = Some(day(key, value, at)?),
            _ => aim(&mut entry.aim, key, value, at)?,
        }
        Ok(())
    })?;
    match entry.reason.is_empty() {
        true => Err(Wrong::new(at, "an entry of 'ignore-finding' needs a 'reason'")),
        false => Ok(entry),
    }
}

/// `[lint.budget.<name>]`.
pub(super) fn budgets(walk: &Walk<'_>) -> Result<Vec<OwnBudget>, Wrong> {
    let mut budgets = Vec::new();
    let cells: Vec<&str> = Cell::ALL.iter().map(|cell| cell.name()).chain(["extends"]).collect();
    walk.all(|name, value, at| {
        let DeValue::Table(table) = value else { return Err(Wrong::kind(name, at, "a table")) };
        let mut budget = OwnBudget { name: name.to_owned(), ..OwnBudget::default() };
        Walk { table }.each(&cells, |key, value, at| {
            match Cell::named(key) {
                Some(cell) => budget.cells.push((cell, number(key, value, at)?)),
                None => budget.extends = texts(key, value, at)?,
            }
            Ok(())
        })?;
        budgets.push(budget);
        Ok(())
    })?;
    Ok(budgets)
}

fn entries<'t>(key: &str, value: &'t DeValue<'t>, at: usize) -> Result<Vec<(Walk<'t>, usize)>, Wrong> {
    let wrong = || Wrong::new(at, format_args!("write [[lint.{key}]] for each entry"));
    let DeValue::Array(items) = value else { return Err(wrong()) };
    let table = |item: &'t toml::Spanned<DeValue<'t>>| match item.get_ref() {
        DeValue::Table(table) => Ok((Walk { table }, item.span().start)),
        _ => Err(wrong()),
    };
    items.iter().map(table).collect()
}

fn codes(key: &str, value: &DeValue<'_>, at: usize) -> Result<Vec<&'static str>, Wrong> {
    let mut codes = Vec::new();
    for word in texts(key, value, at)? {
        codes.extend(select(&word).map_err(|error| Wrong::new(at, error))?.codes);
    }
    Ok(codes)
}

fn glob(key: &str, value: &DeValue<'_>, at: usize) -> Result<GlobMatcher, Wrong> {
    name_glob(text(key, value, at)?).map_err(|error| Wrong::new(at, error))
}

fn aim(aim: &mut Aim, key: &str, value: &DeValue<'_>, at: usize) -> Result<(), Wrong> {
    match key {
        "service" => aim.service = Some(glob(key, value, at)?),
        "span" => aim.span = Some(glob(key, value, at)?),
        "path" => aim.path = Some(glob(key, value, at)?),
        _ => aim.trace = Some(text(key, value, at)?.parse().map_err(|error| Wrong::new(at, error))?),
    }
    Ok(())
}

/// The start of a day in UTC, Unix nanoseconds.
fn day(key: &str, value: &DeValue<'_>, at: usize) -> Result<u64, Wrong> {
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        _ => String::new(),
    };
    let wrong = || Wrong::kind(key, at, "a day like 2027-01-31");
    let day: Date = text.parse().map_err(|_| wrong())?;
    let start = day.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    u64::try_from(start.timestamp().as_nanosecond()).map_err(|_| wrong())
}

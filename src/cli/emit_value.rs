//! Values of scenario files: durations, parts, numbers, and how attributes are made.
//!
//! Comes in: a value of a parsed file and where it stands. Goes out: plain data, or what is wrong with it.

use toml::de::DeValue;

use super::lint_walk::{Walk, Wrong, number, text, texts};
use crate::emit::{Generator, Lasting, parts};
use crate::model::parse_duration;

/// OTLP's number of a span's kind.
pub(super) fn kind(key: &str, value: &DeValue<'_>, at: usize) -> Result<i32, Wrong> {
    Ok(match Walk::choice(key, value, at, &["internal", "server", "client", "producer", "consumer"])? {
        "server" => 2,
        "client" => 3,
        "producer" => 4,
        "consumer" => 5,
        _ => 1,
    })
}

/// `120ms`: around that; `5ms..80ms`: anything between.
pub(super) fn duration(text: &str, at: usize) -> Result<Lasting, Wrong> {
    let one = |text: &str| parse_duration(text).map(|nanos| nanos.0).map_err(|error| Wrong::new(at, error));
    match text.split_once("..") {
        None => Ok(Lasting::Median(one(text)?)),
        Some((low, high)) => {
            let (low, high) = (one(low)?, one(high)?);
            if low > high {
                Err(Wrong::new(at, format_args!("'{text}' ends before it begins")))
            } else {
                Ok(Lasting::Between(low, high))
            }
        }
    }
}

/// `true` or `false`.
pub(super) fn flag(key: &str, value: &DeValue<'_>, at: usize) -> Result<bool, Wrong> {
    match value {
        DeValue::Boolean(yes) => Ok(*yes),
        _ => Err(Wrong::kind(key, at, "true or false")),
    }
}

/// A part of one, in parts of a million.
pub(super) fn part(key: &str, value: &DeValue<'_>, at: usize) -> Result<u32, Wrong> {
    let read = match value {
        DeValue::Float(number) => parts(number.as_str()),
        DeValue::Integer(number) => parts(number.as_str()),
        DeValue::String(text) => parts(text),
        _ => None,
    };
    read.ok_or_else(|| Wrong::kind(key, at, "a part of one, like 0.05 or \"5%\""))
}

/// How often: a number, or two.
pub(super) fn times(key: &str, value: &DeValue<'_>, at: usize) -> Result<(u64, u64), Wrong> {
    let (low, high) = match value {
        DeValue::Array(_) => pair(key, value, at)?,
        single => {
            let times = i64::try_from(number(key, single, at)?).unwrap_or(i64::MAX);
            (times, times)
        }
    };
    match (u64::try_from(low), u64::try_from(high)) {
        (Ok(low), Ok(high)) if high <= 10_000 => Ok((low, high)),
        _ => Err(Wrong::new(at, format_args!("'{key}' is a number up to 10000, or two: [1, 3]"))),
    }
}

/// Two whole numbers, the smaller one first.
fn pair(key: &str, value: &DeValue<'_>, at: usize) -> Result<(i64, i64), Wrong> {
    let wanted = || Wrong::new(at, format_args!("'{key}' has to be two whole numbers, the smaller one first: [1, 3]"));
    let DeValue::Array(items) = value else { return Err(wanted()) };
    let numbers: Vec<i64> = items.iter().filter_map(|item| integer(item.get_ref())).collect();
    match numbers.as_slice() {
        [low, high] if low <= high && items.len() == 2 => Ok((*low, *high)),
        _ => Err(wanted()),
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

/// A number with up to three digits behind the point, in thousandths.
fn thousandths(value: &DeValue<'_>) -> Option<i64> {
    let text = match value {
        DeValue::Float(number) => number.as_str(),
        DeValue::Integer(number) => number.as_str(),
        _ => return None,
    };
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 {
        return None;
    }
    format!("{whole}{fraction:0<3}").parse::<i64>().ok().map(|number| sign * number)
}

/// Keys and how their values are made.
pub(super) fn attributes(value: &DeValue<'_>, at: usize) -> Result<Vec<(String, Generator)>, Wrong> {
    let DeValue::Table(table) = value else {
        return Err(Wrong::kind("attributes", at, "a table of keys and values"));
    };
    let mut out = Vec::new();
    Walk { table }.all(|key, value, at| {
        out.push((key.to_owned(), generator(key, value, at)?));
        Ok(())
    })?;
    Ok(out)
}

const GENERATORS: [&str; 6] = ["int", "double", "pick", "uuid", "text", "chance"];

fn generator(key: &str, value: &DeValue<'_>, at: usize) -> Result<Generator, Wrong> {
    let thousandths_of = |value| {
        thousandths(value).ok_or_else(|| Wrong::kind(key, at, "a number with at most three digits behind the point"))
    };
    match value {
        DeValue::String(text) => Ok(Generator::Text(text.to_string())),
        DeValue::Boolean(yes) => Ok(Generator::Bool(*yes)),
        DeValue::Integer(_) => {
            integer(value).map(Generator::Int).ok_or_else(|| Wrong::kind(key, at, "a 64-bit number"))
        }
        DeValue::Float(_) => thousandths_of(value).map(Generator::Milli),
        DeValue::Table(table) => {
            let mut made = None;
            Walk { table }.each(&GENERATORS, |name, value, at| {
                made = Some(match name {
                    "int" => pair(name, value, at).map(|(low, high)| Generator::IntBetween(low, high))?,
                    "double" => doubles(name, value, at)?,
                    "pick" => Generator::Pick(texts(name, value, at)?),
                    "uuid" => Generator::Uuid(text(name, value, at)?.to_owned()),
                    "text" => Generator::Words(number(name, value, at)?.min(1 << 20)),
                    _ => Generator::Chance(part(name, value, at)?),
                });
                Ok(())
            })?;
            made.ok_or_else(|| Wrong::new(at, format_args!("'{key}' needs one of {}", GENERATORS.join(", "))))
        }
        _ => Err(Wrong::kind(key, at, "a text, a number, true, false, or a generator like { int = [1, 9] }")),
    }
}

fn doubles(key: &str, value: &DeValue<'_>, at: usize) -> Result<Generator, Wrong> {
    let wanted = || Wrong::new(at, format_args!("'{key}' has to be two numbers, the smaller one first: [0.0, 1.0]"));
    let DeValue::Array(items) = value else { return Err(wanted()) };
    let numbers: Vec<i64> = items.iter().filter_map(|item| thousandths(item.get_ref())).collect();
    match numbers.as_slice() {
        [low, high] if low <= high && items.len() == 2 => Ok(Generator::MilliBetween(*low, *high)),
        _ => Err(wanted()),
    }
}

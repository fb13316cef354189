//! Values of scenario files: durations, parts, numbers, and how attributes are made.
//!
//! Comes in: a value of a parsed file and where it stands. Goes out: plain data, or what is wrong with it.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::lint_walk::{Walk, Wrong, number, text};
use super::nearest::nearest;
use crate::emit::{Fixed, Generator, Lasting, parts};
use crate::model::parse_duration;

/// Names of shared values, with their places.
pub(super) type Shared = BTreeMap<String, usize>;

/// Bytes of a text that is made up or written out, at most.
const LONGEST: u64 = 1 << 20;

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

fn nanos(text: &str, at: usize) -> Result<u64, Wrong> {
    parse_duration(text).map(|nanos| nanos.0).map_err(|error| Wrong::new(at, error))
}

/// `120ms`: around that; `5ms..80ms`: anything between.
pub(super) fn duration(text: &str, at: usize) -> Result<Lasting, Wrong> {
    match text.split_once("..") {
        None => Ok(Lasting::Median(nanos(text, at)?)),
        Some((low, high)) => {
            let (low, high) = (nanos(low, at)?, nanos(high, at)?);
            if low > high {
                Err(Wrong::new(at, format_args!("'{text}' ends before it begins")))
            } else {
                Ok(Lasting::Between(low, high))
            }
        }
    }
}

/// `12ms` ahead, `-3ms` behind.
pub(super) fn skew(text: &str, at: usize) -> Result<i64, Wrong> {
    let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
    let nanos = nanos(size.strip_prefix('+').unwrap_or(size), at)?;
    let wrong = || Wrong::new(at, "a clock is at most a day off");
    i64::try_from(nanos).ok().filter(|nanos| *nanos <= 86_400_000_000_000).map(|nanos| sign * nanos).ok_or_else(wrong)
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
    read.ok_or_else(|| Wrong::kind(key, at, "a part of one, like 0.05 or \"5%\", of which a millionth is the least"))
}

/// A whole number from 0 up to a limit.
pub(super) fn whole(key: &str, value: &DeValue<'_>, at: usize, most: u64) -> Result<u64, Wrong> {
    let number = integer(value).and_then(|number| u64::try_from(number).ok()).filter(|number| *number <= most);
    number.ok_or_else(|| Wrong::kind(key, at, &format!("a whole number from 0 to {most}")))
}

/// How often: a number, or two.
pub(super) fn times(key: &str, value: &DeValue<'_>, at: usize) -> Result<(u64, u64), Wrong> {
    const MOST: i64 = 10_000;
    let (low, high) = match value {
        DeValue::Array(_) => pair(key, value, at)?,
        single => integer(single).map(|times| (times, times)).unwrap_or((-1, -1)),
    };
    match (u64::try_from(low), u64::try_from(high)) {
        (Ok(low), Ok(high)) if high <= MOST as u64 => Ok((low, high)),
        _ => Err(Wrong::new(at, format_args!("'{key}' is a whole number up to {MOST}, or two: [1, 3]"))),
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

/// A number in thousandths; `None` where it has smaller parts, is too large, or is no number.
fn thousandths(value: &DeValue<'_>) -> Option<i64> {
    let text = match value {
        DeValue::Float(number) => number.as_str(),
        DeValue::Integer(_) => return integer(value)?.checked_mul(1_000),
        _ => return None,
    };
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let text = text.strip_prefix('+').unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let shift = exponent.parse::<i64>().ok()?.checked_add(3)?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let number = digits.parse::<i64>().ok()?;
    let factor = 10i64.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?)?;
    let number = match shift {
        0.. => number.checked_mul(factor)?,
        _ if number % factor == 0 => number / factor,
        _ => return None,
    };
    Some(sign * number)
}

/// Keys and values that are always the same.
pub(super) fn constants(key: &str, value: &DeValue<'_>, at: usize) -> Result<Vec<(String, Fixed)>, Wrong> {
    let DeValue::Table(table) = value else { return Err(Wrong::kind(key, at, "a table of keys and values")) };
    let mut out = Vec::new();
    Walk { table }.all(|key, value, at| {
        out.push((key.to_owned(), fixed(key, value, at)?));
        Ok(())
    })?;
    Ok(out)
}

/// Keys and how their values are made.
pub(super) fn attributes(
    key: &str,
    value: &DeValue<'_>,
    at: usize,
    shared: &Shared,
) -> Result<Vec<(String, Generator)>, Wrong> {
    let DeValue::Table(table) = value else { return Err(Wrong::kind(key, at, "a table of keys and values")) };
    let mut out = Vec::new();
    Walk { table }.all(|key, value, at| {
        out.push((key.to_owned(), generator(key, value, at, shared)?));
        Ok(())
    })?;
    Ok(out)
}

/// A value that is always the same.
fn fixed(key: &str, value: &DeValue<'_>, at: usize) -> Result<Fixed, Wrong> {
    match value {
        DeValue::String(text) if text.len() as u64 > LONGEST => {
            Err(Wrong::new(at, format_args!("'{key}' has {} bytes; 1MiB is allowed", text.len())))
        }
        DeValue::String(text) => Ok(Fixed::Text(text.to_string())),
        DeValue::Boolean(yes) => Ok(Fixed::Bool(*yes)),
        DeValue::Integer(_) => integer(value).map(Fixed::Int).ok_or_else(|| Wrong::kind(key, at, "a 64-bit number")),
        DeValue::Float(_) => thousandths(value).map(Fixed::Milli).ok_or_else(|| {
            Wrong::kind(key, at, "a finite number of whole thousandths (at most three digits behind the point)")
        }),
        _ => Err(Wrong::kind(key, at, "a text, a number, true or false")),
    }
}

/// Values of one type.
fn all_fixed(key: &str, items: &[toml::Spanned<DeValue<'_>>], at: usize) -> Result<Vec<Fixed>, Wrong> {
    let all: Vec<Fixed> =
        items.iter().map(|item| fixed(key, item.get_ref(), item.span().start)).collect::<Result<_, _>>()?;
    let same = |pair: &[Fixed]| matches!(pair, [a, b] if std::mem::discriminant(a) == std::mem::discriminant(b));
    if all.windows(2).all(same) {
        Ok(all)
    } else {
        Err(Wrong::new(at, format_args!("'{key}' has values of several types; a list has values of one")))
    }
}

const GENERATORS: [&str; 8] = ["int", "double", "pick", "uuid", "text", "chance", "list", "shared"];

fn generator(key: &str, value: &DeValue<'_>, at: usize, shared: &Shared) -> Result<Generator, Wrong> {
    match value {
        DeValue::Array(items) => all_fixed(key, items, at).map(Generator::Listed),
        DeValue::Table(table) => made(key, &Walk { table }, at, shared),
        DeValue::Datetime(_) => {
            Err(Wrong::kind(key, at, "a text, a number, true, false, a list, or a generator like { int = [1, 9] }"))
        }
        value => fixed(key, value, at).map(Generator::Fixed),
    }
}

/// A table with one generator in it.
fn made(key: &str, walk: &Walk<'_>, at: usize, shared: &Shared) -> Result<Generator, Wrong> {
    let (mut made, mut often) = (None, None);
    let known = [&GENERATORS[..], &["times"]].concat();
    walk.each(&known, |name, value, at| {
        if name == "times" {
            often = Some((times(name, value, at)?, at));
            return Ok(());
        }
        let generator = match name {
            "int" => pair(name, value, at).map(|(low, high)| Generator::IntBetween(low, high))?,
            "double" => doubles(name, value, at)?,
            "pick" => pick(name, value, at)?,
            "uuid" => Generator::Uuid(text(name, value, at)?.to_owned()),
            "text" => match number(name, value, at)? {
                bytes if bytes <= LONGEST => Generator::Words(bytes),
                bytes => return Err(Wrong::new(at, format_args!("'text' asks for {bytes} bytes; 1MiB is allowed"))),
            },
            "chance" => Generator::Chance(part(name, value, at)?),
            "list" => match generator(name, value, at, shared)? {
                Generator::List(..) | Generator::Listed(_) => {
                    return Err(Wrong::new(at, "a list of lists cannot be made"));
                }
                each => Generator::List(Box::new(each), (1, 3)),
            },
            _ => Generator::Shared(share(text(name, value, at)?, at, shared)?),
        };
        match made.replace((generator, name.to_owned())) {
            Some((_, first)) => {
                Err(Wrong::new(at, format_args!("'{key}' has two generators, '{first}' and '{name}'; it takes one")))
            }
            None => Ok(()),
        }
    })?;
    match (made, often) {
        (Some((Generator::List(each, _), _)), Some((times, _))) => Ok(Generator::List(each, times)),
        (_, Some((_, at))) => Err(Wrong::new(at, "'times' belongs to 'list'")),
        (Some((generator, _)), None) => Ok(generator),
        (None, None) => Err(Wrong::new(at, format_args!("'{key}' needs one of {}", GENERATORS.join(", ")))),
    }
}

fn share(name: &str, at: usize, shared: &Shared) -> Result<usize, Wrong> {
    shared.get(name).copied().ok_or_else(|| {
        let meant = nearest(name, shared.keys().map(String::as_str));
        let meant = meant.map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default();
        Wrong::new(at, format_args!("there is no '{name}' under [shared]{meant}"))
    })
}

fn pick(key: &str, value: &DeValue<'_>, at: usize) -> Result<Generator, Wrong> {
    let DeValue::Array(items) = value else { return Err(Wrong::kind(key, at, "a list of values to pick from")) };
    if items.is_empty() {
        return Err(Wrong::new(at, format_args!("'{key}' has nothing to pick from")));
    }
    all_fixed(key, items, at).map(Generator::Pick)
}

fn doubles(key: &str, value: &DeValue<'_>, at: usize) -> Result<Generator, Wrong> {
    let wanted = || {
        Wrong::new(
            at,
            format_args!("'{key}' has to be two numbers of whole thousandths, the smaller one first: [0.0, 1.0]"),
        )
    };
    let DeValue::Array(items) = value else { return Err(wanted()) };
    let numbers: Vec<i64> = items.iter().filter_map(|item| thousandths(item.get_ref())).collect();
    match numbers.as_slice() {
        [low, high] if low <= high && items.len() == 2 => Ok(Generator::MilliBetween(*low, *high)),
        _ => Err(wanted()),
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    fn read(value: &str) -> Result<Generator, String> {
        let text = format!("key = {value}");
        let table = DeTable::parse(&text).unwrap();
        let shared = Shared::from([("session".to_owned(), 0)]);
        let mut out = None;
        let read = Walk { table: table.get_ref() }.all(|key, value, at| {
            out = Some(generator(key, value, at, &shared)?);
            Ok(())
        });
        read.map(|()| out.unwrap()).map_err(|wrong| wrong.what)
    }

    #[test]
    fn values_are_read_as_what_they_are() {
        let int = |number| Fixed::Int(number);
        for (value, wanted) in [
            ("7", Generator::Fixed(int(7))),
            ("-0.25", Generator::Fixed(Fixed::Milli(-250))),
            ("1e3", Generator::Fixed(Fixed::Milli(1_000_000))),
            ("25e-2", Generator::Fixed(Fixed::Milli(250))),
            ("true", Generator::Fixed(Fixed::Bool(true))),
            ("[1, 2]", Generator::Listed(vec![int(1), int(2)])),
            ("{ pick = [1, 2] }", Generator::Pick(vec![int(1), int(2)])),
            ("{ double = [0, 1.5] }", Generator::MilliBetween(0, 1_500)),
            ("{ list = { int = [1, 2] }, times = 4 }", Generator::List(Box::new(Generator::IntBetween(1, 2)), (4, 4))),
            ("{ shared = \"session\" }", Generator::Shared(0)),
            ("{ text = \"1MiB\" }", Generator::Words(1 << 20)),
        ] {
            assert_eq!(read(value), Ok(wanted), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        for (value, wanted) in [
            ("{ int = [1, 2], pick = [1] }", "two generators"),
            ("{ pick = [] }", "nothing to pick from"),
            ("{ pick = [1, \"a\"] }", "several types"),
            ("{ text = 3000000 }", "1MiB is allowed"),
            ("{ chance = 0.0000001 }", "a millionth is the least"),
            ("{ int = [1, 2], times = 3 }", "belongs to 'list'"),
            ("{ list = [1] }", "list of lists"),
            ("{ shared = \"sesion\" }", "did you mean 'session'"),
            ("{ itn = [1, 2] }", "did you mean 'int'"),
            ("{}", "needs one of"),
            ("0.0001", "three digits"),
            ("inf", "finite"),
            ("2025-01-01", "a text, a number"),
        ] {
            let said = read(value).unwrap_err();
            assert!(said.contains(wanted), "{value}: {said}");
        }
    }
}

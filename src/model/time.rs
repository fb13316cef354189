//! Nanoseconds as people read and write them.
//!
//! Times are Unix nanoseconds in `u64`, as OTLP has them; zero means "not given".

use std::fmt;

use jiff::Timestamp;
use thiserror::Error;

/// A duration in nanoseconds that prints with three digits and a fitting unit: `812 ns`, `1.24 ms`, `12.3 s`, `2 m 05 s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

const MICRO: u64 = 1_000;
const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            n if n < MICRO => format!("{n} ns"),
            n if n < MILLI => scaled(n, MICRO, "µs"),
            n if n < SECOND => scaled(n, MILLI, "ms"),
            n if n < MINUTE => scaled(n, SECOND, "s"),
            n if n < HOUR => format!("{} m {:02} s", n / MINUTE, n % MINUTE / SECOND),
            n if n < DAY => format!("{} h {:02} m", n / HOUR, n % HOUR / MINUTE),
            n => format!("{} d {:02} h", n / DAY, n % DAY / HOUR),
        };
        f.pad(&text)
    }
}

/// Three significant digits, cut rather than rounded so that 999.9 µs never prints as 1000 µs.
fn scaled(nanos: u64, unit: u64, name: &str) -> String {
    let whole = nanos / unit;
    let rest = nanos % unit;
    match whole {
        0..=9 => format!("{whole}.{:02} {name}", rest / (unit / 100)),
        10..=99 => format!("{whole}.{} {name}", rest / (unit / 10)),
        _ => format!("{whole} {name}"),
    }
}

/// A Unix time in nanoseconds as RFC 3339 in UTC with milliseconds, or with nanoseconds when `exact`.
///
/// Every `u64` is a time that RFC 3339 can write (the last is in the year 2554).
pub fn timestamp(unix_nanos: u64, exact: bool) -> String {
    match Timestamp::from_nanosecond(i128::from(unix_nanos)) {
        Ok(time) if exact => format!("{time:.9}"),
        Ok(time) => format!("{time:.3}"),
        Err(_) => format!("{unix_nanos} ns"),
    }
}

/// Why a duration on the command line was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is not a duration (write it like 250ms, 1.5s, 15m or 2h)")]
pub struct DurationError {
    text: String,
}

/// Reads `250ms`, `1.5s`, `15m`, `2h`, `1d`, `300us`, `40ns`. A bare number has no unit and is refused, except `0`.
pub fn parse_duration(text: &str) -> Result<Nanos, DurationError> {
    let error = || DurationError { text: text.to_owned() };
    let trimmed = text.trim();
    if trimmed == "0" {
        return Ok(Nanos(0));
    }
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
    let (number, unit) = trimmed.split_at(digits);
    let unit = match unit.trim() {
        "ns" => 1,
        "us" | "µs" => MICRO,
        "ms" => MILLI,
        "s" => SECOND,
        "m" | "min" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return Err(error()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.len() > 9 {
        return Err(error());
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| error())? };
    let parts = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().map_err(|_| error())? };
    let scale = 10u64.pow(fraction.len().try_into().unwrap_or(9));
    let nanos = u128::from(whole) * u128::from(unit) + u128::from(parts) * u128::from(unit) / u128::from(scale);
    u64::try_from(nanos).map(Nanos).map_err(|_| error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_with_three_digits() {
        let cases = [
            (0, "0 ns"),
            (812, "812 ns"),
            (1_000, "1.00 µs"),
            (999_999, "999 µs"),
            (1_240_000, "1.24 ms"),
            (59_999_000_000, "59.9 s"),
            (125_000_000_000, "2 m 05 s"),
            (7_260_000_000_000, "2 h 01 m"),
            (90_000_000_000_000, "1 d 01 h"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn durations_are_read_as_written() {
        assert_eq!(parse_duration("250ms"), Ok(Nanos(250_000_000)));
        assert_eq!(parse_duration("1.5s"), Ok(Nanos(1_500_000_000)));
        assert_eq!(parse_duration(" 2h "), Ok(Nanos(7_200_000_000_000)));
        assert_eq!(parse_duration("0"), Ok(Nanos(0)));
        for wrong in ["", "5", "ms", "1.2.3s", "5 parsecs", "-1s", ".s", "99999999999d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_u64_is_a_printable_time() {
        assert_eq!(timestamp(1_700_000_000_123_456_789, false), "2023-11-14T22:13:20.123Z");
        assert_eq!(timestamp(1_700_000_000_123_456_789, true), "2023-11-14T22:13:20.123456789Z");
        assert!(timestamp(u64::MAX, true).starts_with("2554-"));
    }
}

//! How often something happens: requests that come in, spans that are sent.
//!
//! Comes in: a number and a unit of time. Goes out: when each is due, to the nanosecond and without drift. No floating point
//! is in it.

use std::str::FromStr;

/// Nanoseconds of a thousand hours.
const UNIT: u128 = 3_600_000_000_000_000;
/// Seconds of a thousand hours.
const SECONDS: u64 = 3_600_000;

/// So many in a thousand hours: thousandths per second, minute or hour are whole numbers of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

impl Rate {
    /// So many per second.
    pub const fn per_second(number: u64) -> Self {
        Self(number.saturating_mul(SECONDS))
    }

    /// Nanoseconds from the first to the one with this number, counted from 0.
    pub fn due(self, number: u64) -> u64 {
        u64::try_from(u128::from(number) * UNIT / u128::from(self.0.max(1))).unwrap_or(u64::MAX)
    }

    /// How many are due within so many nanoseconds.
    pub fn within(self, nanos: u64) -> u64 {
        u64::try_from((u128::from(nanos) * u128::from(self.0)).div_ceil(UNIT)).unwrap_or(u64::MAX)
    }
}

/// What a rate looks like.
const WANTED: &str = "a rate is written like 2/s, 0.5/s, 30/m or 100/h, and is more than 0 and at most 1000000/s";

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let (whole, fraction) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if fraction.len() > 3 || !digits(whole) || !digits(fraction) {
            return Err(WANTED);
        }
        let thousandths = format!("{whole}{fraction:0<3}").parse::<u64>().map_err(|_| WANTED)?;
        // Thousandths of a request in so many seconds are as many requests in a thousand times as many.
        let times = match unit.trim() {
            "s" | "sec" => 3_600,
            "m" | "min" => 60,
            "h" | "hour" => 1,
            _ => return Err(WANTED),
        };
        let rate = thousandths.checked_mul(times).map(Self).ok_or(WANTED)?;
        if rate.0 > 0 && rate <= Self::per_second(1_000_000) { Ok(rate) } else { Err(WANTED) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn rates_are_read_by_their_unit() {
        for (text, same) in
            [("2/s", "120/m"), ("2", "2/s"), ("0.5/s", "30/min"), ("3600/h", "1/s"), ("0.001/s", "3.6/h")]
        {
            assert_eq!(rate(text), rate(same), "{text}");
        }
        for wrong in
            ["", "0", "0/h", "x/s", "1/day", "-1/s", "0.0001/s", "1.-5/s", "1e3/s", "1000001/s", "99999999999999999/s"]
        {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_lost_to_rounding() {
        const HOUR: u64 = 3_600_000_000_000;
        for (text, hours, requests) in
            [("5/h", 100, 500), ("100/h", 100, 10_000), ("1/h", 3, 3), ("7/m", 1, 420), ("0.5/s", 1, 1800)]
        {
            assert_eq!(rate(text).within(hours * HOUR), requests, "{text}");
            assert_eq!(rate(text).due(requests), hours * HOUR, "{text}");
            assert!(rate(text).due(requests - 1) < hours * HOUR, "{text}");
        }
        assert_eq!((rate("2/s").within(0), rate("2/s").within(1), rate("2/s").due(u64::MAX)), (0, 1, u64::MAX));
    }
}

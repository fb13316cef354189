//! Numbers in the forms protojson allows and producers invent, on the cold path.
//!
//! Comes in: the characters of one number. Goes out: an integer read exactly (never through a float), or nothing.

/// An integer with its exact value: `-12`, `5893.0`, `1.5e18`, with surrounding blanks.
pub(super) fn integer(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (digits.get(..at)?, digits.get(at + 1..)?.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let significant = all.trim_end_matches('0');
    let zeros = i32::try_from(all.len() - significant.len()).ok()?.checked_add(shift)?;
    if significant.trim_start_matches('0').is_empty() {
        return all.bytes().all(|c| c.is_ascii_digit()).then_some(0);
    }
    let value = significant.parse::<u128>().ok().filter(|_| !significant.starts_with('+'))?;
    let scale = 10u128.checked_pow(u32::try_from(zeros).ok()?)?;
    let value = i128::try_from(value.checked_mul(scale)?).ok()?;
    Some(if negative { -value } else { value })
}

/// A time as text: RFC 3339, with or without the zone (then UTC), as Unix nanoseconds.
pub(super) fn time(text: &str) -> Option<u64> {
    let text = text.trim();
    let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    u64::try_from(stamp.as_nanosecond()).ok()
}

/// A double in the spellings of JSON and of those who extend it.
pub(super) fn double(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" | b"nan" => Some(f64::NAN),
        b"Infinity" | b"inf" | b"+Infinity" | b"+inf" | b"Inf" | b"+Inf" => Some(f64::INFINITY),
        b"-Infinity" | b"-inf" | b"-Inf" => Some(f64::NEG_INFINITY),
        _ => {
            let text = std::str::from_utf8(text).ok()?.trim();
            let plain = text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
            text.parse().ok().filter(|_| plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_in_every_form() {
        let cases: [(&str, Option<i128>); 16] = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("5893.0", Some(5893)),
            ("1e3", Some(1000)),
            ("1.5e18", Some(1_500_000_000_000_000_000)),
            ("1544712660000000000.0", Some(1_544_712_660_000_000_000)),
            ("9223372036854775807", Some(i128::from(i64::MAX))),
            ("-9223372036854775808", Some(i128::from(i64::MIN))),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("1200e-2", Some(12)),
            ("1.25", None),
            ("", None),
            ("e5", None),
            ("0x12", None),
            ("1e999999999", None),
            ("0e99999999", Some(0)),
        ];
        for (text, value) in cases {
            assert_eq!(integer(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn times_and_doubles_are_read_as_written() {
        assert_eq!(time("2023-11-14T22:13:20.123456Z"), Some(1_700_000_000_123_456_000));
        assert_eq!(time("2023-11-14T22:13:20"), Some(1_700_000_000_000_000_000));
        assert_eq!(time("yesterday"), None);
        assert_eq!(double(b"1.5"), Some(1.5));
        assert!(double(b"NaN").is_some_and(f64::is_nan));
        assert_eq!(double(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(double(b"infinity"), None);
    }
}

//! Points in time as people type them: RFC 3339, or a duration before now.
//!
//! Comes in: the text and the present time. Goes out: Unix nanoseconds.

use jiff::Timestamp;
use thiserror::Error;

use crate::model::parse_duration;

/// Why a time was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' {}", if *beyond { BEYOND } else { WRONG })]
pub struct MomentError {
    text: String,
    /// It is a time, but none that Unix nanoseconds can tell.
    beyond: bool,
}

const WRONG: &str = "is not a time (write it like 2026-03-01T12:00:00Z, or 15m for 15 minutes ago)";
const BEYOND: &str = "is out of range: traces can be from 1970 to 2554";

/// Reads `2026-03-01T12:00:00Z`, or `15m` as that long before `now` (Unix nanoseconds).
pub fn parse_moment(text: &str, now: u64) -> Result<u64, MomentError> {
    let error = |beyond| MomentError { text: text.to_owned(), beyond };
    if let Ok(ago) = parse_duration(text) {
        return Ok(now.saturating_sub(ago.0));
    }
    let time: Timestamp = text.trim().parse().map_err(|_| error(false))?;
    u64::try_from(time.as_nanosecond()).map_err(|_| error(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_back_from_now() {
        assert_eq!(parse_moment("15m", 1_000_000_000_000), Ok(100_000_000_000));
        assert_eq!(parse_moment("1970-01-01T00:00:02.5Z", 0), Ok(2_500_000_000));
        assert_eq!(parse_moment("1970-01-01T01:00:02+01:00", 0), Ok(2_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in ["", "yesterday", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "15"] {
            assert!(parse_moment(wrong, 0).is_err(), "{wrong}");
        }
    }
}

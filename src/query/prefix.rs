//! Ids as people type them: the first few hexadecimal digits.
//!
//! Comes in: what was typed. Goes out: a test on ids. Case and dashes do not matter.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::model::{SpanId, TraceId};

/// The beginning of a trace or span id, or a whole one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    digits: String,
    bits: u128,
}

/// Why an id was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is not an id (write 1 to 32 hexadecimal digits, like 4bf92f35)")]
pub struct PrefixError {
    text: String,
}

impl IdPrefix {
    /// Whether a trace id begins like this; a 64-bit one also without its leading zeros.
    pub fn fits_trace(&self, id: TraceId) -> bool {
        let digits = self.digits.len();
        let short = id.is_short() && digits <= 16 && id.0 >> (64 - 4 * digits) == self.bits;
        short || id.0 >> (128 - 4 * digits) == self.bits
    }

    /// Whether a span id begins like this.
    pub fn fits_span(&self, id: SpanId) -> bool {
        let digits = self.digits.len();
        digits <= 16 && u128::from(id.0) >> (64 - 4 * digits) == self.bits
    }

    /// The digits, in lower case.
    pub fn digits(&self) -> &str {
        &self.digits
    }
}

impl FromStr for IdPrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let error = || PrefixError { text: text.to_owned() };
        let digits: String = text.trim().chars().filter(|&c| c != '-').collect::<String>().to_ascii_lowercase();
        let hex = (1..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(&digits, 16).ok().filter(|_| hex).ok_or_else(error)?;
        Ok(Self { digits, bits })
    }
}

impl fmt::Display for IdPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_fits_what_begins_like_it() {
        let trace = TraceId(0x6513_270e_269e_0d37_f2a7_4de4_52e6_b438);
        let fits = |text: &str| text.parse::<IdPrefix>().unwrap().fits_trace(trace);
        assert!(fits("6") && fits("6513270E") && fits("6513270e-269e-0d37-f2a7-4de452e6b438"));
        assert!(!fits("7") && !fits("0"));
        let span = |text: &str| text.parse::<IdPrefix>().unwrap().fits_span(SpanId(0xab00_0000_0000_0001));
        assert!(span("ab") && span("ab00000000000001") && !span("ab000000000000010") && !span("b"));
    }

    #[test]
    fn what_is_not_hexadecimal_is_refused() {
        for wrong in ["", "xyz", "-", "+1", &"0".repeat(33)] {
            assert!(wrong.parse::<IdPrefix>().is_err(), "{wrong}");
        }
    }
}

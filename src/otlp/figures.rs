//! Fields of OTLP/JSON that hold numbers, in every form in which numbers have been seen.
//!
//! Comes in: a cursor at the field. Goes out: the number, exact. The form that OTLP/JSON has for a field is read at once; every other is
//! noted.

use super::cursor::{Cursor, Halt};
use super::number;
use super::trouble::TroubleKind;

impl Cursor<'_, '_> {
    /// An integer of at most 19 digits in OTLP/JSON's own form: what nearly all of them are.
    #[inline(always)]
    fn quick_integer(&mut self, quoted: bool) -> Option<i64> {
        let mut at = self.at + usize::from(quoted);
        let negative = self.bytes.get(at) == Some(&b'-');
        at += usize::from(negative);
        let from = at;
        let mut value = 0i64;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(at) {
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            at += 1;
        }
        let closed = match self.bytes.get(at) {
            Some(b'"') => quoted,
            Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r') => !quoted,
            _ => false,
        };
        if !closed || at == from || at - from > 18 + usize::from(value > 0) || at - from > 19 {
            return None;
        }
        if at - from == 19 && self.bytes.get(from) == Some(&b'9') {
            // May be more than an i64 holds: the slow way knows.
            return None;
        }
        self.at = at + usize::from(quoted);
        Some(if negative { -value } else { value })
    }

    /// A 64-bit unsigned field (times), quoted digits in the ordinary case.
    #[inline(always)]
    pub(super) fn unsigned_field(&mut self) -> Result<u64, Halt> {
        if self.peek()? == b'"'
            && let Some(value @ 0..) = self.quick_integer(true)
        {
            return Ok(value.unsigned_abs());
        }
        let value = self.loose_integer(true)?;
        u64::try_from(value).or_else(|_| {
            self.note(TroubleKind::BadNumber);
            Ok(0)
        })
    }

    /// A 64-bit signed field, quoted digits in the ordinary case.
    #[inline(always)]
    pub(super) fn signed_field(&mut self) -> Result<i64, Halt> {
        if self.peek()? == b'"'
            && let Some(value) = self.quick_integer(true)
        {
            return Ok(value);
        }
        let value = self.loose_integer(true)?;
        i64::try_from(value).or_else(|_| {
            self.note(TroubleKind::BadNumber);
            Ok(0)
        })
    }

    /// The number of an enum, which is open: any 32-bit number is kept.
    #[inline(always)]
    pub(super) fn number_of_enum(&mut self) -> Result<i32, Halt> {
        let value = match self.quick_integer(false) {
            Some(value) => i128::from(value),
            None => self.loose_integer(false)?,
        };
        i32::try_from(value).or_else(|_| {
            self.note(TroubleKind::BadNumber);
            Ok(0)
        })
    }

    /// A 32-bit field, bare digits in the ordinary case.
    #[inline(always)]
    pub(super) fn small_field(&mut self) -> Result<u32, Halt> {
        self.peek()?;
        let value = match self.quick_integer(false) {
            Some(value) => i128::from(value),
            None => self.loose_integer(false)?,
        };
        u32::try_from(value).or_else(|_| {
            self.note(TroubleKind::BadNumber);
            Ok(0)
        })
    }

    /// An integer in any form. `quoted` says which form is OTLP/JSON's own for the field.
    pub(super) fn loose_integer(&mut self, quoted: bool) -> Result<i128, Halt> {
        let first = self.peek()?;
        let began = self.at;
        let text = match first {
            b'"' => self.string()?.raw,
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'N' | b'I' => self.number()?,
            b'{' | b'[' => return self.number_pair(),
            _ => {
                if !self.null()? {
                    self.wrong()?;
                }
                return Ok(0);
            }
        };
        let plain = plain_integer(text);
        let long = || {
            text.iter().all(u8::is_ascii_digit)
                || matches!(text.split_first(), Some((b'-', rest)) if rest.iter().all(u8::is_ascii_digit))
        };
        if (first == b'"') != quoted || (plain.is_none() && !(text.len() > 18 && long())) {
            self.notes.add(TroubleKind::NumberForm, began);
        }
        Ok(plain.map_or_else(|| self.integer_of(text, began), i128::from))
    }

    fn integer_of(&mut self, text: &[u8], began: usize) -> i128 {
        if let Some(value) = number::integer(text) {
            return value;
        }
        if let Some(time) = std::str::from_utf8(text).ok().and_then(number::time) {
            self.notes.add(TroubleKind::TimeText, began);
            return i128::from(time);
        }
        self.notes.add(TroubleKind::BadNumber, began);
        0
    }

    /// `{"low":…,"high":…}` of old JavaScript exporters, or `[seconds,nanos]`.
    #[cold]
    fn number_pair(&mut self) -> Result<i128, Halt> {
        self.note(TroubleKind::NumberPair);
        if self.peek()? == b'[' {
            let mut parts = [0i128; 2];
            let mut count = 0;
            if self.enter(b'[', b']')? {
                loop {
                    let part = self.number()?;
                    if let Some(slot) = parts.get_mut(count) {
                        *slot = number::integer(part).unwrap_or(0);
                    }
                    count += 1;
                    if !self.more(b']')? {
                        break;
                    }
                }
            }
            return Ok(parts[0].saturating_mul(1_000_000_000).saturating_add(parts[1]));
        }
        let (mut low, mut high) = (0i128, 0i128);
        if self.enter(b'{', b'}')? {
            loop {
                let key = self.key()?;
                match key.raw {
                    b"low" => low = number::integer(self.number()?).unwrap_or(0),
                    b"high" => high = number::integer(self.number()?).unwrap_or(0),
                    _ => self.skip()?,
                }
                if !self.more(b'}')? {
                    break;
                }
            }
        }
        Ok(i128::from(high as i32 as u32) << 32 | i128::from(low as i32 as u32))
    }

    /// A double: a number, or `"NaN"`, `"Infinity"`, `"-Infinity"`, or quoted digits.
    pub(super) fn double(&mut self) -> Result<f64, Halt> {
        let first = self.peek()?;
        let began = self.at;
        let text = match first {
            b'"' => self.string()?.raw,
            _ => self.number()?,
        };
        Ok(number::double(text).unwrap_or_else(|| {
            self.notes.add(TroubleKind::BadNumber, began);
            0.0
        }))
    }
}

/// An integer of at most 18 digits and a minus sign: what nearly all of them are.
#[inline]
fn plain_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::cursor::tests::read;

    #[test]
    fn integers_are_read_in_every_form() {
        use TroubleKind::*;
        let cases = [
            ("\"1544712660000000000\" ", 1_544_712_660_000_000_000, vec![]),
            ("1544712660000000000 ", 1_544_712_660_000_000_000, vec![NumberForm]),
            ("1.5e18 ", 1_500_000_000_000_000_000, vec![NumberForm]),
            ("\"1.5e18\"", 1_500_000_000_000_000_000, vec![NumberForm]),
            ("{\"low\":-1,\"high\":1}", 0x1_ffff_ffff, vec![NumberPair]),
            ("[1,5]", 1_000_000_005, vec![NumberPair]),
            ("null", 0, vec![NullField]),
            ("\"\"", 0, vec![NumberForm, BadNumber]),
            ("-1 ", 0, vec![NumberForm, BadNumber]),
            ("\"2023-11-14T22:13:20Z\"", 1_700_000_000_000_000_000, vec![NumberForm, TimeText]),
            ("true", 0, vec![WrongType]),
        ];
        for (text, value, kinds) in cases {
            assert_eq!(read(text, |c| c.unsigned_field()), (Ok(value), kinds), "{text}");
        }
        assert_eq!(read("\"18446744073709551615\"", |c| c.unsigned_field()).0, Ok(u64::MAX));
        assert_eq!(read("\"-9223372036854775808\"", |c| c.signed_field()).0, Ok(i64::MIN));
    }
}

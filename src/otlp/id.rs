//! Trace and span ids in every spelling that producers have been seen to use.
//!
//! Comes in: the characters or bytes of an id. Goes out: its bits, and what was odd about it. An id that is none keeps an
//! identity of its own, derived from its spelling, so that spans still find each other.

use super::raw::{IdForm, RawId, Text};
use super::text;
use super::trouble::TroubleKind;

/// Bytes of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// 16 bytes.
    Trace,
    /// 8 bytes.
    Span,
}

impl Width {
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Trace => 16,
            Self::Span => 8,
        }
    }
}

/// The number that up to 32 hexadecimal digits spell.
#[inline(always)]
pub(super) fn hex(digits: &[u8]) -> Option<u128> {
    match digits.len() {
        32 => {
            let (high, low) = digits.split_at(16);
            Some(u128::from(hex16(high)?) << 64 | u128::from(hex16(low)?))
        }
        16 => hex16(digits).map(u128::from),
        _ => hex_any(digits),
    }
}

#[inline(always)]
fn hex16(digits: &[u8]) -> Option<u64> {
    let (high, low) = digits.split_at_checked(8)?;
    Some(u64::from(hex8(high)?) << 32 | u64::from(hex8(low)?))
}

/// Eight digits at once: every byte of a word is checked and turned into its value side by side.
#[inline(always)]
fn hex8(digits: &[u8]) -> Option<u32> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    let word = u64::from_le_bytes(digits.try_into().ok()?);
    let folded = word | (0x20 * EACH);
    let at_least = |word: u64, byte: u64| (word | TOP).wrapping_sub(byte * EACH) & TOP;
    let digit = at_least(word, 0x30) & !at_least(word, 0x3a);
    let letter = at_least(folded, 0x61) & !at_least(folded, 0x67);
    if (digit | letter) & !word & TOP != TOP {
        return None;
    }
    let nibbles = (word & (0x0f * EACH)) + 9 * (word >> 6 & EACH);
    let bytes = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    Some(((pairs | pairs >> 16) as u32).swap_bytes())
}

#[cold]
fn hex_any(digits: &[u8]) -> Option<u128> {
    if digits.len() > 32 {
        return None;
    }
    digits.iter().try_fold(0, |bits, &digit| Some(bits << 4 | u128::from((digit as char).to_digit(16)?)))
}

fn of_bits(bits: u128, spelling: &[u8]) -> RawId<'_> {
    RawId { bits, form: if bits == 0 { IdForm::Zero } else { IdForm::Whole }, spelling }
}

/// Reads an id that stands in JSON as text.
pub(super) fn of_text<'a>(text: Text<'a>, width: Width) -> (RawId<'a>, Option<TroubleKind>) {
    let spelling = text.raw;
    if spelling.is_empty() {
        return (RawId::default(), None);
    }
    let decoded = text.decode();
    let trimmed = decoded.trim();
    let plain = trimmed.strip_prefix("0x").or_else(|| trimmed.strip_prefix("0X"));
    let (digits, mut trouble) = match plain {
        Some(digits) => (digits.to_owned(), Some(TroubleKind::IdPrefix)),
        None => (trimmed.to_owned(), None),
    };
    let dashless = digits.replace('-', "");
    let digits = if dashless.len() < digits.len() && hex(dashless.as_bytes()).is_some() {
        trouble = Some(TroubleKind::IdDashed);
        dashless
    } else {
        digits
    };
    let (id, found) = of_digits(digits.as_bytes(), width, spelling);
    let zero = (id.form == IdForm::Zero).then_some(TroubleKind::IdZero);
    (id, zero.or(found).or(trouble))
}

fn of_digits<'a>(digits: &[u8], width: Width, spelling: &'a [u8]) -> (RawId<'a>, Option<TroubleKind>) {
    let wanted = width.bytes();
    if digits.len() <= 2 * wanted
        && let Some(bits) = hex(digits)
    {
        let whole = digits.len() == 2 * wanted;
        let id = of_bits(bits, spelling);
        return if whole || bits == 0 {
            (id, None)
        } else {
            (RawId { form: IdForm::Folded, ..id }, Some(TroubleKind::IdLength))
        };
    }
    if let Some(bits) = over_decoded(digits, wanted) {
        return (of_bits(bits, spelling), Some(TroubleKind::IdOverDecoded));
    }
    if let Some(bytes) = text::base64(digits) {
        if bytes.len() == wanted {
            return (of_bits(big_endian(&bytes), spelling), Some(TroubleKind::IdBase64));
        }
        if bytes.len() == 2 * wanted
            && let Some(bits) = hex(&bytes)
        {
            return (of_bits(bits, spelling), Some(TroubleKind::IdOverDecoded));
        }
    }
    // The same id as in protobuf, where these bytes stand for it.
    let bits = of_bytes(&proto_bytes(spelling), width).0.bits;
    let form = if bits == 0 { IdForm::Zero } else { IdForm::Folded };
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    (RawId { bits, form, spelling }, Some(if is_hex { TroubleKind::IdLength } else { TroubleKind::IdNotHex }))
}

/// What stands in protobuf for an id that is none: the bytes that its digits spell, or else its characters.
pub(super) fn proto_bytes(spelling: &[u8]) -> Vec<u8> {
    let trimmed = spelling.trim_ascii();
    let plain = trimmed.strip_prefix(b"0x").or_else(|| trimmed.strip_prefix(b"0X")).unwrap_or(trimmed);
    let digits: Vec<u8> = plain.iter().copied().filter(|c| *c != b'-').collect();
    let (odd, pairs) = digits.split_at(digits.len() % 2);
    let pairs = odd.chunks(1).chain(pairs.chunks(2));
    let bytes: Option<Vec<u8>> = pairs.map(|pair| hex(pair).and_then(|byte| u8::try_from(byte).ok())).collect();
    match bytes {
        Some(bytes) if bytes.is_empty() => vec![0],
        Some(bytes) => bytes,
        None => spelling.to_vec(),
    }
}

/// Undoes a gateway that took the hex text of an id for base64: 24 (or 12) bytes that encode back to 32 (16) hex digits.
fn over_decoded(digits: &[u8], wanted: usize) -> Option<u128> {
    if digits.len() != 3 * wanted || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let bytes: Vec<u8> = digits.chunks(2).filter_map(|pair| hex(pair).map(|byte| byte as u8)).collect();
    hex(text::to_base64(&bytes).as_bytes())
}

/// Reads an id that stands in protobuf as bytes.
#[inline]
pub(super) fn of_bytes(bytes: &[u8], width: Width) -> (RawId<'_>, Option<TroubleKind>) {
    if bytes.len() == width.bytes() {
        let id = of_bits(big_endian(bytes), bytes);
        return (id, (id.form == IdForm::Zero).then_some(TroubleKind::IdZero));
    }
    odd_bytes(bytes, width)
}

#[cold]
fn odd_bytes(bytes: &[u8], width: Width) -> (RawId<'_>, Option<TroubleKind>) {
    let wanted = width.bytes();
    if bytes.is_empty() {
        return (RawId::default(), None);
    }
    if bytes.len() == 2 * wanted
        && let Some(bits) = hex(bytes)
    {
        return (of_bits(bits, bytes), Some(TroubleKind::IdOverDecoded));
    }
    if 2 * bytes.len() == 3 * wanted
        && let Some(bits) = hex(text::to_base64(bytes).as_bytes())
    {
        return (of_bits(bits, bytes), Some(TroubleKind::IdOverDecoded));
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return (RawId { bits: 0, form: IdForm::Zero, spelling: bytes }, Some(TroubleKind::IdZero));
    }
    if bytes.len() < wanted {
        return (RawId { bits: big_endian(bytes), form: IdForm::Folded, spelling: bytes }, Some(TroubleKind::IdLength));
    }
    folded(bytes, TroubleKind::IdLength)
}

/// An id whose bits are made from its spelling (FNV-1a, 128 bits), never zero in either width.
fn folded(spelling: &[u8], trouble: TroubleKind) -> (RawId<'_>, Option<TroubleKind>) {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bits = spelling.iter().fold(BASIS, |bits, &byte| (bits ^ u128::from(byte)).wrapping_mul(PRIME));
    (RawId { bits: bits | 1, form: IdForm::Folded, spelling }, Some(trouble))
}

#[inline]
fn big_endian(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |bits, &byte| bits << 8 | u128::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITS: u128 = 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c;

    fn trace(text: &str) -> (u128, IdForm, Option<TroubleKind>) {
        let (id, trouble) = of_text(Text::known(text), Width::Trace);
        (id.bits, id.form, trouble)
    }

    #[test]
    fn every_spelling_of_one_id_has_the_same_bits() {
        use TroubleKind::*;
        let cases = [
            ("5b8efff798038103d269b633813fc60c", None),
            ("5B8EFFF798038103D269B633813FC60C", None),
            ("0x5b8efff798038103d269b633813fc60c", Some(IdPrefix)),
            ("5b8efff7-9803-8103-d269-b633813fc60c", Some(IdDashed)),
            ("W47/95gDgQPSabYzgT/GDA==", Some(IdBase64)),
            ("W47_95gDgQPSabYzgT_GDA", Some(IdBase64)),
            ("NWI4ZWZmZjc5ODAzODEwM2QyNjliNjMzODEzZmM2MGM=", Some(IdOverDecoded)),
        ];
        for (text, trouble) in cases {
            assert_eq!(trace(text), (BITS, IdForm::Whole, trouble), "{text}");
        }
        let twice: Vec<u8> = text::base64(b"5b8efff798038103d269b633813fc60c").unwrap();
        assert_eq!(of_bytes(&twice, Width::Trace).0.bits, BITS);
        let digits: String = twice.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(trace(&digits), (BITS, IdForm::Whole, Some(IdOverDecoded)));
        assert_eq!(of_bytes(b"5b8efff798038103d269b633813fc60c", Width::Trace).0.bits, BITS);
    }

    #[test]
    fn every_byte_is_a_digit_or_is_not() {
        for byte in 0..=255u8 {
            for at in 0..8 {
                let mut digits = *b"0123abCD";
                digits[at] = byte;
                let expected = std::str::from_utf8(&digits).ok().filter(|_| byte.is_ascii_hexdigit());
                assert_eq!(
                    hex8(&digits),
                    expected.and_then(|text| u32::from_str_radix(text, 16).ok()),
                    "{byte} at {at}"
                );
            }
        }
        assert_eq!((proto_bytes(b"abc"), proto_bytes(b"0000")), (vec![0x0a, 0xbc], vec![0, 0]));
        assert_eq!((proto_bytes(b"0x1-2"), proto_bytes(b"trace_1")), (vec![0x12], b"trace_1".to_vec()));
        assert_eq!(hex(b"fff"), Some(0xfff));
        assert_eq!(hex(&[b'1'; 33]), None);
    }

    #[test]
    fn odd_ids_keep_an_identity() {
        use TroubleKind::*;
        assert_eq!(trace("ABC"), (0xabc, IdForm::Folded, Some(IdLength)));
        assert_eq!(trace("1e223ff1f80f1c69"), (0x1e22_3ff1_f80f_1c69, IdForm::Folded, Some(IdLength)));
        assert_eq!(trace(&"0".repeat(32)), (0, IdForm::Zero, Some(IdZero)));
        assert_eq!(trace(""), (0, IdForm::Absent, None));
        let (bits, form, trouble) = trace("trace_001");
        assert!(bits != 0 && bits as u64 != 0);
        assert_eq!((form, trouble), (IdForm::Folded, Some(IdNotHex)));
        assert_ne!(bits, trace("trace_002").0);
        assert_eq!(of_bytes(&[0; 3], Width::Span).0.form, IdForm::Zero);
        assert_eq!(of_bytes(&[7, 1], Width::Span).0.bits, 0x701);
    }

    #[test]
    fn an_odd_id_is_the_same_in_protobuf() {
        let long = ["7f".repeat(20), "ab-".repeat(20), "a trace id of some words".to_owned(), "0".repeat(50)];
        let short = ["0xabc", "12-34", "trace_001", "VFJBQ0VJRDE=", "16 characters...", "-", "0x", "\u{e9}"];
        for spelling in short.into_iter().chain(long.iter().map(String::as_str)) {
            for width in [Width::Trace, Width::Span] {
                let (id, _) = of_text(Text::known(spelling), width);
                let bytes = proto_bytes(spelling.as_bytes());
                assert!(id.form == IdForm::Whole || of_bytes(&bytes, width).0.bits == id.bits, "{spelling}");
            }
        }
    }

    #[test]
    fn a_span_id_of_sixteen_hex_digits_is_never_base64() {
        let (id, trouble) = of_text(Text::plain(b"00f067aa0ba902b7"), Width::Span);
        assert_eq!((id.bits, trouble), (0x00f0_67aa_0ba9_02b7, None));
        let (id, trouble) = of_text(Text::plain(b"7uGbf+x9wZI="), Width::Span);
        assert_eq!((id.bits, trouble), (0xeee1_9b7f_ec7d_c192, Some(TroubleKind::IdBase64)));
    }
}

//! Escapes of JSON strings and base64, on the cold paths that need decoded text.
//!
//! Comes in: the bytes between two quotes. Goes out: text in which everything unreadable became U+FFFD.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use wide::u8x16;

const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);

/// A string with its escapes resolved, well-formed if it was so before: an escape stands for a whole character, and completes nothing
/// that is broken off in front of it.
pub(super) fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(stop) = plain_part(rest, &mut out) {
        let escape = rest.get(stop..).unwrap_or_default();
        let (c, length) = character(escape);
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => out.push(byte),
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    out
}

/// Appends everything in front of the first backslash, and says where that is. Escapes are often a few bytes apart.
#[inline]
fn plain_part(bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<16>();
    for (number, block) in blocks.iter().enumerate() {
        out.extend_from_slice(block);
        let stops = u8x16::new(*block).simd_eq(BACKSLASH).to_bitmask() & 0xffff;
        if stops != 0 {
            let stop = stops.trailing_zeros() as usize;
            out.truncate(out.len() - block.len() + stop);
            return Some(number * block.len() + stop);
        }
    }
    let stop = rest.iter().position(|&byte| byte == b'\\');
    out.extend_from_slice(rest.get(..stop.unwrap_or(rest.len())).unwrap_or_default());
    stop.map(|stop| bytes.len() - rest.len() + stop)
}

/// A string with its escapes resolved, in which everything that is no UTF-8 became U+FFFD.
pub(super) fn unescape_lossy(raw: &[u8]) -> String {
    String::from_utf8(unescape(raw)).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The length of [`unescape`] of well-formed text, without building it.
pub(super) fn unescaped_len(raw: &[u8]) -> usize {
    let mut length = raw.len();
    let mut rest = raw;
    while let Some(stop) = memchr::memchr(b'\\', rest) {
        let escape = rest.get(stop..).unwrap_or_default();
        let (c, taken) = character(escape);
        length = length + c.len_utf8() - taken;
        rest = escape.get(taken..).unwrap_or_default();
    }
    length
}

/// The character an escape stands for and how many bytes the escape takes (at least one).
fn character(escape: &[u8]) -> (char, usize) {
    let simple = match escape.get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(escape),
        Some(c) if c.is_ascii() => return (char::REPLACEMENT_CHARACTER, 2),
        _ => return (char::REPLACEMENT_CHARACTER, 1),
    };
    (simple, 2)
}

fn unicode(escape: &[u8]) -> (char, usize) {
    let Some(unit) = code_unit(escape) else { return (char::REPLACEMENT_CHARACTER, 2) };
    let low = if (0xd800..0xdc00).contains(&unit) { escape.get(6..).and_then(code_unit) } else { None };
    match low {
        Some(low @ 0xdc00..0xe000) => {
            let scalar = 0x1_0000 + ((u32::from(unit) - 0xd800) << 10) + (u32::from(low) - 0xdc00);
            (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
        _ => (char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
    }
}

/// The UTF-16 code unit of `\uXXXX` at the start of `escape`.
pub(super) fn code_unit(escape: &[u8]) -> Option<u16> {
    let (head, digits) = escape.get(..6)?.split_at(2);
    if head != b"\\u" {
        return None;
    }
    digits.iter().try_fold(0u16, |unit, &digit| Some(unit << 4 | (digit as char).to_digit(16)? as u16))
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Decodes base64, standard or URL-safe, padded or not.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Encodes base64, standard and padded.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_as_serde_json_does() {
        for text in [r#"a\n\t\"\\\/\b\f\r"#, r#"\u00e9\u20AC\ud83d\ude00z"#, "plain é €", r"\u0000"] {
            let expected: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(unescape_lossy(text.as_bytes()), expected);
            assert_eq!(unescaped_len(text.as_bytes()), expected.len());
        }
    }

    #[test]
    fn what_json_does_not_know_becomes_a_replacement() {
        assert_eq!(unescape_lossy(br"a\ud800b"), "a\u{fffd}b");
        assert_eq!(unescape_lossy(br"\ud800\u0041"), "\u{fffd}A");
        assert_eq!(unescape_lossy(br"\udc00"), "\u{fffd}");
        assert_eq!(unescape_lossy(br"\x41"), "\u{fffd}41");
        assert_eq!(unescape_lossy(br"\u12"), "\u{fffd}12");
        assert_eq!(unescape_lossy(b"\\"), "\u{fffd}");
        assert_eq!(unescape_lossy(b"\\\xc3\xa9"), "\u{fffd}é");
        assert_eq!(unescape_lossy(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn base64_is_read_in_every_spelling() {
        for text in ["+/+/", "-_-_"] {
            assert_eq!(base64(text.as_bytes()), Some(vec![0xfb, 0xff, 0xbf]));
        }
        assert_eq!(base64(b"AAE="), Some(vec![0, 1]));
        assert_eq!(base64(b"AAE"), Some(vec![0, 1]));
        assert_eq!(base64(b"*"), None);
    }
}

//! Text on its way out: decoded where it was escaped, escaped where JSON needs it.
//!
//! Comes in: text as it lies in the input. Goes out: UTF-8, in which everything that is none became U+FFFD.

use std::borrow::Cow;

use crate::otlp::ascii::{is_ascii, is_bare};
use crate::otlp::cursor::masks;
use crate::otlp::raw::Text;
use crate::otlp::text::unescape;

/// The text as UTF-8; nothing is copied where it is plain and well-formed.
#[inline]
pub(super) fn utf8<'a>(text: &Text<'a>) -> Cow<'a, str> {
    if !text.escaped
        && let Ok(plain) = simdutf8::basic::from_utf8(text.raw)
    {
        return Cow::Borrowed(plain);
    }
    text.decode()
}

/// The text as bytes of UTF-8, at once where it is known to be that.
#[inline(always)]
pub(super) fn utf8_bytes<'a>(text: &Text<'a>) -> Cow<'a, [u8]> {
    if text.sound && !text.escaped { Cow::Borrowed(text.raw) } else { checked_bytes(text) }
}

fn checked_bytes<'a>(text: &Text<'a>) -> Cow<'a, [u8]> {
    match text.escaped {
        true if text.sound => return Cow::Owned(unescape(text.raw)),
        false if is_ascii(text.raw) => return Cow::Borrowed(text.raw),
        _ => {}
    }
    match utf8(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Appends a text as a JSON string, quotes included.
#[inline]
pub(super) fn push_text(out: &mut Vec<u8>, text: &Text<'_>) {
    if text.escaped || !is_bare(text.raw) {
        return quoted(out, &utf8(text));
    }
    out.reserve(text.raw.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.raw);
    out.push(b'"');
}

/// For each byte what follows the backslash: 0 where none is needed, `u` for four digits.
static ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = b'u';
        control += 1;
    }
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[0x08] = b'b';
    table[0x0c] = b'f';
    table
};

/// Appends a JSON string, quotes included.
pub(super) fn quoted(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(stop) = first_escaped(rest) {
        let (plain, tail) = rest.split_at(stop);
        out.extend_from_slice(plain);
        let Some((&byte, tail)) = tail.split_first() else { break };
        match ESCAPES[usize::from(byte)] {
            b'u' => out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]),
            escape => out.extend_from_slice(&[b'\\', escape]),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Where the first byte is that needs an escape.
#[inline]
fn first_escaped(bytes: &[u8]) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<32>();
    for (number, block) in blocks.iter().enumerate() {
        let (stops, _) = masks(block);
        if stops != 0 {
            return Some(number * 32 + stops.trailing_zeros() as usize);
        }
    }
    let (words, _) = rest.as_chunks::<8>();
    let plain = words.iter().take_while(|word| is_plain(u64::from_le_bytes(**word))).count() * 8;
    let at = rest.get(plain..)?.iter().position(|byte| ESCAPES[usize::from(*byte)] != 0)?;
    Some(blocks.len() * 32 + plain + at)
}

/// Whether none of eight bytes is a quote, a backslash or a control character. A byte beyond ASCII is none of them.
#[inline]
fn is_plain(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // A zero byte borrows from its highest bit. The borrow may run on into higher bytes, where it says too much, never too little.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c)) | controls) & HIGH == 0
}

/// The two digits of every number below a hundred.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Appends a number in decimal digits.
#[inline]
pub(super) fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [[0; 2]; 10];
    let mut pairs = 0;
    for place in digits.iter_mut().rev() {
        *place = PAIRS[(number % 100) as usize];
        number /= 100;
        pairs += 1;
        if number == 0 {
            break;
        }
    }
    let digits = digits.as_flattened();
    let from = digits.len() - 2 * pairs;
    let from = from + usize::from(digits.get(from) == Some(&b'0') && from + 1 < digits.len());
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// The last hexadecimal digit of a number, in lower case.
#[inline]
pub(super) fn digit(number: u8) -> u8 {
    match number & 0xf {
        number @ 0..=9 => b'0' + number,
        number => b'a' + number - 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_as_serde_json_does() {
        let long = format!("{}\"{}\u{1f}\u{20}é\u{7f}\\", "plain text ".repeat(9), "é".repeat(40));
        for text in ["", "plain", &long, "a\"b\\c/d", "\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}", "é € 😀 \u{fffd}", "ends\n"]
        {
            let mut out = Vec::new();
            quoted(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 9, 10, 1_544_712_660_000_000_000, u64::MAX] {
            let mut out = Vec::new();
            push_decimal(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
        for at in 0..100 {
            let text = format!("{}\n{}", "x".repeat(at), "é".repeat(50));
            assert_eq!(first_escaped(text.as_bytes()), Some(at));
        }
        assert_eq!(first_escaped("é".repeat(100).as_bytes()), None);
    }

    #[test]
    fn what_is_no_text_becomes_a_replacement() {
        assert_eq!(utf8(&Text::plain(b"a\xffb")), "a\u{fffd}b");
        assert_eq!(utf8(&Text::json(br"a\ud800\n", true)), "a\u{fffd}\n");
        assert!(matches!(utf8(&Text::plain(b"plain")), Cow::Borrowed("plain")));
    }
}

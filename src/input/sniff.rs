//! What bytes are, told from their content: compression, then format. Names and endings are never looked at.

use crate::otlp::Framing;

/// Compression around an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, one member or many (RFC 1952).
    Gzip,
    /// zstd, one frame or many (RFC 8878).
    Zstd,
    /// Every message a zstd frame of its own behind its length: the collector's file exporter with `compression: zstd`.
    ZstdMessages,
}

impl Compression {
    /// The name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::ZstdMessages => "zstd-messages",
        }
    }

    /// The compression that data beginning like this is in.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A skippable zstd frame, as seekable archives begin with.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [_, _, _, _, 0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::ZstdMessages),
            _ => None,
        }
    }
}

/// The format of decompressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON of any kind, perhaps between lines of text.
    Json,
    /// OTLP/protobuf.
    Proto(Framing),
    /// Text in UTF-16, which nothing on the wire is.
    Utf16,
    /// Nothing at all.
    Empty,
    /// Something else.
    Unknown,
}

/// Tells the format from the beginning of the data. `whole` says that nothing follows `head`.
pub fn sniff(head: &[u8], whole: bool) -> Format {
    if head.is_empty() {
        return Format::Empty;
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Format::Utf16;
    }
    let text = behind_blanks(head);
    let Some(first) = text.first() else {
        // More blanks than are looked at may stand before text; a message of protobuf does not begin with so many.
        return if whole { Format::Empty } else { Format::Json };
    };
    if begins_object(text) {
        return Format::Json;
    }
    // A newline is also the first byte of nearly every protobuf message, so the other reading is tried first.
    if let Some(framing) = framing(head, whole) {
        return Format::Proto(framing);
    }
    match first {
        b'{' | b'[' => Format::Json,
        _ if looks_like_text(text) => Format::Json,
        _ => Format::Unknown,
    }
}

/// What follows the blanks, NULs, commas and byte order marks at the beginning.
fn behind_blanks(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e | 0, rest @ ..] | [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            _ => return bytes,
        };
    }
}

/// Whether this is an object, perhaps in an array, with a first key and its colon: no message of protobuf that began with blanks
/// reads like that.
fn begins_object(bytes: &[u8]) -> bool {
    const KEY: usize = 128;
    let inner = bytes.strip_prefix(b"[").unwrap_or(bytes).trim_ascii_start();
    let Some(key) = inner.strip_prefix(b"{").and_then(|member| member.trim_ascii_start().strip_prefix(b"\"")) else {
        return false;
    };
    let Some(end) = key.iter().take(KEY).position(|c| *c == b'"' || *c < 0x20) else { return false };
    let behind = key.get(end..).and_then(|key| key.strip_prefix(b"\""));
    behind.is_some_and(|behind| behind.trim_ascii_start().first().is_none_or(|c| *c == b':'))
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let sample = bytes.get(..4096).unwrap_or(bytes);
    let odd = sample.iter().filter(|c| **c < 0x20 && !matches!(c, b'\t' | b'\n' | b'\r' | 0x1b)).count();
    odd == 0
}

/// The framing in which these bytes begin like OTLP/protobuf.
fn framing(head: &[u8], whole: bool) -> Option<Framing> {
    if message(head, whole) {
        return Some(Framing::None);
    }
    if let Some((prefix, rest)) = head.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*prefix) as usize;
        let fits = rest.len() >= length || !whole || length < 1 << 30;
        if length > 0 && fits && prefix[0] < 0x40 && message(rest.get(..length).unwrap_or(rest), rest.len() >= length) {
            return Some(Framing::Length32);
        }
    }
    let (length, used) = varint(head)?;
    let rest = head.get(used..)?;
    let length = usize::try_from(length).ok()?;
    let ends = rest.len() >= length;
    (length > 0 && message(rest.get(..length).unwrap_or(rest), ends)).then_some(Framing::Varint)
}

/// Whether these bytes begin with a ResourceSpans in field 1, as its inner fields tell.
fn message(bytes: &[u8], whole: bool) -> bool {
    let Some((b"\x0a", rest)) = bytes.split_at_checked(1) else { return false };
    let Some((length, used)) = varint(rest) else { return false };
    let Some(rest) = rest.get(used..) else { return false };
    let Ok(length) = usize::try_from(length) else { return false };
    if whole && length > rest.len() {
        // Cut off, or not protobuf: the inner fields decide.
        return length < 1 << 32 && group(rest);
    }
    match rest.get(..length) {
        Some(inner) => group(inner) && rest.get(length).is_none_or(|next| begins_field(*next) || !whole),
        None => group(rest),
    }
}

/// Whether a field of a request may begin with this byte: another ResourceSpans, or one of a later version.
fn begins_field(byte: u8) -> bool {
    byte >> 3 > 0 && matches!(byte & 7, 0 | 1 | 2 | 5)
}

/// Whether these bytes begin like a ResourceSpans: a resource, a ScopeSpans, a schema URL or the legacy field 1000.
fn group(bytes: &[u8]) -> bool {
    let Some((key, used)) = varint(bytes) else { return bytes.is_empty() };
    if !matches!(key, 0x0a | 0x12 | 0x1a | 0x1f42) {
        return false;
    }
    let Some((length, more)) = bytes.get(used..).and_then(varint) else { return false };
    let Some(inner) = bytes.get(used + more..) else { return false };
    match (key, inner.first()) {
        (_, None) => true,
        _ if length == 0 => true,
        (0x0a, Some(first)) => matches!(first, 0x0a | 0x10 | 0x1a),
        (0x1a, Some(first)) => first.is_ascii(),
        (_, Some(first)) => matches!(first, 0x0a | 0x12 | 0x1a),
    }
}

/// A varint at the start of the bytes and its length.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if *byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_content() {
        let message = b"\x0a\x08\x0a\x02\x0a\x00\x12\x02\x12\x00";
        let mut framed = (message.len() as u32).to_be_bytes().to_vec();
        framed.extend_from_slice(message);
        let mut delimited = vec![message.len() as u8];
        delimited.extend_from_slice(message);
        let cases: [(&[u8], Format); 12] = [
            (b"", Format::Empty),
            (b" \n\n", Format::Empty),
            (b"\n{\"resourceSpans\":[]}", Format::Json),
            (b"\xef\xbb\xbf[{}]", Format::Json),
            (b"INFO starting\n{\"resourceSpans\":[]}", Format::Json),
            (b"\n\n\n", Format::Empty),
            (message, Format::Proto(Framing::None)),
            (&framed, Format::Proto(Framing::Length32)),
            (&delimited, Format::Proto(Framing::Varint)),
            (b"\xff\xfe{\0\"\0", Format::Utf16),
            (b"\x7fELF\x02\x01\x01\0\0\0", Format::Unknown),
            (b"\x89PNG\r\n\x1a\n\0\0", Format::Unknown),
        ];
        for (bytes, format) in cases {
            assert_eq!(sniff(bytes, true), format, "{bytes:?}");
        }
    }

    #[test]
    fn what_stands_before_json_is_passed_over() {
        let json = b"{\"resourceSpans\":[]}";
        let blanks: [&[u8]; 7] = [b"\n", b"\r\n\r\n", b"\0\0\0", b" \t", b"\xef\xbb\xbf", b"\n\xef\xbb\xbf", b"\0\n"];
        for blank in blanks {
            for times in 1..60 {
                for (text, whole) in [([&blank.repeat(times), &json[..]].concat(), true), (blank.repeat(times), false)]
                {
                    assert_eq!(sniff(&text, whole), Format::Json, "{}", text.escape_ascii());
                }
            }
        }
        // A message that begins like a line break and a brace is still a message.
        let attribute = [&b"\x0a\x20\x0a\x0cservice.name\x12\x10\x0a\x0e"[..], b"a name of these"].concat();
        let resource = [&b"\x0a\x22"[..], &attribute[..34]].concat();
        let message = [&b"\x0a\x7b"[..], &resource, b"\x12\x55\x12\x53\x2a\x51", &[b'n'; 81]].concat();
        assert_eq!(sniff(&message, true), Format::Proto(Framing::None));
    }

    #[test]
    fn compression_is_told_by_its_magic() {
        assert_eq!(Compression::of(b"\x1f\x8b\x08\0"), Some(Compression::Gzip));
        assert_eq!(Compression::of(b"\x28\xb5\x2f\xfd"), Some(Compression::Zstd));
        assert_eq!(Compression::of(b"\0\0\x01\x02\x28\xb5\x2f\xfd"), Some(Compression::ZstdMessages));
        assert_eq!(Compression::of(b"{}"), None);
    }
}

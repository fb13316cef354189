//! Reports as JSON: indented, in the order of their fields, one document, a line break at the end.
//!
//! Comes in: anything serializable. Goes out: bytes. Nothing is cut. Characters that could act on a terminal are written as
//! `\u` escapes, which mean the same to every JSON reader.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::ink::acts;

/// Writes a report as one JSON document.
pub fn write_json(report: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = out;
    let mut serializer = Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new()));
    report.serialize(&mut serializer).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Writes a value as JSON without any white space.
pub(super) fn write_compact(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = out;
    let mut serializer = Serializer::with_formatter(&mut out, Harmless(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Writes a report as one line of JSON.
pub(super) fn write_json_line(report: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    write_compact(report, out)?;
    out.write_all(b"\n")
}

/// A text with what acts on a terminal as `\u` escapes, but for line breaks and tabs.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let acting = |c: char| acts(c) && !matches!(c, '\n' | '\t');
    if !text.contains(acting) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acting(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Lays out as another formatter does, and escapes what acts on a terminal.
struct Harmless<F>(F);

impl<F: Formatter> Formatter for Harmless<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut done = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| acts(*c)) {
            out.write_all(fragment.get(done..at).unwrap_or_default().as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            done = at + c.len_utf8();
        }
        out.write_all(fragment.get(done..).unwrap_or_default().as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_and_acts_on_nothing() {
        let report =
            serde_json::json!({"name": "a\u{1b}[2J\u{9b}31m\u{202e}b\u{e0001}é\n\"", "empty": [], "n": [1, 2]});
        let mut out = Vec::new();
        write_json(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), report);
        assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text}");
        assert!(text.contains("\\u009b") && text.contains("\\udb40\\udc01") && text.contains('é'));
    }
}

//! The form of what `tracectl emit` writes: how requests follow each other, and what is around them.
//!
//! Comes in: requests, one after another. Goes out: JSON Lines, one JSON document, or protobuf messages behind their lengths,
//! compressed or not. Every form is one that this program reads.

use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use super::nearest::meant_of;
use crate::emit::Batch;
use crate::otlp::{Encoding, Form as Whole, Layout, Packing};

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form(Whole);

/// Names of forms: short ones, and those that `convert` has as well.
const NAMES: [(&str, Layout); 7] = [
    ("jsonl", Layout::Lines),
    ("otlp-jsonl", Layout::Lines),
    ("json", Layout::Document),
    ("otlp-json", Layout::Document),
    ("pb", Layout::Framed),
    ("otlp-proto-framed", Layout::Framed),
    ("otlp-proto", Layout::Single),
];

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, packing) = match text.rsplit_once('.') {
            Some((name, "gz")) => (name, Packing::Gzip),
            Some((name, "zst")) => (name, Packing::Zstd),
            _ => (text, Packing::None),
        };
        let layout = NAMES.iter().find(|(known, _)| *known == name).map(|(_, layout)| *layout);
        layout.map(|layout| Self(Whole { layout, packing })).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name);
            format!("a form is one of {}, each also with .gz or .zst{}", names.join(", "), meant_of(name, names))
        })
    }
}

impl Form {
    /// JSON Lines.
    pub(super) const LINES: Self = Self(Whole::LINES);

    /// The form that a file's name asks for, if it asks for one.
    pub(super) fn of(path: &Path) -> Option<Self> {
        Whole::of(path).map(Self)
    }

    /// The same with a request a line instead of one document.
    pub(super) fn streamed(self) -> Self {
        Self(self.0.streamed())
    }

    /// Whether a terminal can show it.
    pub(super) fn is_text(self) -> bool {
        self.0.is_text()
    }

    /// How requests are encoded in it.
    pub(super) fn encoding(self) -> Encoding {
        self.0.encoding()
    }

    /// Writes requests. `swap` takes back the one before and gives the next.
    pub(super) fn write(self, mut swap: impl FnMut(Batch) -> Option<Batch>, out: &mut dyn Write) -> io::Result<()> {
        self.packed(out, &mut |out| write_batches(self.0.layout, &mut swap, out))
    }

    /// Writes something compressed as the form says.
    pub(super) fn packed(
        self,
        out: &mut dyn Write,
        draw: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        self.0.packing.write(out, draw)
    }
}

/// What every JSON request begins and ends with.
const HEAD: &[u8] = b"{\"resourceSpans\":[";
const TAIL: &[u8] = b"]}";

fn write_batches(layout: Layout, swap: &mut dyn FnMut(Batch) -> Option<Batch>, out: &mut dyn Write) -> io::Result<()> {
    let (mut torn, mut first, mut spent) = (None, true, Batch::default());
    if layout == Layout::Document {
        out.write_all(HEAD)?;
    }
    while let Some(batch) = swap(std::mem::take(&mut spent)) {
        let bytes = batch.bytes.as_slice();
        let part = batch.torn();
        match layout {
            Layout::Lines => {
                out.write_all(bytes)?;
                out.write_all(b"\n")?;
                if let Some(part) = part {
                    out.write_all(part)?;
                    out.write_all(b"\n")?;
                }
            }
            Layout::Document => {
                let inner = bytes.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix(TAIL)).unwrap_or_default();
                out.write_all(if first { b"" } else { b"," })?;
                out.write_all(inner)?;
                torn = torn.or(part.map(<[u8]>::to_vec));
            }
            // Messages one after another are one message.
            Layout::Single => {
                out.write_all(bytes)?;
                torn = torn.or(part.map(<[u8]>::to_vec));
            }
            Layout::Framed => {
                framed(bytes, bytes.len(), out)?;
                if let Some(part) = part {
                    // The length says how much is left of the message, so that what comes behind is found again.
                    framed(part, part.len(), out)?;
                }
            }
        }
        (first, spent) = (false, batch);
    }
    match (layout, torn) {
        // A document can be cut off at its end only, and so can a message.
        (Layout::Document, Some(part)) => {
            out.write_all(b",")?;
            out.write_all(part.get(HEAD.len()..).unwrap_or_default())
        }
        (Layout::Single, Some(part)) => out.write_all(&part),
        (Layout::Document, None) => {
            out.write_all(TAIL)?;
            out.write_all(b"\n")
        }
        _ => Ok(()),
    }
}

fn framed(bytes: &[u8], length: usize, out: &mut dyn Write) -> io::Result<()> {
    let length = u32::try_from(length).map_err(|_| io::Error::other("a request is larger than 4 GiB"))?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ask_for_forms() {
        let form = Form(Whole { layout: Layout::Framed, packing: Packing::Gzip });
        assert_eq!("pb.gz".parse::<Form>().ok(), Some(form));
        assert!("jsnl".parse::<Form>().unwrap_err().contains("did you mean 'jsonl'"));
    }

    #[test]
    fn a_document_is_one_document() {
        let batch = |text: &str| Batch { bytes: text.as_bytes().to_vec(), ..Batch::default() };
        let mut batches =
            [batch(r#"{"resourceSpans":[{"a":1}]}"#), batch(r#"{"resourceSpans":[{"b":2}]}"#)].into_iter();
        let mut out = Vec::new();
        Form(Whole { layout: Layout::Document, packing: Packing::None }).write(|_| batches.next(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\"resourceSpans\":[{\"a\":1},{\"b\":2}]}\n");
    }
}

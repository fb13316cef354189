//! The form of what `tracectl emit` writes: how requests follow each other, and what is around them.
//!
//! Comes in: requests, one after another. Goes out: JSON Lines, one JSON document, or protobuf messages behind their lengths,
//! compressed or not. Every form is one that this program reads.

use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::nearest::nearest;
use crate::convert::{Form as Whole, Layout, Packing};
use crate::emit::Batch;
use crate::otlp::Encoding;

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
            let meant = nearest(name, names).map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default();
            format!("a form is one of {}, each also with .gz or .zst{meant}", names.join(", "))
        })
    }
}

impl Form {
    /// JSON Lines.
    pub(super) const LINES: Self = Self(Whole::LINES);

    /// The form that a file's name asks for, if it asks for one.
    pub(super) fn of(path: &Path) -> Option<Self> {
        form_of(path).map(Self)
    }

    /// The same with a request a line instead of one document.
    pub(super) fn streamed(self) -> Self {
        let layout = if self.0.layout == Layout::Document { Layout::Lines } else { self.0.layout };
        Self(Whole { layout, ..self.0 })
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
        match self.0.packing {
            Packing::None => draw(out),
            Packing::Gzip => {
                let mut packed = GzEncoder::new(out, flate2::Compression::fast());
                draw(&mut packed)?;
                packed.finish().map(drop)
            }
            Packing::Zstd => {
                let mut packed = ZstdEncoder::new(out, 3)?;
                draw(&mut packed)?;
                packed.finish().map(drop)
            }
        }
    }
}

/// What every JSON request begins and ends with.
const HEAD: &[u8] = b"{\"resourceSpans\":[";
const TAIL: &[u8] = b"]}";

/// The form that a file's name asks for, if it asks for one.
pub(super) fn form_of(path: &Path) -> Option<Whole> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let (stem, packing) = match name.rsplit_once('.') {
        Some((stem, "gz")) => (stem, Packing::Gzip),
        Some((stem, "zst" | "zstd")) => (stem, Packing::Zstd),
        _ => (name.as_str(), Packing::None),
    };
    let layout = match stem.rsplit_once('.').map(|(_, extension)| extension) {
        Some("jsonl" | "ndjson") => Layout::Lines,
        Some("json") => Layout::Document,
        Some("pb" | "proto" | "binpb" | "otlp" | "bin") => Layout::Framed,
        _ if packing == Packing::None => return None,
        _ => Layout::Lines,
    };
    Some(Whole { layout, packing })
}

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
                if batch.torn {
                    out.write_all(part)?;
                    out.write_all(b"\n")?;
                }
            }
            Layout::Document => {
                let inner = bytes.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix(TAIL)).unwrap_or_default();
                out.write_all(if first { b"" } else { b"," })?;
                out.write_all(inner)?;
                torn = torn.or(batch.torn.then(|| part.to_vec()));
            }
            // Messages one after another are one message.
            Layout::Single => {
                out.write_all(bytes)?;
                torn = torn.or(batch.torn.then(|| part.to_vec()));
            }
            Layout::Framed => {
                framed(bytes, bytes.len(), out)?;
                if batch.torn {
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
        let form = |layout, compression| Some(Form(Whole { layout, packing: compression }));
        let cases = [
            ("a.jsonl", form(Layout::Lines, Packing::None)),
            ("a.json", form(Layout::Document, Packing::None)),
            ("a.pb.zst", form(Layout::Framed, Packing::Zstd)),
            ("a.gz", form(Layout::Lines, Packing::Gzip)),
            ("a", None),
            ("a.txt", None),
        ];
        for (name, wanted) in cases {
            assert_eq!(Form::of(Path::new(name)), wanted, "{name}");
        }
        assert_eq!("pb.gz".parse::<Form>().ok(), form(Layout::Framed, Packing::Gzip));
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

//! The forms of OTLP in files: how requests follow each other, and what is around them.
//!
//! Comes in: the name of a file, or bytes. Goes out: the form that the name asks for, or the bytes compressed as a form says. Whatever
//! is written under a name here is read again by whoever opens it.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use crate::otlp::encoding::Encoding;

/// The level of zstd for files.
const ZSTD: i32 = 3;

/// How requests follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A request a line.
    Lines,
    /// One document.
    Document,
    /// Each request behind its length in four bytes, big-endian.
    Framed,
    /// One request.
    Single,
}

/// Compression around a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Packing {
    /// None.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Packing {
    /// What the end of a file's name asks for, and the name before it.
    pub fn of(name: &str) -> (&str, Self) {
        match name.rsplit_once('.') {
            Some((stem, end)) if end.eq_ignore_ascii_case("gz") => (stem, Self::Gzip),
            Some((stem, end)) if ["zst", "zstd"].iter().any(|zstd| end.eq_ignore_ascii_case(zstd)) => {
                (stem, Self::Zstd)
            }
            _ => (name, Self::None),
        }
    }

    /// How names of such files end: `.gz`, or nothing.
    pub fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// Writes what `draw` draws, compressed: one member of gzip, one frame of zstd.
    pub fn write<T, E: From<io::Error>>(
        self,
        out: &mut dyn Write,
        draw: impl FnOnce(&mut dyn Write) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::None => draw(out),
            Self::Gzip => {
                let mut packed = GzEncoder::new(out, Compression::fast());
                let drawn = draw(&mut packed)?;
                packed.finish()?;
                Ok(drawn)
            }
            Self::Zstd => {
                let mut packed = ZstdEncoder::new(out, ZSTD)?;
                let drawn = draw(&mut packed)?;
                packed.finish()?;
                Ok(drawn)
            }
        }
    }
}

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// How requests follow each other.
    pub layout: Layout,
    /// What is around them.
    pub packing: Packing,
}

impl Form {
    /// JSON Lines.
    pub const LINES: Self = Self { layout: Layout::Lines, packing: Packing::None };

    /// The form that a file's name asks for, if it asks for one. What is only said to be compressed holds JSON Lines.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let (stem, packing) = Packing::of(&name);
        let layout = match stem.rsplit_once('.').map(|(_, extension)| extension) {
            Some("jsonl" | "ndjson") => Layout::Lines,
            Some("json") => Layout::Document,
            Some("pb" | "proto" | "binpb" | "otlp" | "bin") => Layout::Framed,
            _ if packing == Packing::None => return None,
            _ => Layout::Lines,
        };
        Some(Self { layout, packing })
    }

    /// How requests are encoded in it.
    pub fn encoding(self) -> Encoding {
        match self.layout {
            Layout::Lines | Layout::Document => Encoding::Json,
            Layout::Framed | Layout::Single => Encoding::Proto,
        }
    }

    /// Whether a terminal can show it.
    pub fn is_text(self) -> bool {
        self.encoding() == Encoding::Json && self.packing == Packing::None
    }

    /// The same where messages are added one by one: a request a line instead of one document.
    pub fn streamed(self) -> Self {
        let layout = if self.layout == Layout::Document { Layout::Lines } else { self.layout };
        Self { layout, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn names_ask_for_forms() {
        let form = |layout, packing| Some(Form { layout, packing });
        let cases = [
            ("a.jsonl", form(Layout::Lines, Packing::None)),
            ("a.json", form(Layout::Document, Packing::None)),
            ("b.c/a.PB.zst", form(Layout::Framed, Packing::Zstd)),
            ("a.otlp.zstd", form(Layout::Framed, Packing::Zstd)),
            ("a.gz", form(Layout::Lines, Packing::Gzip)),
            ("a", None),
            ("a.txt", None),
        ];
        for (name, wanted) in cases {
            assert_eq!(Form::of(Path::new(name)), wanted, "{name}");
        }
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let text = "span ".repeat(1000);
        for packing in [Packing::None, Packing::Gzip, Packing::Zstd] {
            let mut packed = Vec::new();
            let drawn: io::Result<u8> = packing.write(&mut packed, |out| out.write_all(text.as_bytes()).map(|()| 7));
            assert_eq!(drawn.unwrap(), 7);
            let mut read = String::new();
            match packing {
                Packing::None => read = String::from_utf8(packed).unwrap(),
                Packing::Gzip => {
                    flate2::read::GzDecoder::new(&*packed).read_to_string(&mut read).unwrap();
                }
                Packing::Zstd => read = String::from_utf8(zstd::decode_all(&*packed).unwrap()).unwrap(),
            }
            assert_eq!(read, text);
        }
    }
}

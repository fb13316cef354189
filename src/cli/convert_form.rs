//! `--to-format`: what `tracectl convert` writes.
//!
//! Comes in: the name of a form, or the name of a file. Goes out: a form of OTLP, or a foreign format, and the compression around it.

use std::path::Path;
use std::str::FromStr;

use super::nearest::meant_of;
use crate::export::Format;
use crate::otlp::{Form, Layout, Packing};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// OTLP.
    Otlp(Form),
    /// Another format, compressed like this.
    Foreign(Format, Packing),
}

/// `--to-format`: compression only where it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    what: What,
    packing: Option<Packing>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Otlp(Layout),
    Foreign(Format),
}

const NAMES: [(&str, What); 14] = [
    ("otlp-jsonl", What::Otlp(Layout::Lines)),
    ("jsonl", What::Otlp(Layout::Lines)),
    ("otlp-json", What::Otlp(Layout::Document)),
    ("json", What::Otlp(Layout::Document)),
    ("otlp-proto-framed", What::Otlp(Layout::Framed)),
    ("pb", What::Otlp(Layout::Framed)),
    ("otlp-proto", What::Otlp(Layout::Single)),
    ("jaeger", What::Foreign(Format::Jaeger)),
    ("zipkin", What::Foreign(Format::Zipkin)),
    ("chrome", What::Foreign(Format::Chrome)),
    ("perfetto", What::Foreign(Format::Chrome)),
    ("folded", What::Foreign(Format::Folded)),
    ("csv", What::Foreign(Format::Csv)),
    ("ndjson", What::Foreign(Format::Ndjson)),
];

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, packing) = Packing::of(text);
        let packing = Some(packing).filter(|packing| *packing != Packing::None);
        let what = NAMES.iter().find(|(known, _)| *known == name).map(|(_, what)| *what);
        what.map(|what| Self { what, packing }).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name);
            format!("a format is one of {}, each also with .gz or .zst{}", names.join(", "), meant_of(name, names))
        })
    }
}

impl Target {
    /// What the name of a file asks for, if it asks for anything.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let (stem, packing) = Packing::of(&name);
        match stem.rsplit_once('.').map(|(_, extension)| extension) {
            Some("csv") => Some(Self::Foreign(Format::Csv, packing)),
            Some("folded") => Some(Self::Foreign(Format::Folded, packing)),
            _ => Form::of(path).map(Self::Otlp),
        }
    }

    /// What was asked for by name, compressed as the file's name says unless the name says it.
    pub(super) fn named(named: Named, path: Option<&Path>) -> Self {
        let name = path.and_then(Path::file_name).map(|name| name.to_string_lossy());
        let packing = named.packing.or(name.map(|name| Packing::of(&name).1)).unwrap_or_default();
        match named.what {
            What::Otlp(layout) => Self::Otlp(Form { layout, packing }),
            What::Foreign(foreign) => Self::Foreign(foreign, packing),
        }
    }

    /// Whether a terminal can show it.
    pub(super) fn is_text(self) -> bool {
        match self {
            Self::Otlp(form) => form.is_text(),
            Self::Foreign(_, packing) => packing == Packing::None,
        }
    }

    /// How files of it end.
    pub(super) fn extension(self) -> String {
        let (end, packing) = match self {
            Self::Otlp(form) if form.layout == Layout::Lines => ("jsonl", form.packing),
            Self::Otlp(form) if form.layout == Layout::Document => ("json", form.packing),
            Self::Otlp(form) => ("pb", form.packing),
            Self::Foreign(Format::Folded, packing) => ("folded", packing),
            Self::Foreign(Format::Csv, packing) => ("csv", packing),
            Self::Foreign(Format::Ndjson, packing) => ("ndjson", packing),
            Self::Foreign(_, packing) => ("json", packing),
        };
        format!("{end}{}", packing.extension())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_say_what_is_written() {
        let otlp = |layout, packing| Target::Otlp(Form { layout, packing });
        let named = |name: &str, path: &str| Target::named(name.parse().unwrap(), Some(Path::new(path)));
        assert_eq!(Target::of(Path::new("a.pb.zst")), Some(otlp(Layout::Framed, Packing::Zstd)));
        assert_eq!(Target::of(Path::new("a.csv.gz")), Some(Target::Foreign(Format::Csv, Packing::Gzip)));
        assert_eq!(Target::of(Path::new("a.txt")), None);
        assert_eq!(named("otlp-proto", "a.json.gz"), otlp(Layout::Single, Packing::Gzip));
        assert_eq!(named("jsonl.zst", "a.gz"), otlp(Layout::Lines, Packing::Zstd));
        assert_eq!(named("perfetto", "a"), Target::Foreign(Format::Chrome, Packing::None));
        assert!("jsnl".parse::<Named>().unwrap_err().contains("did you mean 'jsonl'"));
        for (name, _) in NAMES {
            let target = Target::named(name.parse().unwrap(), None);
            assert!(Target::of(Path::new(&format!("a.{}", target.extension()))).is_some(), "{name}");
        }
    }
}

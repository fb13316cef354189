//! The form of a record: its layout and compression, by file name or by name.
//!
//! Comes in: a path or a word. Goes out: plain data. Every form is one that the readers of this house open again.

use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

use crate::otlp;

/// How messages follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// OTLP/JSON, a request a line.
    Lines,
    /// OTLP/protobuf, each request behind its length in four bytes, big-endian.
    Framed,
}

/// What is around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Nothing.
    None,
    /// gzip, a member for what is written at once.
    Gzip,
    /// Zstandard, a frame for what is written at once.
    Zstd,
}

/// The form of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordForm {
    /// How messages follow each other.
    pub layout: Layout,
    /// What is around them.
    pub compression: Compression,
}

/// Why the name of a form was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is no form of a record (jsonl or pb, followed by .gz or .zst where it is to be compressed)")]
pub struct RecordFormError {
    text: String,
}

impl RecordForm {
    /// The form that a file's name asks for: JSON Lines where it asks for nothing.
    pub fn of(path: &Path) -> Self {
        let form = otlp::Form::of(path).unwrap_or(otlp::Form::LINES);
        let compression = match form.packing {
            otlp::Packing::None => Compression::None,
            otlp::Packing::Gzip => Compression::Gzip,
            otlp::Packing::Zstd => Compression::Zstd,
        };
        let framed = form.layout == otlp::Layout::Framed;
        Self { layout: if framed { Layout::Framed } else { Layout::Lines }, compression }
    }
}

impl FromStr for RecordForm {
    type Err = RecordFormError;

    fn from_str(text: &str) -> Result<Self, RecordFormError> {
        let (layout, compression) = text.split_once('.').unwrap_or((text, ""));
        let layout = match layout {
            "jsonl" => Layout::Lines,
            "pb" => Layout::Framed,
            _ => return Err(RecordFormError { text: text.to_owned() }),
        };
        let compression = match compression {
            "" => Compression::None,
            "gz" => Compression::Gzip,
            "zst" => Compression::Zstd,
            _ => return Err(RecordFormError { text: text.to_owned() }),
        };
        Ok(Self { layout, compression })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_how_it_is_written() {
        let form = |layout, compression| RecordForm { layout, compression };
        let cases = [
            ("run.jsonl", form(Layout::Lines, Compression::None)),
            ("run", form(Layout::Lines, Compression::None)),
            ("run.json.gz", form(Layout::Lines, Compression::Gzip)),
            ("a.b/run.otlp.pb", form(Layout::Framed, Compression::None)),
            ("run.pb.zst", form(Layout::Framed, Compression::Zstd)),
        ];
        for (path, wanted) in cases {
            assert_eq!(RecordForm::of(Path::new(path)), wanted, "{path}");
        }
        assert_eq!("pb.zst".parse(), Ok(form(Layout::Framed, Compression::Zstd)));
        assert!("xml".parse::<RecordForm>().is_err());
    }
}

//! The options of `tracectl convert`.
//!
//! Comes in: what was typed. Goes out: plain values; what needs the capture is worked out later.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::changes::ChangeArgs;
use super::convert_form::{Named, Target};
use super::error::{Error, Problem};
use super::filter::FilterArgs;
use super::inputs::InputArgs;
use super::nearest::meant_of;
use crate::convert::{self, Order};
use crate::model::ByteSize;
use crate::otlp::Form;

/// Convert recorded spans to another format, changed or as they are
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The name of FILE selects the format: .jsonl (one request per line), .json (one document), .pb (length-delimited messages), .csv, .folded, each also with .gz or .zst; --to-format overrides it. Without changes, everything that OTLP can carry is kept, in its order and grouping.

Examples:
  tracectl convert run.jsonl -o run.pb
  tracectl convert run.pb -o run.jsonl.gz --service 'checkout*'
  tracectl convert a.jsonl b.pb -o all.jsonl --merge --sort
  tracectl convert run.jsonl -o shared.jsonl --redact --new-ids --shift now
  tracectl convert run.jsonl -o traces/ --split trace
  tracectl convert run.jsonl -o run.ndjson --to-format ndjson
  tracectl convert run.jsonl -o - --to-format json | jq .")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) inputs: InputArgs,
    /// File to write, whole or not at all ("-" for stdout); with --split a directory, or a name with {} in it
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Format to write, whatever FILE is called: json, jsonl, pb (framed), otlp-proto (one message), jaeger, zipkin,
    /// chrome, folded, csv or ndjson (one flat row per line), also with .gz or .zst
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    to_format: Option<Named>,
    /// Sort spans by start, or by trace (--sort=trace) in the order of first starts
    #[arg(long, value_name = "BY", num_args = 0..=1, require_equals = true, default_missing_value = "start",
          help_heading = "Output", hide_possible_values = true)]
    pub(super) sort: Option<Sort>,
    /// Write identical spans once, and group the spans of each resource
    #[arg(long, help_heading = "Output")]
    pub(super) merge: bool,
    /// Split into several files by trace, service, or size=64MB
    #[arg(long, value_name = "BY", help_heading = "Output")]
    pub(super) split: Option<Split>,
    #[command(flatten)]
    pub(super) changes: ChangeArgs,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
}

impl From<Sort> for convert::Sort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Start => Self::Start,
            Sort::Trace => Self::Trace,
        }
    }
}

/// `--sort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Sort {
    /// By start.
    Start,
    /// By trace, traces by their first start.
    Trace,
}

/// `--split`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// A file a trace.
    Trace,
    /// A file a service.
    Service,
    /// A file as soon as one has so many bytes, not compressed.
    Size(u64),
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = text.strip_prefix("size=").or_else(|| text.strip_prefix("size:"));
        match (text, size.map(str::parse::<ByteSize>)) {
            ("trace", _) => Ok(Self::Trace),
            ("service", _) => Ok(Self::Service),
            (_, Some(Ok(size))) if size.0 > 0 => Ok(Self::Size(size.0)),
            _ => Err(format!("write trace, service or size=64MB{}", meant_of(text, ["trace", "service"]))),
        }
    }
}

impl Args {
    /// The file, if it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// In which order spans are written, if not in that of the inputs.
    pub(super) fn order(&self) -> Option<Order> {
        let split = match self.split {
            Some(Split::Trace) => Some(convert::Split::Trace),
            Some(Split::Service) => Some(convert::Split::Service),
            Some(Split::Size(_)) | None => None,
        };
        let order = Order { sort: self.sort.map(Into::into), merge: self.merge, split };
        (order.sort.is_some() || order.merge || order.split.is_some()).then_some(order)
    }

    /// Refuses what was meant to be the value of `--sort` and came to be an input.
    pub(super) fn check(&self) -> Result<(), Error> {
        let value = |input: &&str| ["start", "trace"].contains(input) && !Path::new(input).exists();
        match self.inputs.inputs.iter().filter_map(|input| input.to_str()).find(value).filter(|_| self.sort.is_some()) {
            None => Ok(()),
            Some(value) => {
                let error = Error::from(Problem::Conflict("--sort takes its value behind an equals sign"));
                Err(error.hint(format!("--sort={value}")))
            }
        }
    }

    /// What is written.
    pub(super) fn target(&self) -> Result<Target, Error> {
        let path = self.file();
        let directory = path.is_some_and(|path| self.split.is_some() && is_directory(path));
        match (self.to_format, path) {
            (Some(named), path) => Ok(Target::named(named, path)),
            (None, Some(path)) if !directory => Target::of(path).ok_or_else(|| {
                let error = Error::from(Problem::NoForm { path: path.to_owned() });
                match self.split {
                    Some(_) => error.hint(format!("a directory is written like {}/", path.display())),
                    None => error.hint("name it like run.jsonl, run.json or run.pb, or say --to-format jsonl"),
                }
            }),
            (None, _) => Ok(Target::Otlp(Form::LINES)),
        }
    }
}

/// Whether files go into it: it is there, or is written like one.
pub(super) fn is_directory(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_read_as_written() {
        assert_eq!(("trace".parse(), "service".parse()), (Ok(Split::Trace), Ok(Split::Service)));
        assert_eq!("size=64KiB".parse(), Ok(Split::Size(65_536)));
        assert!(["", "size", "size=0", "size=x", "span"].iter().all(|wrong| wrong.parse::<Split>().is_err()));
    }
}

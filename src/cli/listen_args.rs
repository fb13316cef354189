//! The options of `tracectl listen`.
//!
//! Comes in: what was typed. Goes out: the same, by subject. Nothing is decided here, and no default filled in that the
//! configuration could give.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use super::lint_format::{self, Target};
use super::listed::listed;
use super::listen_lint::LintArgs;
use super::nearest::{meant_of, nearest};
use crate::live::{Address, RecordForm};
use crate::model::{ByteSize, DurationError, parse_duration};

/// Receive spans over OTLP, record them, and show them as they arrive
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Both ports speak gRPC and HTTP. With -- CMD, OTEL_* variables tell the command where to send, its traces are shown when it has ended, and its exit code is passed on if it failed. With --lint a report of lint replaces the traces and decides the exit code of a command that did not fail; all options of `tracectl lint` about rules, failing, fixing and filters apply.

Examples:
  tracectl listen -o run.jsonl
  tracectl listen -o run.jsonl -- python agent.py
  tracectl listen --lint --fail-on warn -o run.jsonl -o junit=lint.xml -- pytest
  tracectl listen --view line --for 60s
  tracectl listen --grpc 127.0.0.1:0 --http 127.0.0.1:0 --view none --log-format json -o run.otlp.pb")]
pub(super) struct Args {
    /// Record every request to FILE (.jsonl or .pb; add .gz or .zst to compress); with --lint, FORMAT=FILE
    /// writes a report (repeatable)
    #[arg(short, long, value_name = "[FORMAT=]FILE", help_heading = "Record")]
    pub(super) output: Vec<Target>,
    /// Append to the record instead of replacing it
    #[arg(long, requires = "output", help_heading = "Record")]
    pub(super) append: bool,
    /// jsonl or pb, with .gz or .zst for compression [default: by the name of FILE]
    #[arg(long, value_name = "FORM", hide_possible_values = true, value_parser = listed(record_form, &RECORD_FORMS), requires = "output",
          help_heading = "Record")]
    pub(super) record_format: Option<RecordForm>,
    /// Acknowledge requests only after they are synced to disk
    #[arg(long, requires = "output", help_heading = "Record")]
    pub(super) fsync: bool,
    /// Start a new file at this size; run.jsonl becomes run.1.jsonl
    #[arg(long, value_name = "SIZE", requires = "output", help_heading = "Record")]
    pub(super) rotate: Option<ByteSize>,
    /// Number of older files to keep with --rotate [default: 5]
    #[arg(long, value_name = "N", help_heading = "Record")]
    pub(super) keep: Option<u32>,
    /// Forward every request to this receiver as well, configured by OTEL_EXPORTER_OTLP_*
    #[arg(long, value_name = "URL", help_heading = "Record")]
    pub(super) forward: Option<String>,

    /// Address for gRPC, or unix:PATH; port 0 takes a free one [default: 127.0.0.1:4317, with CMD a free one]
    #[arg(long, value_name = "ADDR", help_heading = "Network")]
    pub(super) grpc: Option<Address>,
    /// Address for HTTP, or unix:PATH [default: 127.0.0.1:4318, with CMD a free one]
    #[arg(long, value_name = "ADDR", help_heading = "Network")]
    pub(super) http: Option<Address>,
    /// Certificate chain of the server, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Network")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Private key of the server, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Network")]
    pub(super) tls_key: Option<PathBuf>,
    /// Accept only clients with a certificate signed by this authority, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Network")]
    pub(super) tls_client_ca: Option<PathBuf>,
    /// Accept only requests with the bearer token in this environment variable
    #[arg(long, value_name = "VARIABLE", help_heading = "Network")]
    pub(super) auth_token: Option<String>,
    /// Allow browsers to send from pages of this origin ("*" for all)
    #[arg(long, value_name = "ORIGIN", help_heading = "Network")]
    pub(super) cors_origin: Vec<String>,
    /// Refuse larger requests, as sent or uncompressed [default: 64MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Network")]
    pub(super) max_request_size: Option<ByteSize>,
    /// Ask clients to retry when this much is waiting to be written [default: 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Network")]
    pub(super) max_queue_size: Option<ByteSize>,
    /// Maximum number of concurrent connections [default: 2048]
    #[arg(long, value_name = "N", help_heading = "Network", value_parser = clap::value_parser!(u32).range(1..1_000_000))]
    pub(super) max_connections: Option<u32>,
    /// Timeout for the headers of a request, and again for its body [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Network")]
    pub(super) request_timeout: Option<Duration>,

    /// tree, line, stats or none [default: tree for people, line in a pipe]
    #[arg(long, value_name = "VIEW", hide_possible_values = true, help_heading = "Output")]
    pub(super) view: Option<View>,
    /// text or jsonl; with --lint also a format of `tracectl lint` [default: text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, value_parser = listed(Format::from_str, &FORMATS),
          help_heading = "Output")]
    pub(super) format: Option<Format>,
    /// Show a trace when nothing of it has arrived for this long (a fifth of it once its root has ended) [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Output")]
    pub(super) settle: Option<Duration>,
    /// Number of traces to remember for late spans [default: 1000]
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(super) keep_traces: Option<usize>,
    /// Format of messages on stderr: text or json [default: text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, help_heading = "Output")]
    pub(super) log_format: Option<LogFormat>,

    /// Stop after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, help_heading = "Stop")]
    pub(super) duration: Option<Duration>,
    /// Stop when nothing has arrived for this time
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Stop")]
    pub(super) idle: Option<Duration>,
    /// Stop after this many spans
    #[arg(long, value_name = "N", help_heading = "Stop")]
    pub(super) max_spans: Option<u64>,
    /// Stop after this many traces
    #[arg(long, value_name = "N", help_heading = "Stop")]
    pub(super) max_traces: Option<u64>,

    /// Run this command and listen to it
    #[arg(last = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,
    /// Record the run of the command as a span, and pass it on as TRACEPARENT for programs that read it
    #[arg(long, requires = "command", help_heading = "Command")]
    pub(super) root: bool,
    /// After the command has ended, wait until nothing has arrived for this time [default: 300ms]
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "command", help_heading = "Command")]
    pub(super) quiet_period: Option<Duration>,

    #[command(flatten)]
    pub(super) lint: LintArgs,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum View {
    /// Each trace as a tree.
    Tree,
    /// Each trace as a line.
    Line,
    /// A table at the end.
    Stats,
    /// Nothing.
    None,
}

/// The form of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Text,
    /// An object a line.
    Jsonl,
    /// Another form of a report of lint.
    Lint(lint_format::Format),
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => return Ok(Self::Text),
            "jsonl" => return Ok(Self::Jsonl),
            _ => {}
        }
        lint_format::Format::from_str(text, false).map(Self::Lint).map_err(|_| {
            let names = lint_format::names();
            let known = ["text"].into_iter().chain(names.iter().map(String::as_str));
            let near = nearest(text, known.clone()).map(|near| format!(" (did you mean '{near}'?)"));
            let near = near.unwrap_or_else(|| format!(": one of {}", known.collect::<Vec<_>>().join(", ")));
            format!("there is no format '{text}'{near}")
        })
    }
}

/// The form of what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

/// What `--format` takes.
const FORMATS: [&str; 10] =
    ["text", "jsonl", "human", "concise", "json", "sarif", "junit", "github", "gitlab", "markdown"];
/// What `--record-format` takes.
const RECORD_FORMS: [&str; 6] = ["jsonl", "jsonl.gz", "jsonl.zst", "pb", "pb.gz", "pb.zst"];

fn record_form(text: &str) -> Result<RecordForm, String> {
    text.parse().map_err(|error| format!("{error}{}", meant_of(text, RECORD_FORMS)))
}

/// A duration as people write it.
pub(super) fn duration(text: &str) -> Result<Duration, DurationError> {
    parse_duration(text).map(|nanos| Duration::from_nanos(nanos.0))
}

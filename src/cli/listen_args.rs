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
use super::listen_lint::LintArgs;
use super::nearest::nearest;
use crate::live::{Address, RecordForm};
use crate::model::{ByteSize, DurationError, parse_duration};

/// Receive spans over OTLP, record them, and show them as they come
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Both ports speak gRPC and HTTP. With -- CMD, the command is told where to send by OTEL_* variables,
its traces are shown when it has ended, and the exit code is the command's own if it failed. With
--lint a report of lint takes the place of the traces and decides the exit code of a command that
did not fail; all options of `tracectl lint` about rules, failing, fixing and filters hold here too.

Examples:
  tracectl listen -o run.jsonl
  tracectl listen -o run.jsonl -- python agent.py
  tracectl listen --lint --fail-on warn -o run.jsonl -o junit=lint.xml -- pytest
  tracectl listen --view line --for 60s
  tracectl listen --grpc 127.0.0.1:0 --http 127.0.0.1:0 --view none --log-format json -o run.otlp.pb")]
pub(super) struct Args {
    /// Record every request to FILE (.jsonl or .pb, with .gz or .zst compressed); with --lint and a FORMAT a report, as often as
    /// is wanted
    #[arg(short, long, value_name = "[FORMAT=]FILE", help_heading = "Record")]
    pub(super) output: Vec<Target>,
    /// Go on behind what the record holds instead of replacing it
    #[arg(long, requires = "output", help_heading = "Record")]
    pub(super) append: bool,
    /// jsonl or pb, with .gz or .zst compressed [default: by the name of the file]
    #[arg(long, value_name = "FORM", requires = "output", help_heading = "Record")]
    pub(super) record_format: Option<RecordForm>,
    /// Acknowledge only what has reached the disk itself
    #[arg(long, requires = "output", help_heading = "Record")]
    pub(super) fsync: bool,
    /// Begin a new file at this size; run.jsonl becomes run.1.jsonl
    #[arg(long, value_name = "SIZE", requires = "output", help_heading = "Record")]
    pub(super) rotate: Option<ByteSize>,
    /// Older files to keep [default: 5]
    #[arg(long, value_name = "N", help_heading = "Record")]
    pub(super) keep: Option<u32>,
    /// Pass every request on to this receiver as well; OTEL_EXPORTER_OTLP_* say how
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
    /// Let in only clients whose certificate this authority has signed, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Network")]
    pub(super) tls_client_ca: Option<PathBuf>,
    /// Let in only requests with the token that is in this environment variable
    #[arg(long, value_name = "VARIABLE", help_heading = "Network")]
    pub(super) auth_token: Option<String>,
    /// Let pages of this origin send from a browser ("*" for all)
    #[arg(long, value_name = "ORIGIN", help_heading = "Network")]
    pub(super) cors_origin: Vec<String>,
    /// Refuse larger requests, as sent or uncompressed [default: 64MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Network")]
    pub(super) max_request_size: Option<ByteSize>,
    /// Tell clients to come again when this much waits to be written [default: 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Network")]
    pub(super) max_queue_size: Option<ByteSize>,
    /// Connections at a time [default: 2048]
    #[arg(long, value_name = "N", help_heading = "Network", value_parser = clap::value_parser!(u32).range(1..1_000_000))]
    pub(super) max_connections: Option<u32>,
    /// Time for the headers of a request, and again for its body [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Network")]
    pub(super) request_timeout: Option<Duration>,

    /// tree, line, stats or none [default: tree for people, line in a pipe]
    #[arg(long, value_name = "VIEW", hide_possible_values = true, help_heading = "Output")]
    pub(super) view: Option<View>,
    /// text or jsonl; with --lint also a format of `tracectl lint` [default: text]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    pub(super) format: Option<Format>,
    /// Show a trace when nothing of it has come for so long (a fifth of that once its root has ended) [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Output")]
    pub(super) settle: Option<Duration>,
    /// Traces to remember for late spans [default: 1000]
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(super) keep_traces: Option<usize>,
    /// What is said on stderr: text or json [default: text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, help_heading = "Output")]
    pub(super) log_format: Option<LogFormat>,

    /// Stop after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, help_heading = "Stop")]
    pub(super) duration: Option<Duration>,
    /// Stop when nothing has come for this time
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Stop")]
    pub(super) idle: Option<Duration>,
    /// Stop with this many spans
    #[arg(long, value_name = "N", help_heading = "Stop")]
    pub(super) max_spans: Option<u64>,
    /// Stop with this many traces
    #[arg(long, value_name = "N", help_heading = "Stop")]
    pub(super) max_traces: Option<u64>,

    /// Run this command and listen to it
    #[arg(last = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,
    /// Record the run of the command as a span, the root of what it sends
    #[arg(long, requires = "command", help_heading = "Command")]
    pub(super) root: bool,
    /// Wait until nothing has come for this time after the command has ended [default: 300ms]
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

/// A duration as people write it.
pub(super) fn duration(text: &str) -> Result<Duration, DurationError> {
    parse_duration(text).map(|nanos| Duration::from_nanos(nanos.0))
}

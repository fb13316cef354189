//! The options of `tracectl listen`, and the settings they come to.
//!
//! Comes in: flags and the environment. Goes out: plain settings of the servers, the record and the show.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::console::Console;
use super::error::{Error, Problem};
use super::sending;
use crate::live::{Address, Limits, Record, RecordForm, Settings, Stops, Tls};
use crate::model::{ByteSize, DurationError, parse_duration};

/// Receive spans over OTLP, record them, and show them as they come
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Both ports speak gRPC and HTTP. With -- CMD, the command is told where to send by OTEL_* variables, its traces are shown when
it has ended, and the exit code is the command's own if it failed.

Examples:
  tracectl listen -o run.jsonl
  tracectl listen -o run.jsonl -- python agent.py
  tracectl listen --view line --for 60s
  tracectl listen --grpc 127.0.0.1:0 --http 127.0.0.1:0 --view none --log-format json -o run.otlp.pb")]
pub(super) struct Args {
    /// Record every request to FILE (.jsonl or .pb, with .gz or .zst compressed); what is there is replaced
    #[arg(short, long, value_name = "FILE", help_heading = "Record")]
    pub(super) output: Option<PathBuf>,
    /// jsonl or pb, with .gz or .zst compressed [default: by the name of the file]
    #[arg(long, value_name = "FORM", requires = "output", help_heading = "Record")]
    record_format: Option<RecordForm>,
    /// Acknowledge only what has reached the disk itself
    #[arg(long, requires = "output", help_heading = "Record")]
    fsync: bool,
    /// Begin a new file at this size; run.jsonl becomes run.1.jsonl
    #[arg(long, value_name = "SIZE", requires = "output", help_heading = "Record")]
    rotate: Option<ByteSize>,
    /// Older files to keep
    #[arg(long, value_name = "N", default_value_t = 5, requires = "rotate", help_heading = "Record")]
    keep: u32,
    /// Pass every request on to this receiver as well; OTEL_EXPORTER_OTLP_* say how
    #[arg(long, value_name = "URL", help_heading = "Record")]
    forward: Option<String>,

    /// Address for gRPC, or unix:PATH; port 0 takes a free one [default: 127.0.0.1:4317, with CMD a free one]
    #[arg(long, value_name = "ADDR", help_heading = "Network")]
    grpc: Option<Address>,
    /// Address for HTTP, or unix:PATH [default: 127.0.0.1:4318, with CMD a free one]
    #[arg(long, value_name = "ADDR", help_heading = "Network")]
    http: Option<Address>,
    /// Certificate chain of the server, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Network")]
    tls_cert: Option<PathBuf>,
    /// Private key of the server, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Network")]
    tls_key: Option<PathBuf>,
    /// Let in only clients whose certificate this authority has signed, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Network")]
    tls_client_ca: Option<PathBuf>,
    /// Let in only requests with the token that is in this environment variable
    #[arg(long, value_name = "VARIABLE", help_heading = "Network")]
    auth_token: Option<String>,
    /// Let pages of this origin send from a browser ("*" for all)
    #[arg(long, value_name = "ORIGIN", help_heading = "Network")]
    cors_origin: Vec<String>,
    /// Refuse larger requests, as sent or uncompressed
    #[arg(long, value_name = "SIZE", default_value = "64MiB", help_heading = "Network")]
    max_request_size: ByteSize,
    /// Tell clients to come again when this much waits to be written
    #[arg(long, value_name = "SIZE", default_value = "256MiB", help_heading = "Network")]
    max_queue_size: ByteSize,
    /// Connections at a time
    #[arg(long, value_name = "N", default_value_t = 2048, help_heading = "Network",
          value_parser = clap::value_parser!(u32).range(1..1_000_000))]
    max_connections: u32,
    /// Time for the headers of a request, and again for its body
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration, help_heading = "Network")]
    request_timeout: Duration,

    /// tree, line, stats or none [default: tree for people, line in a pipe]
    #[arg(long, value_name = "VIEW", hide_possible_values = true, help_heading = "Output")]
    view: Option<View>,
    /// text or jsonl
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true, help_heading = "Output")]
    format: Format,
    /// Show a trace when nothing of it has come for so long (a fifth of that once its root has ended)
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration, help_heading = "Output")]
    settle: Duration,
    /// Traces to remember for late spans
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Output")]
    keep_traces: usize,
    /// What is said on stderr: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true, help_heading = "Output")]
    pub(super) log_format: LogFormat,

    /// Stop after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, help_heading = "Stop")]
    duration: Option<Duration>,
    /// Stop when nothing has come for this time
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Stop")]
    idle: Option<Duration>,
    /// Stop with this many spans
    #[arg(long, value_name = "N", help_heading = "Stop")]
    max_spans: Option<u64>,
    /// Stop with this many traces
    #[arg(long, value_name = "N", help_heading = "Stop")]
    max_traces: Option<u64>,

    /// Run this command and listen to it
    #[arg(last = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,
    /// Record the run of the command as a span, the root of what it sends
    #[arg(long, requires = "command", help_heading = "Command")]
    pub(super) root: bool,
    /// Wait until nothing has come for this time after the command has ended
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration, requires = "command",
          help_heading = "Command")]
    pub(super) quiet_period: Duration,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// A trace a line, as `tree --format jsonl` writes it.
    Jsonl,
}

/// The form of what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

/// What is shown and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing {
    pub(super) view: View,
    pub(super) format: Format,
    pub(super) settle: Duration,
    pub(super) keep: usize,
    /// Traces are shown when all is over, not as they settle.
    pub(super) at_end: bool,
}

fn duration(text: &str) -> Result<Duration, DurationError> {
    parse_duration(text).map(|nanos| Duration::from_nanos(nanos.0))
}

impl Args {
    /// What is shown.
    pub(super) fn showing(&self, console: &Console) -> Showing {
        let people = console.around().stdout_is_terminal || !self.command.is_empty();
        let usual = if people || self.format == Format::Jsonl { View::Tree } else { View::Line };
        let view = self.view.unwrap_or(usual);
        let at_end = view == View::Stats || view == View::Tree && !self.command.is_empty();
        Showing { view, format: self.format, settle: self.settle, keep: self.keep_traces, at_end }
    }

    /// What the servers do. `spare` is where spans go that are shown at the end but not recorded.
    pub(super) fn settings(&self, console: &Console, spare: Option<PathBuf>) -> Result<Settings, Error> {
        let token = self.auth_token.as_ref().map(|name| {
            let token = console.around().variable(name).map(str::to_owned);
            token.ok_or_else(|| Error::from(Problem::Variable { name: name.clone() }))
        });
        let port = |usual| Address::local(if self.command.is_empty() { usual } else { 0 });
        let tls = self.tls_cert.clone().zip(self.tls_key.clone());
        let size = |size: ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
        let showing = self.showing(console);
        Ok(Settings {
            grpc: self.grpc.clone().unwrap_or(port(4317)),
            http: self.http.clone().unwrap_or(port(4318)),
            tls: tls.map(|(cert, key)| Tls { cert, key, client_ca: self.tls_client_ca.clone() }),
            token: token.transpose()?,
            origins: self.cors_origin.clone(),
            record: self.record(spare),
            forward: self.forward.as_deref().map(|url| sending::forward(url, console)).transpose()?,
            stops: Stops { after: self.duration, idle: self.idle, spans: self.max_spans, traces: self.max_traces },
            limits: Limits {
                request: size(self.max_request_size),
                queue: size(self.max_queue_size),
                connections: usize::try_from(self.max_connections).unwrap_or(usize::MAX),
                patience: self.request_timeout,
            },
            show: showing.view != View::None && !showing.at_end,
            tell_signals: !self.command.is_empty(),
        })
    }

    fn record(&self, spare: Option<PathBuf>) -> Option<Record> {
        let path = self.output.clone().or(spare)?;
        let form = self.record_format.unwrap_or_else(|| RecordForm::of(&path));
        Some(Record { path, form, fsync: self.fsync, rotate: self.rotate.map(|size| size.0), keep: self.keep })
    }
}

//! What `listen` says on stderr: that it is ready, what happens, how it ended.
//!
//! Comes in: facts. Goes out: lines for people, or one JSON object a line.

use std::io;

use serde_json::{Value, json};

use super::console::Console;
use super::listen_args::LogFormat;
use crate::live::{Address, Note, Reason, Totals, Written};
use crate::model::ByteSize;
use crate::render::{Ink, Render, Tone};

/// A line of talk.
struct Line(Tone, String);

impl Render for Line {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        ink.put(self.0, &self.1)?;
        ink.line()
    }
}

/// Says things in one of two forms.
#[derive(Clone, Copy)]
pub(super) struct Talk(pub(super) LogFormat);

impl Talk {
    fn say(self, console: &mut Console, tone: Tone, words: String, object: impl FnOnce() -> Value) {
        match self.0 {
            LogFormat::Text => console.talk(&Line(tone, words)),
            LogFormat::Json => console.cry(&Line(Tone::Plain, object().to_string())),
        }
    }

    /// The servers are ready.
    pub(super) fn ready(self, console: &mut Console, grpc: &Address, http: &Address, secure: bool) {
        let tls = if secure { " with TLS" } else { "" };
        let words = format!("listening for OTLP: gRPC on {grpc}, HTTP on {http}{tls}");
        // Fields in the order people look for them, which a map would not keep.
        let object = || Ready { event: "ready", grpc: grpc.to_string(), http: http.to_string() };
        match self.0 {
            LogFormat::Text => {
                console.talk(&Line(Tone::Plain, words));
                if !grpc.is_local() || !http.is_local() {
                    let words =
                        "anybody who reaches this machine can send: --auth-token and --tls-cert keep others out";
                    console.talk(&Line(Tone::Odd, words.to_owned()));
                }
            }
            LogFormat::Json => console.cry(&Line(Tone::Plain, serde_json::to_string(&object()).unwrap_or_default())),
        }
    }

    /// Something happened.
    pub(super) fn note(self, console: &mut Console, note: &Note) {
        let (kind, words) = match note {
            Note::OtherSignal(signal) => {
                ("other_signal", format!("{} arrive: accepted, counted and let go", signal.name()))
            }
            Note::Replaced { path, bytes } => {
                ("replaced", format!("{} replaced: {} of an earlier record gone", path.display(), ByteSize(*bytes)))
            }
            Note::Appending { path, bytes } => {
                ("appending", format!("appending to {} ({})", path.display(), ByteSize(*bytes)))
            }
            Note::Cut { path, bytes } => {
                let bytes = if *bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
                ("cut", format!("{bytes} cut from the end of {}: a message that was never finished", path.display()))
            }
            Note::CannotWrite(why) => {
                ("cannot_write", format!("cannot write the record ({why}): senders are told to try again"))
            }
            Note::WritingAgain => ("writing_again", "the record can be written again".to_owned()),
            Note::Overloaded => ("overloaded", "more arrives than can be written: senders are told to wait".to_owned()),
            Note::Sampling => (
                "sampling",
                "more arrives than can be shown: traces are shown in part, the record has them all".to_owned(),
            ),
            Note::Refused(why) => ("refused", format!("refused: {why}")),
            Note::TooDeep => (
                "too_deep",
                "values are nested deeper than 512 levels: the record has what is above; a record in the encoding of the \
                 sender has everything"
                    .to_owned(),
            ),
            Note::CannotForward(why) => ("cannot_forward", format!("cannot forward: {why}")),
            Note::ForwardingAgain => ("forwarding_again", "forwarding again".to_owned()),
        };
        let object = || json!({ "event": "note", "kind": kind, "message": words });
        self.say(console, Tone::Odd, format!("tracectl: {words}"), object);
    }

    /// The end.
    pub(super) fn stopped(
        self,
        console: &mut Console,
        reason: Reason,
        totals: &Totals,
        astray: &[(String, u64)],
        written: &Written,
    ) {
        let object = Stopped {
            event: "stopped",
            reason: reason.name(),
            spans: totals.spans,
            requests: totals.requests,
            rejected: totals.rejected,
            bytes: totals.bytes,
            metrics: totals.metrics,
            logs: totals.logs,
            deferred: totals.deferred,
            not_shown: totals.unseen,
            forwarded: totals.forwarded,
            not_forwarded: totals.unforwarded,
            astray: astray.iter().map(|(_, count)| count).sum(),
            too_deep: totals.too_deep,
            dropped_files: written.gone,
            dropped_spans: written.gone_spans,
        };
        match self.0 {
            LogFormat::Text => {
                console.talk(&Line(Tone::Quiet, summary(totals)));
                dropped(written).into_iter().for_each(|words| console.talk(&Line(Tone::Odd, words)));
                for words in strays(astray).into_iter().filter(|_| totals.spans > 0) {
                    console.talk(&Line(Tone::Odd, words));
                }
            }
            LogFormat::Json => console.cry(&Line(Tone::Plain, serde_json::to_string(&object).unwrap_or_default())),
        }
    }
}

/// Requests to paths where nothing is, and what the path is.
pub(super) fn strays(astray: &[(String, u64)]) -> Vec<String> {
    let words = |(path, count): &(String, u64)| {
        let went = if *count == 1 { "request went" } else { "requests went" };
        let right = match path {
            path if path.contains("profiles") => "profiles are not taken",
            path if path.contains('.') => "no service of OTLP is there",
            _ => "the path is /v1/traces",
        };
        format!("{count} {went} to {path}: {right}")
    };
    astray.iter().map(words).collect()
}

/// What is no longer there of the record.
fn dropped(written: &Written) -> Option<String> {
    let (files, spans) = (written.gone, written.gone_spans);
    let of = |number: u64, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    (files > 0).then(|| {
        let (spans, files) = (of(spans, "span"), of(u64::from(files), "older file"));
        format!("{spans} went with {files} that --rotate dropped: --keep keeps more")
    })
}

/// The end in words.
fn summary(totals: &Totals) -> String {
    let requests = if totals.requests == 1 { "request" } else { "requests" };
    let spans = if totals.spans == 1 { "span" } else { "spans" };
    let mut words = format!("{} {spans} in {} {requests}, {}", totals.spans, totals.requests, ByteSize(totals.bytes));
    let more = [
        (totals.rejected, "rejected"),
        (totals.deferred, "told to come again"),
        (totals.unseen, "not shown (too fast)"),
        (totals.metrics, "of metrics let go"),
        (totals.logs, "of logs let go"),
        (totals.forwarded, "forwarded"),
        (totals.unforwarded, "not forwarded"),
        (totals.too_deep, "values nested too deeply to be recorded whole"),
    ];
    for (number, what) in more.into_iter().filter(|(number, _)| *number > 0) {
        words.push_str(&format!("; {number} {what}"));
    }
    words
}

#[derive(serde::Serialize)]
struct Ready {
    event: &'static str,
    grpc: String,
    http: String,
}

#[derive(serde::Serialize)]
struct Stopped {
    event: &'static str,
    reason: &'static str,
    spans: u64,
    requests: u64,
    rejected: u64,
    bytes: u64,
    metrics: u64,
    logs: u64,
    deferred: u64,
    not_shown: u64,
    forwarded: u64,
    not_forwarded: u64,
    astray: u64,
    too_deep: u64,
    dropped_files: u32,
    dropped_spans: u64,
}

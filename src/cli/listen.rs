//! `tracectl listen`: receive spans, record them, show them.
//!
//! Comes in: options, requests from the network, perhaps a command to run. Goes out: a record, the traces, and how it ended.

use std::path::{Path, PathBuf};

use super::Exit;
use super::console::Console;
use super::error::{Error, Problem};
use super::listen_args::{Args, Format, Showing, View};
use super::listen_child::{Running, Ways};
use super::listen_show::Show;
use super::listen_talk::Talk;
use super::output::OutputArgs;
use crate::capture;
use crate::forest::Forest;
use crate::input::Options;
use crate::live::{Arrival, Encoding, Listener, LiveError, Reason, Settings, Totals};
use crate::query::Filter;
use crate::render::tree_jsonl;
use crate::stats::{By, Question, Sort, report};
use crate::view::{self, TreeReport};

/// Traces and rows that are shown when a command has ended, as `tree` does.
const TRACES: usize = 20;
const ROWS: usize = 500;
/// Operations that are shown when all is over, as `stats` does.
const OPERATIONS: usize = 40;

/// Runs the command.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Error> {
    let showing = args.showing(console);
    let spare = spare(args, &showing)?;
    let settings = args.settings(console, spare.as_ref().map(|folder| folder.path().join("run.pb")))?;
    let record = settings.record.as_ref().map(|record| record.path.clone());
    let (token, cert) = (settings.token.clone(), settings.tls.as_ref().map(|tls| tls.cert.clone()));
    let mut listener = start(settings)?;
    let talk = Talk(args.log_format);
    talk.ready(console, listener.grpc(), listener.http(), cert.is_some());
    let ways = Ways { grpc: listener.grpc(), http: listener.http(), cert: cert.as_deref(), token: token.as_deref() };
    let mut child = match args.command.is_empty() {
        true => None,
        false => Some(Running::start(&args.command, &ways, args.root, console)?),
    };
    let reason = watch(args, showing, &mut listener, child.as_mut(), talk, console)?;
    let totals = listener.totals();
    drop(listener);
    if showing.at_end
        && totals.spans > 0
        && let Some(record) = &record
    {
        conclude(record, showing, console)?;
    }
    talk.stopped(console, reason, &totals);
    judge(reason, &totals, child.as_ref(), console)
}

/// A place for spans that are shown at the end, where nobody asked for a record.
fn spare(args: &Args, showing: &Showing) -> Result<Option<tempfile::TempDir>, Error> {
    let wanted = showing.at_end && args.output.is_none();
    let failed = |source| Problem::Output { path: PathBuf::from("a temporary folder"), source };
    Ok(wanted.then(tempfile::tempdir).transpose().map_err(failed)?)
}

/// Starts the servers, with advice where that fails.
fn start(settings: Settings) -> Result<Listener, Error> {
    let grpc = settings.grpc.to_string();
    Listener::start(settings).map_err(|error| {
        let hints: Vec<String> = match &error {
            LiveError::Taken { address, owner, free } => {
                let flag = if address.to_string() == grpc { "--grpc" } else { "--http" };
                let port = address.to_string().rsplit(':').next().unwrap_or_default().to_owned();
                let look = owner.is_none().then(|| format!("`lsof -i :{port}` tells which process has it"));
                let free = free.map(|port| format!("port {port} is free: {flag} 127.0.0.1:{port}"));
                look.into_iter().chain(free).collect()
            }
            LiveError::Bind { .. } => vec!["port 0 takes any free port".to_owned()],
            _ => Vec::new(),
        };
        hints.into_iter().fold(Error::from(error), Error::hint)
    })
}

/// Takes in what arrives until it is over.
fn watch(
    args: &Args,
    showing: Showing,
    listener: &mut Listener,
    mut child: Option<&mut Running>,
    talk: Talk,
    console: &mut Console,
) -> Result<Reason, Error> {
    let mut show = Show::new(showing, console);
    let mut reason = Reason::Interrupted;
    while let Some(arrival) = listener.next() {
        match arrival {
            Arrival::Batch(batch) => show.take(&batch),
            Arrival::Note(note) => show.aside(|| talk.note(console, &note)),
            Arrival::Signal(signal) => match &child {
                Some(child) => child.signal(signal),
                None => listener.stop(signal),
            },
            Arrival::Quiet => {}
            Arrival::Stop(why) => reason = why,
        }
        show.settle(false, console)?;
        show.tick(&listener.totals());
        if let Some(child) = &mut child
            && child.is_over(listener.quiet(), args.quiet_period)
        {
            if let Some(span) = child.root_span() {
                listener.record(span, Encoding::Json);
            }
            listener.stop(Reason::Command);
        }
    }
    show.settle(true, console)?;
    Ok(reason)
}

/// Shows the record as `tree` or `stats` would.
fn conclude(record: &Path, showing: Showing, console: &mut Console) -> Result<(), Error> {
    let inputs = [record.to_string_lossy().into_owned()];
    let capture = capture::open(&inputs, &Options::default(), &mut |_| {})?;
    let forest = Forest::of(&capture);
    if showing.view == View::Stats {
        let question = Question {
            by: By::default(),
            sort: Sort::default(),
            top: Some(OPERATIONS),
            jobs: Options::default().threads(),
        };
        return console.show(&report(&capture, &Filter::default(), &question), &OutputArgs::default());
    }
    if showing.format == Format::Jsonl {
        let report = TreeReport::of(&capture, &forest, view::Settings::default(), &|_| true);
        return console.write(&OutputArgs::default(), |out| tree_jsonl(&report, out));
    }
    let settings =
        view::Settings { limit: Some(TRACES), rows: Some(ROWS), collapse: true, ..view::Settings::default() };
    console.show(&TreeReport::of(&capture, &forest, settings, &|_| true), &OutputArgs::default())
}

/// How it ended: the command's failure first, then that nothing came, then that something was refused.
fn judge(reason: Reason, totals: &Totals, child: Option<&Running>, console: &mut Console) -> Result<Exit, Error> {
    let code = child.map_or(0, Running::code);
    let silent = totals.spans == 0 && !reason.is_signal();
    if silent {
        let error = nothing_arrived(totals, child.is_some());
        if code == 0 {
            return Err(error);
        }
        console.talk(&error);
    }
    Ok(match (code, totals.rejected) {
        (0, 1..) if !reason.is_signal() => Exit::Found,
        (0, _) => Exit::Fine,
        (code, _) => Exit::Command(code),
    })
}

/// Why that may be.
fn nothing_arrived(totals: &Totals, command: bool) -> Error {
    let error = Error::from(Problem::NothingArrived);
    if totals.rejected > 0 {
        return error.hint(format!("{} requests were refused: the note above says why", totals.rejected));
    }
    if totals.metrics + totals.logs > 0 {
        return error.hint("metrics or logs came, but no traces: is a tracer provider set up, and is sampling on?");
    }
    if totals.requests > 0 {
        return error.hint("requests came, but none of them held a span");
    }
    if !command {
        return error.hint("set OTEL_EXPORTER_OTLP_ENDPOINT to the address above where the program runs");
    }
    let hints = [
        "the program may not be instrumented: is an SDK with an OTLP exporter set up?",
        "it may end without flushing: call shutdown on the tracer provider before it exits",
        "it may set its endpoint in code, where OTEL_EXPORTER_OTLP_ENDPOINT is not heard",
        "it may switch tracing off: OTEL_SDK_DISABLED, OTEL_TRACES_SAMPLER",
    ];
    hints.into_iter().fold(error, Error::hint)
}

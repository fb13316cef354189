//! The end of `listen`: what was received as `tree` or `stats` shows it, lint's judgement of it, and the exit code.
//!
//! Comes in: the files of the record, the totals. Goes out: an answer on stdout and an [`Exit`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use super::console::Console;
use super::error::{Error, Problem};
use super::lint::Judgement;
use super::listen_args::View;
use super::listen_child::Running;
use super::listen_settings::Showing;
use super::listen_talk::strays;
use super::output::OutputArgs;
use crate::capture;
use crate::forest::Forest;
use crate::input::Options;
use crate::ledger::Prices;
use crate::live::{Reason, Totals, Written};
use crate::query::Filter;
use crate::render::{Said, tree_jsonl};
use crate::stats::{By, Question, Sort, report};
use crate::view::{self, TreeReport};

/// Traces and rows that are shown when a command has ended, as `tree` does.
const TRACES: usize = 20;
const ROWS: usize = 500;
/// Operations that are shown when all is over, as `stats` does.
const OPERATIONS: usize = 40;

/// Shows and judges what was written, as far as that was asked for; `kept` says whether the record outlives this.
pub(super) fn conclude(
    written: &Written,
    showing: Showing,
    prices: Prices,
    (judgement, kept): (Option<Judgement<'_>>, bool),
    console: &mut Console,
) -> Result<Exit, Error> {
    if !showing.at_end && judgement.is_none() {
        return Ok(Exit::Fine);
    }
    if written.gone > 0 {
        let files = if written.gone == 1 { "file is" } else { "files are" };
        let said = format!("tracectl: the first {} {files} gone (--keep): this is about the rest", written.gone);
        console.talk(&Said(said));
    }
    let paths: Vec<OsString> = written.files.iter().map(|path| path.clone().into_os_string()).collect();
    let shown = if showing.at_end { show(&paths, showing, prices, console) } else { Ok(()) };
    // Whether or not anybody reads what is shown, what was received is judged.
    let verdict = judgement.map_or(Ok(Exit::Fine), |judgement| judgement.of(paths, kept).pass(console));
    match shown {
        Err(error) if error.exit() != Exit::Fine => Err(error),
        _ => verdict,
    }
}

/// Shows the record as `tree` or `stats` would.
fn show(paths: &[OsString], showing: Showing, prices: Prices, console: &mut Console) -> Result<(), Error> {
    let capture = capture::open(paths, &Options::default(), &mut |_| {})?;
    let forest = Forest::of(&capture);
    if showing.view == View::Stats {
        let question = Question {
            runs: false,
            prices,
            by: By::default(),
            sort: Sort::default(),
            top: Some(OPERATIONS),
            jobs: Options::default().threads(),
        };
        return console.show(&report(&capture, &Filter::default(), &question), &OutputArgs::default());
    }
    let settings = view::Settings { prices: Some(Arc::new(prices)), ..view::Settings::default() };
    if showing.jsonl {
        let report = TreeReport::of(&capture, &forest, settings, &|_| true);
        return console.write(&OutputArgs::default(), |out| tree_jsonl(&report, out));
    }
    let settings = view::Settings { limit: Some(TRACES), rows: Some(ROWS), collapse: true, ..settings };
    console.show(&TreeReport::of(&capture, &forest, settings, &|_| true), &OutputArgs::default())
}

/// How it ended: the command's failure first, then that nothing came, then what lint found, then that something was refused.
pub(super) fn judge(
    reason: Reason,
    (totals, astray): (&Totals, &[(String, u64)]),
    child: Option<&Running>,
    verdict: Result<Exit, Error>,
    console: &mut Console,
) -> Result<Exit, Error> {
    let code = child.map_or(0, Running::code);
    let silent = totals.spans == 0 && !reason.is_signal();
    let verdict = if silent { Err(nothing_arrived(totals, astray, child.is_some())) } else { verdict };
    match (code, verdict) {
        (0, Ok(Exit::Fine)) if totals.rejected > 0 && !reason.is_signal() => Ok(Exit::Found),
        (0, verdict) => verdict,
        (code, Ok(_)) => Ok(Exit::Command(code)),
        (code, Err(error)) => {
            if error.exit() != Exit::Fine {
                console.report(&error);
            }
            Ok(Exit::Command(code))
        }
    }
}

/// Why that may be.
fn nothing_arrived(totals: &Totals, astray: &[(String, u64)], command: bool) -> Error {
    let error = Error::from(Problem::NothingArrived);
    if !astray.is_empty() {
        return strays(astray).into_iter().fold(error, Error::hint);
    }
    if totals.rejected > 0 {
        let spans =
            if totals.rejected == 1 { "1 span was".to_owned() } else { format!("{} spans were", totals.rejected) };
        return error.hint(format!("{spans} rejected: the note above says why"));
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

/// A place for spans that are looked at in the end, where nobody asked for a record that can be read again.
pub(super) fn spare(output: Option<&Path>, wanted: bool) -> Result<Option<tempfile::TempDir>, Error> {
    let failed = |source| Problem::Output { path: PathBuf::from("a temporary folder"), source };
    Ok((wanted && output.is_none()).then(tempfile::tempdir).transpose().map_err(failed)?)
}

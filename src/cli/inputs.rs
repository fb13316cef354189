//! The inputs that every reading command shares, and what is said about them after the answer.
//!
//! Comes in: paths, stdin. Goes out: a [`Capture`], then its troubles on stderr and, with `--strict`, a failure.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::look::Loudness;
use super::progress::Progress;
use crate::capture::{self, Capture, Source};
use crate::input::Options;
use crate::lint::{self, Linted};
use crate::otlp::{Grade, Trouble, TroubleKind};
use crate::render::Troubles;

/// Options of commands that read dumps.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct InputArgs {
    /// Files, globs, directories, or "-" for stdin
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<OsString>,
    /// Fail (exit 3) when the input has any problem
    #[arg(long, help_heading = "Input")]
    strict: bool,
    /// Number of threads to read with [default: one per core]
    #[arg(long, value_name = "N", help_heading = "Input")]
    jobs: Option<u32>,
}

/// How inputs are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    paths: Vec<OsString>,
    strict: bool,
    options: Options,
}

impl InputArgs {
    /// What was asked for.
    pub(super) fn settings(&self, config: &Config) -> Inputs {
        let jobs = self.jobs.map(u64::from).or(config.number("jobs")).and_then(|jobs| usize::try_from(jobs).ok());
        Inputs {
            paths: self.inputs.clone(),
            strict: self.strict || config.flag("strict").unwrap_or(false),
            options: Options { jobs: jobs.unwrap_or(0), ..Options::default() },
        }
    }
}

impl Inputs {
    /// Also gathers this attribute's value of every span.
    pub(super) fn with_attribute(mut self, key: Option<String>) -> Self {
        self.options.capture_key = key;
        self
    }

    /// These files instead of those that were named.
    pub(super) fn of(mut self, paths: Vec<OsString>) -> Self {
        self.paths = paths;
        self
    }

    /// Will not ask for the details of any span.
    pub(super) fn without_details(mut self) -> Self {
        self.options.details = false;
        self
    }

    /// How inputs are read, until `stop` is true.
    pub(super) fn options(&self, stop: &Arc<AtomicBool>, details: bool) -> Options {
        Options { stop: Some(Arc::clone(stop)), details, ..self.options.clone() }
    }

    /// Threads to work with, at least one.
    pub(super) fn jobs(&self) -> usize {
        self.options.threads()
    }

    /// Reads everything.
    pub(super) fn open(&self, console: &Console) -> Result<Capture, Error> {
        let paths = self.paths(console)?;
        let mut progress = Progress::new(console);
        Ok(capture::open(&paths, &self.options, &mut |bytes| progress.reached(bytes))?)
    }

    /// Reads everything and judges it.
    pub(super) fn lint(&self, settings: &lint::Settings, console: &Console) -> Result<Linted, Error> {
        let paths = self.paths(console)?;
        let mut progress = Progress::new(console);
        Ok(lint::lint(&paths, &self.options, settings, &mut |bytes| progress.reached(bytes))?)
    }

    /// What was named. No input at all means stdin, unless that is a terminal.
    pub(super) fn paths(&self, console: &Console) -> Result<Vec<OsString>, Error> {
        match self.paths.as_slice() {
            [] if console.around().stdin_is_terminal => {
                Err(Error::from(Problem::NoInput).hint("tracectl tree traces.jsonl"))
            }
            [] => Ok(vec!["-".into()]),
            paths => Ok(paths.to_vec()),
        }
    }

    /// Says what was odd, and fails where that is a failure: after the answer, so that it is never in its way.
    pub(super) fn judge(&self, capture: &Capture, console: &mut Console) -> Result<(), Error> {
        self.judge_read(capture.sources(), capture.troubles(), console)
    }

    /// As above, of inputs that were read without keeping anything.
    pub(super) fn judge_read(
        &self,
        sources: &[Source],
        troubles: &[Trouble],
        console: &mut Console,
    ) -> Result<(), Error> {
        let all = console.loudness() == Loudness::Verbose;
        console.talk(&Troubles { troubles, sources, all });
        self.verdict(sources, troubles)
    }

    /// Whether what was read is a failure; says nothing.
    pub(super) fn verdict(&self, sources: &[Source], troubles: &[Trouble]) -> Result<(), Error> {
        if sources.iter().all(|source| source.spans == 0) {
            return Err(no_spans(sources));
        }
        let unreadable = troubles.iter().filter(|trouble| trouble.kind == TroubleKind::Unreadable).count();
        if unreadable > 0 {
            return Err(Problem::Unreadable { inputs: unreadable, of: sources.len() }.into());
        }
        let kinds = troubles.iter().filter(|trouble| trouble.kind.grade() >= Grade::Warning).count();
        match self.strict && kinds > 0 {
            true => Err(Problem::Strict { kinds }.into()),
            false => Ok(()),
        }
    }
}

/// What the inputs look like instead of spans.
fn no_spans(sources: &[Source]) -> Error {
    let names: Vec<_> = sources.iter().map(|source| source.path.as_str()).collect();
    let inputs = match names.as_slice() {
        [] => "the directory: it has no files".to_owned(),
        [one] => (*one).to_owned(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let looks = sources.iter().filter_map(|source| Some((&source.path, source.looks_like.as_ref()?)));
    let mut error = Error::from(Problem::NoSpans { inputs });
    for (path, looks_like) in looks.take(5) {
        error = error.hint(format!("{path} looks like {looks_like}"));
    }
    error
}

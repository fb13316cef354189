//! What a replay is, decided before its first request: inputs, receiver, changes, pace.
//!
//! Comes in: options, the environment, perhaps the journal of an earlier run. Goes out: a job that gives its requests one pass after
//! another.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::changes::Shift;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::inputs::Inputs;
use super::listen_args::LogFormat;
use super::replay_args::{Args, Repeat, Speed};
use super::replay_journal::{self, Terms};
use super::sending_talk::Talk;
use super::sending_way::Way;
use crate::capture::Capture;
use crate::input::{InputError, Named, expand};
use crate::mend::{KnownIds, NewIds};
use crate::model::Rate;
use crate::otlp::Grade;
use crate::query::Filter;
use crate::replay::{Bounds, Plan, Planned, Reach, chosen, first_moment, paced, reach, stream};
use crate::send::Target;

/// Everything that was decided before the first request.
pub(super) struct Job<'a> {
    pub(super) args: &'a Args,
    pub(super) inputs: Inputs,
    paths: Vec<OsString>,
    pub(super) filter: Filter,
    pub(super) target: Target,
    pub(super) plan: Plan,
    /// The inputs in an index, where something has to be known before the first request.
    pub(super) capture: Option<(Capture, Reach)>,
    pub(super) terms: Terms,
}

/// What was read in all passes.
#[derive(Default)]
pub(super) struct Read {
    /// The inputs and what was odd in them, where they are not in an index.
    pub(super) capture: Capture,
    pub(super) missing: u64,
    /// Nobody wants more.
    pub(super) stop: Arc<AtomicBool>,
}

impl<'a> Job<'a> {
    /// Decides.
    pub(super) fn new(args: &'a Args, config: &Config, console: &mut Console) -> Result<Self, Error> {
        let now = console.around().now;
        let inputs = args.inputs.settings(config);
        let target = args.send.target(args.to.as_deref(), console)?;
        let paths = inputs.paths(console)?;
        let files = expand(&paths)?;
        check(args, &paths, &files)?;
        let run = digest(args, &files, &target);
        let known = match &args.resume {
            Some(path) => known(path, &run)?,
            None => None,
        };
        // Times like "15m ago" mean the same for every run that goes on.
        let filter = args.filter.filter(known.as_ref().map_or(now, |known| known.now))?;
        // A pipe may go on for long: what comes through it is sent as it comes, unless times have to be known.
        let piped = paths.iter().any(is_pipe);
        let ahead = !filter.is_open()
            || args.speed != Speed::Max
            || args.changes.needs_times()
            || args.changes.new_ids && !piped
            || args.repeat != Repeat::Times(1);
        let capture = match ahead {
            true => {
                let capture = inputs.open(console)?;
                let reach = reach(&capture, &filter);
                Some((capture, reach))
            }
            false => None,
        };
        let (reach, lasts) = lasts(args, capture.as_ref(), &filter);
        let shift = args.changes.nanos(reach, now.saturating_add(lasts.as_nanos() as u64))?;
        let terms = match known {
            Some(known) => known,
            None => Terms {
                run,
                now,
                shift,
                seed: args.changes.seed.unwrap_or(now),
                pseudonyms: args.changes.pseudonyms()?,
                spans: spans(args),
            },
        };
        let bytes = usize::try_from(args.batch_bytes.0).unwrap_or(usize::MAX);
        let renews = args.changes.new_ids || args.repeat != Repeat::Times(1);
        let known = capture.as_ref().filter(|_| renews).map(|(read, _)| Arc::new(KnownIds::of(read)));
        let alteration = args.changes.alteration(terms.shift, terms.seed, &terms.pseudonyms, known);
        let bounds = Bounds { spans: terms.spans, bytes };
        let plan = Plan { alteration, bounds, encoding: target.protocol().encoding() };
        Ok(Self { args, inputs, paths, filter, target, plan, capture, terms })
    }

    /// Gives the requests of one pass that begins so long after the start.
    pub(super) fn pass(
        &self,
        pass: u64,
        after: Duration,
        read: &mut Read,
        reached: &mut (dyn FnMut(u64) + Send),
        give: &mut (dyn FnMut(Planned) -> bool + Send),
    ) -> Result<(), InputError> {
        let mut plan = self.plan.clone();
        let renewed = self.args.changes.new_ids || pass > 0;
        plan.alteration.ids = renewed.then(|| NewIds::new(self.terms.seed, pass));
        if self.args.changes.shift == Some(Shift::Now) {
            let later = i64::try_from(after.as_nanos()).unwrap_or(i64::MAX);
            plan.alteration.shift = plan.alteration.shift.saturating_add(later);
        }
        let options = self.inputs.options(&read.stop, false);
        let Some((capture, _)) = &self.capture else {
            let poured = stream(&self.paths, &options, &plan, reached, give)?;
            read.capture = poured.read;
            read.missing += poured.missing;
            return Ok(());
        };
        match self.args.speed {
            Speed::Max => read.missing += chosen(capture, &self.filter, &options, &plan, give)?,
            Speed::Times(speed) => read.missing += paced(capture, &self.filter, &plan, (self.args.pace, speed), give)?,
        }
        Ok(())
    }

    /// Says what was odd in the inputs.
    pub(super) fn judge(&self, read: &Read, console: &mut Console) -> Result<(), Error> {
        let capture = self.capture.as_ref().map_or(&read.capture, |(capture, _)| capture);
        let (sources, troubles) = (capture.sources(), capture.troubles());
        if self.args.log_format == LogFormat::Text {
            return self.inputs.judge_read(sources, troubles, console);
        }
        for trouble in troubles.iter().filter(|trouble| trouble.kind.grade() > Grade::Note) {
            let path = sources.get(usize::from(trouble.source)).map_or("", |source| &source.path);
            let words = format!("{path}: {} ({} times)", trouble.kind.message(), trouble.count);
            Talk::new(self.args.log_format, console).say(console, "input", words);
        }
        self.inputs.verdict(sources, troubles)
    }

    /// Whether an input can be read only once.
    pub(super) fn is_piped(&self) -> bool {
        self.paths.iter().any(is_pipe)
    }

    /// How far it is, as far as that is known.
    pub(super) fn way(&self) -> Way {
        let total = match (&self.capture, self.args.repeat) {
            (_, Repeat::Forever) => None,
            (Some((_, reach)), Repeat::Times(times)) => Some(reach.spans.saturating_mul(times)),
            (None, _) => {
                let length =
                    |path: &OsString| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
                self.paths.iter().map(length).sum()
            }
        };
        let (reach, lasts) = lasts(self.args, self.capture.as_ref(), &self.filter);
        let limited = |rate: Rate| Duration::from_nanos(rate.due(reach.spans));
        let limited = self.args.rate.filter(|_| self.capture.is_some()).map_or(Duration::ZERO, limited);
        let lasts = Some(lasts.max(limited)).filter(|lasts| !lasts.is_zero() && self.args.repeat == Repeat::Times(1));
        match (total, &self.capture) {
            (Some(spans), Some(_)) => Way::of_spans(spans, lasts),
            _ => Way::of(total, lasts),
        }
    }
}

/// Spans of a request: where a rate is given not more than a tenth of a second has.
fn spans(args: &Args) -> u64 {
    let most = u64::from(args.batch_spans);
    args.rate.map_or(most, |rate| most.min(rate.within(100_000_000)).max(1))
}

/// Options that make no sense together.
fn check(args: &Args, paths: &[OsString], files: &[Named]) -> Result<(), Error> {
    let conflict = |why| Err(Error::from(Problem::Conflict(why)));
    let piped = paths.iter().any(is_pipe);
    if args.resume.is_some() && piped {
        return conflict("--resume needs inputs that can be read again, and a pipe cannot");
    }
    if args.resume.is_some() && args.repeat != Repeat::Times(1) {
        return conflict("--resume and --repeat exclude each other: a journal is about one pass");
    }
    if args.dry_run && args.repeat == Repeat::Forever {
        return conflict("--dry-run of --repeat forever would never end");
    }
    let own = [&args.dead_letter, &args.resume];
    if let [Some(letters), Some(journal)] = own
        && same_file(letters, journal)
    {
        return conflict("--dead-letter and --resume cannot be one file");
    }
    for path in own.into_iter().flatten() {
        let input = files.iter().filter_map(Named::file).any(|file| same_file(path, file));
        // What is written below a directory that is read would be read by the next run.
        if input || paths.iter().any(|input| is_below(path, Path::new(input))) {
            return Err(Problem::OutputIsInput { path: path.display().to_string() }.into());
        }
    }
    Ok(())
}

/// Whether what this names can be read only once: standard input, a named pipe, the output of another command.
fn is_pipe(path: &OsString) -> bool {
    path == "-" || std::fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// Whether two paths lead to one file, be it there or not.
fn same_file(one: &Path, other: &Path) -> bool {
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// Where a path leads, as far as it is there.
fn place(path: &Path) -> Option<PathBuf> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::canonicalize(path).ok().or_else(|| Some(std::fs::canonicalize(parent).ok()?.join(path.file_name()?)))
}

fn is_below(path: &Path, input: &Path) -> bool {
    input.is_dir() && place(path).zip(place(input)).is_some_and(|(path, input)| path.starts_with(input))
}

/// The terms of a run that is resumed, if there is one.
fn known(path: &Path, run: &str) -> Result<Option<Terms>, Error> {
    let failed = |source| Problem::Journal { path: path.to_owned(), source };
    let terms = replay_journal::terms(path).map_err(failed)?;
    if terms.as_ref().is_some_and(|terms| terms.run != run) {
        let why = "it is the journal of other inputs, other options or another receiver, or an input has changed";
        let error = Error::from(failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, why)));
        return Err(error.hint("remove it to begin anew, or give the options of the run it belongs to"));
    }
    Ok(terms)
}

/// A digest of everything that decides what the requests of a run are: the files with their sizes and times, and the options as they
/// were typed.
fn digest(args: &Args, files: &[Named], target: &Target) -> String {
    let mut hash = Sha256::new();
    for file in files {
        let path = file.file();
        let meta = path.and_then(|path| std::fs::metadata(path).ok());
        let changed = meta.as_ref().and_then(|meta| meta.modified().ok());
        hash.update(format!("{path:?} {:?} {changed:?}\n", meta.map(|meta| meta.len())));
    }
    let (changes, speed) = (&args.changes, (&args.speed, args.pace));
    hash.update(format!("{changes:?} {speed:?} {} {}\n", args.batch_spans, args.batch_bytes.0));
    hash.update(format!("{:?} {} {}", args.filter, target.place(), target.protocol().name()));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The times that spans reach from and to, and how long after the first request the last one is due.
fn lasts(args: &Args, capture: Option<&(Capture, Reach)>, filter: &Filter) -> (Reach, Duration) {
    let reach = capture.map(|(_, reach)| *reach).unwrap_or_default();
    let seconds = match (args.speed, capture) {
        (Speed::Times(speed), Some((capture, _))) => {
            reach.last.saturating_sub(first_moment(capture, filter, args.pace)) as f64 / 1e9 / speed
        }
        _ => 0.0,
    };
    (reach, Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

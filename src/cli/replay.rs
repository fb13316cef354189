//! `tracectl replay`: send recorded spans to a receiver, again.
//!
//! Comes in: inputs and options. Goes out: requests to a receiver, and what became of them; or what would be sent, and when.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::inputs::Inputs;
use super::listen_args::LogFormat;
use super::output::OutputArgs;
use super::replay_args::{Args, Repeat, Shift, Speed};
use super::replay_dry::Dry;
use super::replay_feed::{Feed, Timetable};
use super::replay_journal::{self, Journal, Terms};
use super::replay_ledger::{Ledger, Letters};
use super::replay_talk::{Sent, Talk, Way};
use crate::capture::{Capture, Source};
use crate::input::InputError;
use crate::mend::{Alteration, NewIds};
use crate::otlp::{Grade, Trouble};
use crate::query::Filter;
use crate::replay::{Bounds, Plan, Planned, Reach, chosen, paced, reach, stream};
use crate::send::{Sender, Settings, Target};

/// Everything that was decided before the first request.
struct Job<'a> {
    args: &'a Args,
    inputs: Inputs,
    paths: Vec<String>,
    filter: Filter,
    target: Target,
    plan: Plan,
    /// The inputs in an index, where something has to be known before the first request.
    capture: Option<(Capture, Reach)>,
    terms: Terms,
    now: u64,
}

/// What was read in all passes.
#[derive(Default)]
struct Read {
    sources: Vec<Source>,
    troubles: Vec<Trouble>,
    missing: u64,
    stop: Arc<AtomicBool>,
}

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let job = Job::new(args, config, console)?;
    if let Some((capture, reach)) = &job.capture
        && reach.spans == 0
    {
        job.inputs.judge(capture, console)?;
        return Err(Problem::NothingFits { spans: capture.len() }.into());
    }
    if args.dry_run { dry_run(&job, console) } else { send(&job, console) }
}

impl<'a> Job<'a> {
    fn new(args: &'a Args, config: &Config, console: &mut Console) -> Result<Self, Error> {
        let now = console.around().now;
        let inputs = args.inputs.settings(config);
        let filter = args.filter.filter(now)?;
        let target = args.send.target(args.to.as_deref(), console)?;
        let paths = inputs.paths(console)?;
        check(args, &paths)?;
        let run = digest(args, &paths, &filter, &target);
        let known = match &args.resume {
            Some(path) => known(path, &run)?,
            None => None,
        };
        let ahead = !filter.is_open()
            || args.speed != Speed::Max
            || matches!(args.shift, Some(Shift::Now | Shift::Start(_)))
            || args.repeat != Repeat::Times(1);
        let capture = match ahead {
            true => {
                let capture = inputs.open(console)?;
                let reach = reach(&capture, &filter);
                Some((capture, reach))
            }
            false => None,
        };
        let reached = capture.as_ref().map(|(_, reach)| *reach).unwrap_or_default();
        let shift = shift(args, reached, now);
        let terms = known.unwrap_or(Terms { run, shift, seed: args.seed.unwrap_or(now) });
        let bytes = usize::try_from(args.batch_bytes.0).unwrap_or(usize::MAX);
        let alteration = Alteration { shift: terms.shift, ids: None, resource: args.set.clone(), redact: args.redact };
        let bounds = Bounds { spans: args.batch_spans.into(), bytes };
        let plan = Plan { alteration, bounds, encoding: target.protocol().encoding() };
        Ok(Self { args, inputs, paths, filter, target, plan, capture, terms, now })
    }

    /// Gives the requests of one pass that begins so long after the start.
    fn pass(
        &self,
        pass: u64,
        after: Duration,
        read: &mut Read,
        reached: &mut dyn FnMut(u64),
        give: &mut dyn FnMut(Planned) -> bool,
    ) -> Result<(), InputError> {
        let mut plan = self.plan.clone();
        let renewed = self.args.new_ids || pass > 0;
        plan.alteration.ids = renewed.then(|| NewIds::new(self.terms.seed, pass));
        if self.args.shift == Some(Shift::Now) {
            let later = i64::try_from(after.as_nanos()).unwrap_or(i64::MAX);
            plan.alteration.shift = plan.alteration.shift.saturating_add(later);
        }
        let Some((capture, _)) = &self.capture else {
            let poured = stream(&self.paths, &plan, &read.stop, reached, give)?;
            (read.sources, read.troubles) = (poured.sources, poured.troubles);
            read.missing += poured.missing;
            return Ok(());
        };
        match self.args.speed {
            Speed::Max => read.missing += chosen(capture, &self.filter, &plan, give)?,
            Speed::Times(speed) => read.missing += paced(capture, &self.filter, &plan, speed, give)?,
        }
        Ok(())
    }

    /// Says what was odd in the inputs.
    fn judge(&self, read: &Read, console: &mut Console) -> Result<(), Error> {
        let (sources, troubles) = match &self.capture {
            Some((capture, _)) => (capture.sources(), capture.troubles()),
            None => (&*read.sources, &*read.troubles),
        };
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

    /// How far it is, as far as that is known.
    fn way(&self) -> Way {
        let total = match (&self.capture, self.args.repeat) {
            (_, Repeat::Forever) => None,
            (Some((_, reach)), Repeat::Times(times)) => Some(reach.spans.saturating_mul(times)),
            (None, _) => {
                let length =
                    |path: &String| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
                self.paths.iter().map(length).sum()
            }
        };
        Way { total: total.filter(|total| *total > 0), done: 0 }
    }
}

/// Options that make no sense together.
fn check(args: &Args, paths: &[String]) -> Result<(), Error> {
    let conflict = |why| Err(Error::from(Problem::Conflict(why)));
    let piped = paths.iter().any(|path| path == "-");
    if args.resume.is_some() && piped {
        return conflict("--resume needs inputs that can be read again, and a pipe cannot");
    }
    if args.resume.is_some() && args.repeat != Repeat::Times(1) {
        return conflict("--resume and --repeat exclude each other: a journal is about one pass");
    }
    if args.dry_run && args.repeat == Repeat::Forever {
        return conflict("--dry-run of --repeat forever would never end");
    }
    let same = |path: &std::path::Path| {
        let real = std::fs::canonicalize(path).ok();
        real.is_some() && paths.iter().any(|input| std::fs::canonicalize(input).ok() == real)
    };
    for path in [&args.dead_letter, &args.resume].into_iter().flatten() {
        if same(path) {
            return Err(Problem::OutputIsInput { path: path.display().to_string() }.into());
        }
    }
    Ok(())
}

/// The terms of a run that is resumed, if there is one.
fn known(path: &std::path::Path, run: &str) -> Result<Option<Terms>, Error> {
    let failed = |source| Problem::Journal { path: path.to_owned(), source };
    let terms = replay_journal::terms(path).map_err(failed)?;
    if terms.as_ref().is_some_and(|terms| terms.run != run) {
        let why = "it is the journal of other inputs, other options or another receiver";
        let error = Error::from(failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, why)));
        return Err(error.hint("remove it to begin anew, or give the options of the run it belongs to"));
    }
    Ok(terms)
}

/// A digest of everything that decides what the requests of a run are.
fn digest(args: &Args, paths: &[String], filter: &Filter, target: &Target) -> String {
    let mut hash = Sha256::new();
    for path in paths {
        let meta = std::fs::metadata(path).ok();
        let changed = meta.as_ref().and_then(|meta| meta.modified().ok());
        hash.update(format!("{path:?} {:?} {changed:?}\n", meta.map(|meta| meta.len())));
    }
    let changes = (&args.shift, args.new_ids, args.seed, &args.set, args.redact, &args.speed);
    hash.update(format!("{changes:?} {} {}\n", args.batch_spans, args.batch_bytes.0));
    hash.update(format!("{filter:?} {} {}", target.place(), target.protocol().name()));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nanoseconds to move all times by.
fn shift(args: &Args, reach: Reach, now: u64) -> i64 {
    let nanos = |to: u64, from: u64| i64::try_from(i128::from(to) - i128::from(from)).unwrap_or(0);
    match args.shift {
        None => 0,
        Some(Shift::By(nanos)) => nanos,
        Some(Shift::Start(time)) => nanos(time, reach.start),
        Some(Shift::Now) => {
            let lasts = match args.speed {
                Speed::Max => 0.0,
                Speed::Times(speed) => reach.last.saturating_sub(reach.first) as f64 / speed,
            };
            nanos(now.saturating_add(Duration::from_nanos(lasts as u64).as_nanos() as u64), reach.last)
        }
    }
}

/// Says what would be sent, and when.
fn dry_run(job: &Job<'_>, console: &mut Console) -> Result<Exit, Error> {
    let mut dry = Dry::new(job.target.place(), job.target.protocol().name(), job.args.log_format);
    let mut timetable = Timetable::new(job.args.rate);
    let mut read = Read::default();
    let mut pass = 0;
    while job.args.repeat.has(pass) {
        let begins = timetable.begins;
        job.pass(pass, begins, &mut read, &mut |_| {}, &mut |planned| {
            dry.take(timetable.due(&planned), &planned);
            true
        })?;
        timetable.begins = dry.lasts();
        pass += 1;
    }
    console.show(&dry, &OutputArgs::default())?;
    job.judge(&read, console)?;
    Ok(Exit::Fine)
}

/// Sends everything.
fn send(job: &Job<'_>, console: &mut Console) -> Result<Exit, Error> {
    let args = job.args;
    let ledger = Arc::new(Mutex::new(ledger(job)?));
    let settings = Settings {
        concurrency: args.concurrency.into(),
        patience: args.retry_for,
        seed: job.now,
        signals: true,
        ..Settings::default()
    };
    let heed = Arc::clone(&ledger);
    let sender = Sender::start(job.target.clone(), settings, move |event| {
        heed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).heed(event);
    })?;
    let talk = Talk::new(args.log_format, console);
    talk.started(console, &job.target, (args.new_ids || args.repeat != Repeat::Times(1)).then_some(job.terms.seed));
    let mut feed = Feed {
        console,
        talk,
        sender,
        ledger,
        timetable: Timetable::new(args.rate),
        encoding: job.plan.encoding,
        begun: Instant::now(),
        way: job.way(),
        next: 0,
        past: 0,
        unsure: 0,
        interrupted: false,
    };
    let mut read = Read { stop: feed.sender.interrupted(), ..Read::default() };
    let passed = passes(job, &mut feed, &mut read);
    conclude(job, feed, &read, passed)
}

/// The files that are written on the way.
fn ledger(job: &Job<'_>) -> Result<Ledger, Error> {
    let args = job.args;
    let letters = args.dead_letter.as_ref().map(|path| {
        Letters::new(path, args.resume.is_some()).map_err(|source| Problem::Letters { path: path.clone(), source })
    });
    let journal = args
        .resume
        .as_ref()
        .map(|path| Journal::open(path, &job.terms).map_err(|source| Problem::Journal { path: path.clone(), source }));
    Ok(Ledger::new(letters.transpose()?, journal.transpose()?))
}

/// Feeds all passes; an input that fails ends it, and what was sent is told nevertheless.
fn passes(job: &Job<'_>, feed: &mut Feed<'_>, read: &mut Read) -> Result<(), InputError> {
    let by_spans = job.capture.is_some();
    let bytes = std::cell::Cell::new(0);
    let mut pass = 0;
    while job.args.repeat.has(pass) {
        let after = feed.begun.elapsed();
        feed.timetable.begins = if pass == 0 { Duration::ZERO } else { after };
        let mut going = true;
        job.pass(pass, after, read, &mut |reached| bytes.set(reached), &mut |planned| {
            feed.way.done = if by_spans { feed.way.done + planned.spans } else { bytes.get() };
            going = feed.take(planned);
            going
        })?;
        if !going {
            break;
        }
        pass += 1;
    }
    Ok(())
}

/// Waits for what is under way, and says how it ended.
fn conclude(job: &Job<'_>, mut feed: Feed<'_>, read: &Read, passed: Result<(), InputError>) -> Result<Exit, Error> {
    let forever = job.args.repeat == Repeat::Forever;
    loop {
        feed.look_around();
        let totals = feed.sender.totals();
        if totals.settled >= totals.requests {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let Feed { console, talk, sender, ledger, begun, next, past, unsure, interrupted, .. } = feed;
    let totals = sender.finish();
    let mut ledger = ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    ledger.take_notes().iter().for_each(|note| talk.note(console, note));
    for (times, words) in ledger.repeated() {
        let what = if words.is_empty() { "other messages of the receiver" } else { words };
        talk.say(console, "repeated", format!("{times} times: {what}"));
    }
    if read.missing > 0 {
        let words =
            format!("{} spans could not be read again: the input has changed, or a temporary file", read.missing);
        talk.say(console, "missing", words);
    }
    let broken = ledger.is_broken();
    ledger.close(passed.is_ok() && !interrupted && !broken);
    let judged = job.judge(read, console);
    if totals.requests == 0 && past == 0 && !interrupted {
        return passed.map_err(Error::from).and(judged).map(|()| Exit::Unreadable);
    }
    talk.sent(
        console,
        &Sent {
            event: "sent",
            spans: totals.spans,
            requests: totals.requests,
            accepted: totals.accepted,
            rejected: totals.rejected,
            failed: totals.failed,
            retries: totals.retries,
            maybe_twice: totals.maybe_twice + unsure,
            maybe_there: totals.maybe_there,
            resumed_past: past,
            dead_letters: ledger.letters.as_ref().map_or(0, |letters| letters.spans),
            interrupted_at: interrupted.then_some(next),
            seconds: begun.elapsed().as_secs_f64(),
            to: format!("{} ({})", job.target.place(), job.target.protocol().name()),
        },
    );
    passed?;
    if !interrupted {
        judged?;
    }
    let lost = totals.rejected + totals.failed + read.missing > 0 || broken;
    Ok(if lost || interrupted && !forever { Exit::Found } else { Exit::Fine })
}

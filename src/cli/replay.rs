//! `tracectl replay`: send recorded spans to a receiver again.
//!
//! Comes in: inputs and options. Goes out: requests to a receiver, and what became of them; or what would be sent, and when.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::output::OutputArgs;
use super::replay_args::{Args, Repeat};
use super::replay_dry::Dry;
use super::replay_job::{Job, Read};
use super::replay_journal::Journal;
use super::sending_feed::Feed;
use super::sending_ledger::Ledger;
use super::sending_letters::Letters;
use super::sending_run::Run;
use super::sending_timetable::Timetable;
use crate::input::InputError;

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

/// Says what would be sent, and when.
fn dry_run(job: &Job<'_>, console: &mut Console) -> Result<Exit, Error> {
    let mut dry = Dry::new(job.target.place(), job.target.protocol().name(), job.args.log_format);
    let mut timetable = Timetable::new(job.args.rate);
    let mut read = Read::default();
    let mut pass = 0;
    while job.args.repeat.has(pass) {
        let begins = dry.lasts();
        timetable.begin(begins);
        job.pass(pass, begins, &mut read, &mut |_| {}, &mut |planned| {
            dry.take(timetable.due(&planned), &planned);
            true
        })?;
        pass += 1;
    }
    console.show(&dry, &OutputArgs::default())?;
    job.judge(&read, console)?;
    Ok(Exit::Fine)
}

/// Sends everything.
fn send(job: &Job<'_>, console: &mut Console) -> Result<Exit, Error> {
    let args = job.args;
    let run = Run {
        target: &job.target,
        delivery: &args.delivery,
        log_format: args.log_format,
        ledger: ledger(job)?,
        rate: args.rate,
        way: job.way(),
        endless: args.repeat == Repeat::Forever,
        bound: "--batch-bytes",
        resumable: args.repeat == Repeat::Times(1) && !job.is_piped(),
        seed: (args.changes.new_ids || args.repeat != Repeat::Times(1)).then_some(job.terms.seed),
    };
    let mut feed = run.begin(console)?;
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
    let bytes = AtomicU64::new(0);
    let lasts = feed.way.lasts;
    let mut pass = 0;
    while job.args.repeat.has(pass) {
        let after = feed.begun.elapsed();
        feed.timetable.begin(if pass == 0 { Duration::ZERO } else { after });
        let mut going = true;
        job.pass(pass, after, read, &mut |reached| bytes.store(reached, Relaxed), &mut |planned| {
            feed.way.done = if by_spans { feed.way.done + planned.spans } else { bytes.load(Relaxed) };
            going = feed.take(planned);
            if let Some(lasts) = lasts {
                feed.way.lasts = Some(lasts.saturating_sub(feed.timetable.skipped()));
            }
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
fn conclude(job: &Job<'_>, feed: Feed<'_>, read: &Read, passed: Result<(), InputError>) -> Result<Exit, Error> {
    let mut end = feed.end(&job.target, passed.is_ok());
    if read.missing > 0 {
        let spans = if read.missing == 1 { "1 span".to_owned() } else { format!("{} spans", read.missing) };
        let words = format!("{spans} could not be read again: the input has changed, or a temporary file");
        end.say("missing", words);
    }
    let judged = job.judge(read, end.console);
    let interrupted = end.interrupted();
    if end.sent.requests == 0 && end.sent.resumed_past == 0 && !interrupted && !end.sent.given_up {
        return passed.map_err(Error::from).and(judged).map(|()| Exit::Unreadable);
    }
    let lost = end.lost() || read.missing > 0;
    end.tell();
    passed?;
    if !interrupted {
        judged?;
    }
    let forever = job.args.repeat == Repeat::Forever;
    Ok(if lost || interrupted && !forever { Exit::Found } else { Exit::Fine })
}

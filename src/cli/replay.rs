//! `tracectl replay`: send recorded spans to a receiver, again.
//!
//! Comes in: inputs and options. Goes out: requests to a receiver, and what became of them; or what would be sent, and when.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::output::OutputArgs;
use super::replay_args::{Args, Repeat};
use super::replay_dry::Dry;
use super::replay_feed::{Feed, Timetable};
use super::replay_job::{Job, Read};
use super::replay_journal::Journal;
use super::replay_ledger::{Ledger, Letters};
use super::replay_talk::{Sent, Talk};
use crate::input::InputError;
use crate::send::{Sender, Settings};

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

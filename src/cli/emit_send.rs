//! `tracectl emit --to`: what is made up goes to a receiver at once.
//!
//! Comes in: options and a URL. Goes out: requests to a receiver, and what became of them. It makes no files.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::emit_args::{Args, Settings};
use super::emit_wishes::Wishes;
use super::error::{Error, Problem};
use super::sending_feed::Feed;
use super::sending_ledger::Ledger;
use super::sending_letters::Letters;
use super::sending_run::Run;
use super::sending_way::Way;
use crate::emit::{Batch, Made, Play};
use crate::otlp::Encoding;
use crate::replay::{Bounds, Planned, parted};

/// Sends what is made up.
pub(super) fn run(args: &Args, url: &str, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let target = args.send.target(Some(url).filter(|url| !url.is_empty()), console)?;
    let Settings { plan, jobs } = args.settings(config, console.around().now)?;
    let run = Run {
        target: &target,
        delivery: &args.delivery,
        log_format: args.log_format,
        ledger: ledger(args)?,
        rate: None,
        way: way(&Wishes::of(&plan)),
        endless: false,
        resumable: false,
        bound: "the 4 MiB that receivers take",
        seed: None,
    };
    let mut feed = run.begin(console)?;
    let begins = args.paced().then_some(plan.start);
    let encoding = target.protocol().encoding();
    let wanted = Wishes::of(&plan);
    let most = if begins.is_some() { HELD } else { 0 };
    let mut queue = Queue::new(Play::begin(plan, encoding, jobs), most);
    while let Some(batch) = queue.next() {
        queue.sent += batch.spans as u64;
        feed.way.done = wanted.done(&Made { spans: queue.sent, ..queue.play.made() });
        if !take(&mut feed, batch, begins, encoding) {
            break;
        }
    }
    let made = queue.play.made();
    drop(queue);
    let end = feed.end(&target, true);
    let fine = !end.lost() && !end.interrupted();
    end.tell();
    wanted.idle(&made).for_each(|idle| console.talk(&idle));
    Ok(if fine { Exit::Fine } else { Exit::Found })
}

/// The file that takes what is not delivered.
fn ledger(args: &Args) -> Result<Ledger, Error> {
    let letters = args
        .dead_letter
        .as_ref()
        .map(|path| Letters::new(path, false).map_err(|source| Problem::Letters { path: path.clone(), source }));
    Ok(Ledger::new(letters.transpose()?, None))
}

/// Bytes that are made up ahead of their time, so that traces that last long do not keep the requests of later ones waiting.
const HELD: usize = 64 << 20;

/// Requests in the order in which they are due, as far as one can see ahead.
struct Queue {
    play: Play,
    /// By when they end, and by their number.
    held: BTreeMap<(u64, u64), Batch>,
    bytes: usize,
    most: usize,
    taken: u64,
    /// Spans that have been handed on.
    sent: u64,
}

impl Queue {
    /// A queue that holds so many bytes, and a request at least.
    fn new(play: Play, most: usize) -> Self {
        Self { play, held: BTreeMap::new(), bytes: 0, most, taken: 0, sent: 0 }
    }
}

impl Iterator for Queue {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        while (self.held.is_empty() || self.bytes < self.most)
            && let Some(batch) = self.play.next()
        {
            self.bytes += batch.bytes.len();
            self.held.insert((batch.ends, self.taken), batch);
            self.taken += 1;
        }
        let (_, batch) = self.held.pop_first()?;
        self.bytes -= batch.bytes.len();
        Some(batch)
    }
}

/// How far there is to go.
fn way(wishes: &Wishes) -> Way {
    if wishes.by_spans { Way::of_spans(wishes.amount, None) } else { Way::of(Some(wishes.amount), None) }
}

/// Hands a request over when it is due, in parts where receivers would not take it whole, and what is torn off it after it; `false` when
/// no more are wanted.
fn take(feed: &mut Feed<'_>, batch: Batch, begins: Option<u64>, encoding: Encoding) -> bool {
    let due = begins.map_or(Duration::ZERO, |begins| Duration::from_nanos(batch.ends.saturating_sub(begins)));
    let (spans, bounds) = (batch.spans as u64, Bounds { spans: u64::MAX, ..Bounds::default() });
    let whole = |bytes: Vec<u8>| Planned { bytes: bytes.into(), spans, due, oversize: false };
    // Cut off, it stands for the spans that would have been in it.
    let torn = batch.torn().map(<[u8]>::to_vec);
    let mut messages = Vec::new();
    if batch.bytes.len() > bounds.bytes {
        parted(&batch.bytes, encoding, bounds, &mut |part| messages.push(Planned { due, ..part }));
    } else {
        messages.push(whole(batch.bytes));
    }
    messages.extend(torn.map(whole));
    messages.into_iter().all(|planned| feed.take(planned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::{Extent, Plan, Scenario};
    use crate::model::Rate;

    #[test]
    fn what_is_paced_does_not_wait_for_a_full_request() {
        let slow = |flush| Plan {
            extent: Extent { traces: 60, ..Plan::default().extent },
            rate: Rate::per_second(1),
            scenario: Scenario::Chat,
            flush,
            ..Plan::default()
        };
        let first = |flush| {
            let queue = Queue::new(Play::begin(slow(flush), Encoding::Proto, 1), HELD);
            queue.map(|batch| batch.ends - slow(flush).start).min().unwrap()
        };
        assert!(first(u64::MAX) > 10_000_000_000);
        assert!(first(5_000_000_000) < 10_000_000_000);
    }

    #[test]
    fn a_queue_that_sees_ahead_is_in_the_order_of_time_and_loses_nothing() {
        let plan = || Plan { extent: Extent { traces: 200, ..Plan::default().extent }, ..Plan::default() };
        let ends = |most| {
            let queue = Queue::new(Play::begin(plan(), Encoding::Proto, 1), most);
            queue.map(|batch| batch.ends).collect::<Vec<_>>()
        };
        let (mut as_made, ahead) = (ends(0), ends(HELD));
        assert!(!as_made.is_sorted() && ahead.is_sorted());
        as_made.sort_unstable();
        assert_eq!(as_made, ahead);
    }
}

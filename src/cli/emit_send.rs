//! `tracectl emit --to`: what is made up goes to a receiver at once.
//!
//! Comes in: options and a URL. Goes out: requests to a receiver, and what became of them. It makes no files.

use std::time::Duration;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::emit_args::{Args, Settings};
use super::error::Error;
use super::replay_feed::Feed;
use super::replay_ledger::Ledger;
use super::replay_talk::Way;
use super::sending_run::Run;
use crate::emit::{Batch, Plan, Play};
use crate::replay::Planned;

/// Sends what is made up.
pub(super) fn run(args: &Args, url: &str, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let target = args.send.target(Some(url), console)?;
    let Settings { plan, jobs } = args.settings(config, console.around().now)?;
    let run = Run {
        target: &target,
        delivery: &args.delivery,
        log_format: args.log_format,
        ledger: Ledger::default(),
        rate: None,
        way: way(&plan),
        seed: None,
    };
    let mut feed = run.begin(console)?;
    let begins = args.paced().then_some(plan.start);
    let encoding = target.protocol().encoding();
    let by_spans = plan.extent.spans != u64::MAX;
    let mut play = Play::begin(plan, encoding, jobs);
    while let Some(batch) = play.next() {
        feed.way.done = if by_spans { feed.way.done + batch.spans as u64 } else { play.made().traces };
        if !take(&mut feed, batch, begins) {
            break;
        }
    }
    drop(play);
    let end = feed.end(&target, true);
    let fine = !end.lost() && !end.interrupted();
    end.tell();
    Ok(if fine { Exit::Fine } else { Exit::Found })
}

/// How much there is to be sent: spans where their number was asked for, else traces.
fn way(plan: &Plan) -> Way {
    Way { total: Some(plan.extent.spans.min(plan.traces())), done: 0 }
}

/// Hands a request over when it is due, and its torn half after it; `false` when no more are wanted.
fn take(feed: &mut Feed<'_>, batch: Batch, begins: Option<u64>) -> bool {
    let due = begins.map_or(Duration::ZERO, |begins| Duration::from_nanos(batch.ends.saturating_sub(begins)));
    let spans = batch.spans as u64;
    // Cut off, it stands for the spans that would have been in it.
    let half = batch.torn.then(|| batch.half().to_vec());
    let messages = [Some(batch.bytes), half].into_iter().flatten();
    messages.map(|bytes| Planned { bytes, spans, due, oversize: false }).all(|planned| feed.take(planned))
}

//! What all workers share: how the receiver is, how much hurry there is, whom to tell.
//!
//! Comes in: what workers meet. Goes out: leave to go on, waits that all keep, events.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::Clock;
use super::gate::Gate;
use super::meter::Meter;
use super::outcome::{Event, Outcome, Request, Verdict};
use super::target::Target;

/// The longest wait that a receiver is granted because it asks for it.
pub(super) const ASKED: Duration = Duration::from_secs(300);

/// How much patience is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Haste {
    /// All of it.
    #[default]
    None,
    /// What is under way may end; nothing is tried again, and nothing new is begun.
    LastTry,
    /// Nothing is waited for.
    Now,
}

/// How the receiver is.
#[derive(Debug, Default)]
struct Health {
    /// It does not want to be asked before.
    not_before: Option<Instant>,
    /// When it took a request last.
    taken: Option<Instant>,
    /// Why it was given up on.
    given_up: Option<String>,
}

/// What all workers share.
pub(super) struct Shared {
    pub(super) target: Arc<Target>,
    pub(super) clock: Clock,
    pub(super) patience: Duration,
    pub(super) seed: u64,
    /// Nothing more is sent to a receiver that was given up on.
    pub(super) stops: bool,
    pub(super) gate: Gate,
    pub(super) meter: Meter,
    pub(super) haste: watch::Sender<Haste>,
    pub(super) heed: Mutex<Box<dyn FnMut(Event) + Send>>,
    pub(super) queue: tokio::sync::Mutex<UnboundedReceiver<Request>>,
    health: Mutex<Health>,
    /// Somebody waits, and people were told.
    waiting: AtomicBool,
    /// The receiver was given up on and none was taken since: until then each request is tried once.
    down: AtomicBool,
}

/// What is decided before the first request.
pub(super) struct Terms {
    pub(super) target: Target,
    pub(super) clock: Clock,
    pub(super) patience: Duration,
    pub(super) seed: u64,
    pub(super) stops: bool,
    pub(super) gate: Gate,
}

impl Shared {
    pub(super) fn new(
        terms: Terms,
        queue: UnboundedReceiver<Request>,
        heed: impl FnMut(Event) + Send + 'static,
    ) -> Self {
        let Terms { target, clock, patience, seed, stops, gate } = terms;
        Self {
            target: Arc::new(target),
            clock,
            patience,
            seed,
            stops,
            gate,
            meter: Meter::default(),
            haste: watch::Sender::new(Haste::None),
            heed: Mutex::new(Box::new(heed)),
            queue: tokio::sync::Mutex::new(queue),
            health: Mutex::default(),
            waiting: AtomicBool::new(false),
            down: AtomicBool::new(false),
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, event: Event) {
        (self.heed.lock().unwrap_or_else(PoisonError::into_inner))(event);
    }

    /// A request has come to its end.
    pub(super) fn settle(
        &self,
        request: Request,
        verdict: Verdict,
        outcome: impl FnOnce(u64, u64, Verdict, Option<Request>) -> Outcome,
    ) {
        let (tag, spans, size) = (request.tag, request.spans, request.bytes.len());
        let taken = match &verdict {
            Verdict::Accepted { .. } => true,
            // Which ones were rejected is not told, but of all of them it is known.
            Verdict::Partial { rejected, .. } => *rejected < spans,
            Verdict::Rejected { .. } | Verdict::Failed { .. } | Verdict::Unsent => false,
        };
        let unsent = verdict == Verdict::Unsent;
        let outcome = outcome(tag, spans, verdict, (!taken).then_some(request));
        self.meter.settled(&outcome);
        self.tell(Event::Done(outcome));
        if unsent {
            // Not before it was told: who waits for all to be settled has heard of it then.
            self.meter.returned(spans, size);
        }
        self.gate.leave(size);
    }

    pub(super) fn haste(&self) -> Haste {
        *self.haste.borrow()
    }

    /// Less patience from now on.
    pub(super) fn hasten(&self, haste: Haste) {
        self.haste.send_if_modified(|now| {
            let later = haste > *now;
            *now = haste.max(*now);
            later
        });
    }

    /// Waits; `false` when it is over meanwhile.
    pub(super) async fn pause(&self, wait: Duration) -> bool {
        let mut haste = self.haste.subscribe();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = haste.wait_for(|haste| *haste != Haste::None) => false,
        }
    }

    /// Nobody asks the receiver before so much time has passed.
    pub(super) fn throttle(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait);
        let mut health = self.health();
        health.not_before = health.not_before.max(until);
    }

    /// How long the receiver still wants to be left alone.
    pub(super) fn throttled(&self) -> Option<Duration> {
        let rest = self.health().not_before?.checked_duration_since(Instant::now());
        rest.filter(|rest| !rest.is_zero())
    }

    /// Whether the receiver has taken a request since then, or ever.
    pub(super) fn taken_after(&self, then: Option<Instant>) -> bool {
        self.health().taken.is_some_and(|taken| then.is_none_or(|then| taken >= then))
    }

    /// The receiver has taken a request.
    pub(super) fn takes_again(&self) {
        self.health().taken = Some(Instant::now());
        self.down.store(false, Relaxed);
        if self.waiting.swap(false, Relaxed) {
            self.tell(Event::Again);
        }
    }

    /// A request has to wait, which is told once until one is taken.
    pub(super) fn waits(&self, why: &str, wait: Duration, asked: bool) {
        if !self.waiting.swap(true, Relaxed) {
            self.tell(Event::Waiting { why: why.to_owned(), wait, asked });
        }
    }

    /// The receiver takes nothing, and will not.
    pub(super) fn give_up(&self, why: &str) {
        self.down.store(true, Relaxed);
        if self.stops {
            self.health().given_up.get_or_insert_with(|| why.to_owned());
            self.hasten(Haste::LastTry);
        }
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.load(Relaxed)
    }

    /// Why the receiver was given up on, if it was.
    pub(super) fn given_up(&self) -> Option<String> {
        self.health().given_up.clone()
    }
}

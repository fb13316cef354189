//! The sender, as callers without async see it.
//!
//! Comes in: a target, bounds, and a function that hears what happens. Goes out: a handle that takes requests, and totals. All async
//! work is on threads of its own, which end when the handle is gone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::clock::Clock;
use super::gate::Gate;
use super::meter::SentTotals;
use super::outcome::{Event, Request};
use super::shared::{Haste, Shared, Terms};
use super::target::Target;
use super::work::work;

/// How a sender behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Requests under way at a time; each has a connection of its own.
    pub concurrency: usize,
    /// Requests that are handed over and not yet at their end.
    pub requests: usize,
    /// Bytes of those requests.
    pub bytes: usize,
    /// How long one request is tried again and again. Zero: only once. A wait that the receiver asks for is granted up to five
    /// minutes while there is any patience left.
    pub patience: Duration,
    /// Whether nothing more is sent once the receiver was given up on: what was not begun comes back unsent. Else every
    /// request is tried once until one is taken.
    pub stops: bool,
    /// The time now, Unix nanoseconds, for receivers that name a date to come again at; zero where it is not known.
    pub now: u64,
    /// Where the chance in waiting times begins.
    pub seed: u64,
    /// Hear Ctrl-C and SIGTERM: the first lets what is under way end and gives the rest back unsent, the second ends it.
    pub signals: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 4,
            requests: 64,
            bytes: 64 << 20,
            patience: Duration::from_secs(60),
            stops: false,
            now: 0,
            seed: 0,
            signals: false,
        }
    }
}

/// Why a sender could not begin.
#[derive(Debug, Error)]
#[error("cannot start sending")]
pub struct SendError(#[from] io::Error);

/// Sends requests until it is finished or dropped. Dropped, it gives up what is under way.
pub struct Sender {
    shared: Arc<Shared>,
    queue: Option<UnboundedSender<Request>>,
    thread: Option<JoinHandle<()>>,
    interrupts: Arc<AtomicU32>,
    interrupted: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Sender {
    /// Starts. `heed` hears an [`Event::Done`] for every request, on another thread; while it runs nothing else is told.
    pub fn start(
        target: Target,
        settings: Settings,
        heed: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, SendError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("send").enable_all().build()?;
        let (queue, requests) = unbounded_channel();
        let Settings { patience, stops, seed, .. } = settings;
        let gate = Gate::new(settings.requests.max(settings.concurrency), settings.bytes);
        let terms = Terms { target, clock: Clock::new(settings.now), patience, seed, stops, gate };
        let shared = Arc::new(Shared::new(terms, requests, heed));
        let interrupts = Arc::new(AtomicU32::new(0));
        let interrupted = Arc::new(AtomicBool::new(false));
        if settings.signals {
            let _inside = runtime.enter();
            watch_signals(&shared, &interrupts, &interrupted)?;
        }
        let (over, all) = (Arc::new(AtomicBool::new(false)), Arc::clone(&shared));
        let ended = Arc::clone(&over);
        let run = move || run(runtime, &all, settings.concurrency.max(1), &ended);
        let thread = std::thread::Builder::new().name("sender".into()).spawn(run)?;
        Ok(Self { shared, queue: Some(queue), thread: Some(thread), interrupts, interrupted, over })
    }

    /// Hands a request over; waits while the bounds are reached.
    pub fn send(&self, request: Request) {
        self.shared.gate.enter(request.bytes.len());
        self.hand_over(request);
    }

    /// Hands a request over if the bounds allow it now; gives it back otherwise.
    pub fn try_send(&self, request: Request) -> Result<(), Request> {
        if !self.shared.gate.try_enter(request.bytes.len()) {
            return Err(request);
        }
        self.hand_over(request);
        Ok(())
    }

    fn hand_over(&self, request: Request) {
        self.shared.meter.entered(request.spans, request.bytes.len());
        if let Some(queue) = &self.queue {
            // The workers live as long as the queue.
            let _ = queue.send(request);
        }
    }

    /// What was counted so far.
    pub fn totals(&self) -> SentTotals {
        self.shared.meter.totals()
    }

    /// Why nothing more is sent, if the receiver was given up on.
    pub fn given_up(&self) -> Option<String> {
        self.shared.given_up()
    }

    /// How often Ctrl-C or SIGTERM was heard.
    pub fn interrupts(&self) -> u32 {
        self.interrupts.load(Relaxed)
    }

    /// A flag that is up from the first Ctrl-C or SIGTERM on, for whoever waits for something else meanwhile.
    pub fn interrupted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// Takes no more requests and waits until every one has come to its end.
    pub fn finish(mut self) -> SentTotals {
        self.queue = None;
        self.join();
        self.totals()
    }

    /// Like [`Self::finish`], but gives up what is not at its end after this time.
    pub fn finish_within(mut self, time: Duration) -> SentTotals {
        self.queue = None;
        let begun = Instant::now();
        while !self.over.load(Relaxed) && begun.elapsed() < time {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.shared.hasten(Haste::Now);
        self.join();
        self.totals()
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // The thread ends by itself: who drops a handle may be where nobody may wait.
        self.queue = None;
        self.shared.hasten(Haste::Now);
    }
}

/// The thread that owns the runtime: lives until all workers are done.
fn run(runtime: Runtime, shared: &Arc<Shared>, workers: usize, over: &AtomicBool) {
    runtime.block_on(async {
        let numbers = (0u64..).take(workers);
        let workers: Vec<_> = numbers.map(|number| tokio::spawn(work(Arc::clone(shared), number))).collect();
        for worker in workers {
            let _ = worker.await;
        }
    });
    over.store(true, Relaxed);
    // Nobody waits for a name that is still being looked up.
    runtime.shutdown_timeout(Duration::from_millis(100));
}

fn watch_signals(shared: &Arc<Shared>, interrupts: &Arc<AtomicU32>, interrupted: &Arc<AtomicBool>) -> io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signals = signal(kind)?;
        let (shared, interrupts, interrupted) = (Arc::clone(shared), Arc::clone(interrupts), Arc::clone(interrupted));
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let before = interrupts.fetch_add(1, Relaxed);
                interrupted.store(true, Relaxed);
                shared.hasten(if before == 0 { Haste::LastTry } else { Haste::Now });
            }
        });
    }
    Ok(())
}

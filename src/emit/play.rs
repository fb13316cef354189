//! Plays a whole plan on several threads, in order.
//!
//! Comes in: a plan, an encoding, a number of threads. Goes out: an iterator of requests. Whoever takes them sets the pace: threads
//! are never more than a few chunks ahead each, so that memory stays the same however much is made up.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use super::fault::Hits;
use super::plan::{Plan, WAITING};
use super::stage::{Batch, Chunk, Desk, Stage};
use crate::otlp::Encoding;

/// The requests of a plan, one after another: the same for every number of threads.
pub struct Play {
    plan: Arc<Plan>,
    encoding: Encoding,
    /// What each thread makes; chunk after chunk in turn.
    lines: Vec<Line>,
    threads: Vec<JoinHandle<()>>,
    /// The next chunk.
    next: u64,
    /// Requests that have been made and not been taken, the last one first.
    ready: Vec<Batch>,
    made: Made,
    over: bool,
}

/// What goes between a thread and whoever takes what it makes.
struct Line {
    chunks: Receiver<Chunk>,
    /// Buffers go back to the thread that filled them: new memory costs more than what is written into it.
    spent: Sender<Vec<u8>>,
}

/// What has been made up so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Traces begun by requests and schedules.
    pub traces: u64,
    /// Spans.
    pub spans: u64,
    /// Faults that hit one of the traces.
    pub hit: Hits,
    /// Faults that found something to spoil in one of them.
    pub spoilt: Hits,
}

impl Play {
    /// Begins; `jobs` threads at least one.
    pub fn begin(plan: Plan, encoding: Encoding, jobs: usize) -> Self {
        let plan = Arc::new(plan);
        let chunks = plan.traces().div_ceil(plan.chunk());
        let jobs = plan.threads(jobs.max(1) as u64).min(chunks.max(1));
        let mut lines = Vec::new();
        let mut threads = Vec::new();
        for job in 0..jobs {
            let (sender, made) = sync_channel(WAITING);
            let (spent, back) = channel();
            let plan = Arc::clone(&plan);
            threads.push(thread::spawn(move || {
                let stage = Stage::new(&plan);
                let mut desk = Desk::new(back);
                for number in (job..chunks).step_by(usize::try_from(jobs).unwrap_or(1)) {
                    let chunk = stage.chunk(number * plan.chunk(), size(&plan, number), encoding, &mut desk);
                    // Nobody listens any more: enough has been made.
                    if sender.send(chunk).is_err() {
                        return;
                    }
                }
            }));
            lines.push(Line { chunks: made, spent });
        }
        let over = chunks == 0;
        Self { plan, encoding, lines, threads, next: 0, ready: Vec::new(), made: Made::default(), over }
    }

    /// What has been made up so far.
    pub fn made(&self) -> Made {
        self.made
    }

    /// The next request, in exchange for one that is done with.
    pub fn swap(&mut self, mut spent: Batch) -> Option<Batch> {
        if spent.bytes.capacity() > 0
            && let Some(line) = self.line(self.next.saturating_sub(1))
        {
            spent.bytes.clear();
            // A thread that has ended needs no more.
            let _ = line.spent.send(spent.bytes);
        }
        self.next()
    }

    /// Where the chunk of this number comes from.
    fn line(&self, number: u64) -> Option<&Line> {
        let jobs = self.lines.len().max(1) as u64;
        usize::try_from(number % jobs).ok().and_then(|at| self.lines.get(at))
    }

    /// Takes the next chunk in; whether there was one.
    fn take_in(&mut self) -> bool {
        let line = self.line(self.next);
        let left = self.plan.extent.spans - self.made.spans;
        let chunk = line.filter(|_| left > 0).and_then(|line| line.chunks.recv().ok());
        let Some(chunk) = chunk else { return false };
        let mut sum = 0;
        let enough = chunk.spans.iter().position(|spans| {
            sum += *spans as u64;
            sum >= left
        });
        let chunk = match enough {
            Some(at) => {
                self.over = true;
                // The last chunk once more, without the traces that nobody asked for.
                let first = self.next * self.plan.chunk();
                Stage::new(&self.plan).chunk(first, at as u64 + 1, self.encoding, &mut Desk::default())
            }
            None => chunk,
        };
        self.next += 1;
        self.made.traces += chunk.spans.len() as u64;
        self.made.spans += chunk.spans.iter().map(|spans| *spans as u64).sum::<u64>();
        self.made.hit.join(chunk.hit);
        self.made.spoilt.join(chunk.spoilt);
        self.ready = chunk.batches;
        self.ready.reverse();
        true
    }
}

/// Traces of a chunk: the last one may be short.
fn size(plan: &Plan, number: u64) -> u64 {
    plan.traces().saturating_sub(number * plan.chunk()).min(plan.chunk())
}

impl Iterator for Play {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        loop {
            if let Some(batch) = self.ready.pop() {
                return Some(batch);
            }
            if self.over || !self.take_in() {
                return None;
            }
        }
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        // Threads that wait for somebody to take their chunk find nobody, and end.
        self.lines.clear();
        for thread in self.threads.drain(..) {
            // One that panicked has printed that already.
            let _: thread::Result<()> = thread.join();
        }
    }
}

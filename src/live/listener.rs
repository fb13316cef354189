//! The servers and the recorder, seen from outside as a plain iterator of arrivals.
//!
//! Comes in: settings. Goes out: addresses that are bound, then what happens, then the reason to stop; after that everything that
//! was acknowledged is in the file. All async work is on threads of its own.

use std::collections::{HashSet, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use super::accept::Door;
use super::address::Address;
use super::arrival::{Arrival, Batch, Encoding, Note, Reason, Written};
use super::bind::{SocketFile, bind};
use super::error::LiveError;
use super::forward::Forwarder;
use super::limits::{Claim, Room};
use super::meter::{Meter, Totals};
use super::record::{Heard, Recorder};
use super::serve::Desk;
use super::settings::{Settings, Stops};
use super::tls;

/// Batches that wait to be shown.
const WAITING: usize = 256;
/// How long silence lasts before it is told.
const TICK: Duration = Duration::from_millis(50);
/// How long open requests may take to end when listening is over.
const GRACE: Duration = Duration::from_secs(2);

/// Servers that listen until they are told to stop.
pub struct Listener {
    runtime: Option<Runtime>,
    recorder: Option<JoinHandle<Written>>,
    written: Written,
    desk: Option<Arc<Desk>>,
    forwarder: Option<Forwarder>,
    closing: watch::Sender<bool>,
    places: Arc<Semaphore>,
    connections: u32,
    batches: Receiver<(Batch, Claim)>,
    notes: VecDeque<Note>,
    meter: Arc<Meter>,
    stop: OnceLock<Reason>,
    signals: Receiver<Reason>,
    stops: Stops,
    started: Instant,
    last: (u64, Instant),
    over: bool,
    /// The files of sockets, which go when listening is over.
    sockets: Vec<SocketFile>,
    grpc: Address,
    http: Address,
}

impl Listener {
    /// Takes the addresses, then opens the record, then lets requests in. What the record held before stays until
    /// [`Listener::begin`] or the first request.
    pub fn start(settings: Settings) -> Result<Self, LiveError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime =
            Builder::new_multi_thread().worker_threads(cores.clamp(2, 4)).thread_name("live").enable_all().build()?;
        let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let (grpc_socket, grpc) = runtime.block_on(bind(&settings.grpc))?;
        let mut sockets: Vec<SocketFile> = SocketFile::of(&grpc).into_iter().collect();
        let (http_socket, http) = runtime.block_on(bind(&settings.http))?;
        sockets.extend(SocketFile::of(&http));
        let (out, batches) = sync_channel(WAITING);
        let meter = Arc::new(Meter::new(settings.show.then_some(out)));
        let inside = runtime.enter();
        let forwarder = settings.forward.map(|target| Forwarder::start(target, Arc::clone(&meter))).transpose()?;
        let signals = watch_signals()?;
        let heard: Heard = {
            let (meter, forwarder) = (Arc::clone(&meter), forwarder.clone());
            Arc::new(move |batch: Batch, broken| {
                if let Some(forwarder) = &forwarder {
                    forwarder.pass(&batch.bytes, batch.encoding, batch.spans);
                }
                meter.accepted(batch, broken);
            })
        };
        let (recorder, thread) = match settings.record {
            None => (None, None),
            Some(record) => {
                let path = record.path.clone();
                let started = Recorder::start(record, Arc::clone(&meter), Arc::clone(&heard));
                let (recorder, thread) = started.map_err(|source| LiveError::Record { path, source })?;
                (Some(recorder), Some(thread))
            }
        };
        let desk = Arc::new(Desk {
            limit: settings.limits.request,
            patience: settings.limits.patience,
            token: settings.token,
            origins: settings.origins,
            room: Room::new(settings.limits.queue),
            meter: Arc::clone(&meter),
            recorder,
            heard,
            traces: settings.stops.traces.map(|_| Mutex::new(HashSet::new())),
        });
        let (closing, closed) = watch::channel(false);
        let places = Arc::new(Semaphore::new(settings.limits.connections));
        let door = Door { desk: Arc::clone(&desk), tls, places: Arc::clone(&places), closing: closed };
        tokio::spawn(door.clone().keep(grpc_socket));
        tokio::spawn(door.keep(http_socket));
        drop(inside);
        let now = Instant::now();
        Ok(Self {
            runtime: Some(runtime),
            recorder: thread,
            written: Written::default(),
            desk: Some(desk),
            forwarder,
            closing,
            places,
            connections: u32::try_from(settings.limits.connections).unwrap_or(u32::MAX),
            batches,
            notes: VecDeque::new(),
            meter,
            stop: OnceLock::new(),
            signals,
            stops: settings.stops,
            started: now,
            last: (0, now),
            over: false,
            sockets,
            grpc,
            http,
        })
    }

    /// From now on the record is the new one: nothing that could fail stands in its way any more.
    pub fn begin(&self) {
        if let Some(recorder) = self.desk.as_ref().and_then(|desk| desk.recorder.as_ref()) {
            recorder.begin();
        }
    }

    /// The files of the record, once listening is over.
    pub fn written(&self) -> Written {
        self.written.clone()
    }

    /// Where gRPC is expected.
    pub fn grpc(&self) -> &Address {
        &self.grpc
    }

    /// Where HTTP is expected.
    pub fn http(&self) -> &Address {
        &self.http
    }

    /// What was counted so far.
    pub fn totals(&self) -> Totals {
        self.meter.totals()
    }

    /// Requests to paths where nothing is, the path with the most of them first. Paths are untrusted text.
    pub fn astray(&self) -> Vec<(String, u64)> {
        self.meter.strays()
    }

    /// Records a request that did not come from the network; `false` when it cannot be.
    pub fn record(&self, request: Vec<u8>, encoding: Encoding) -> bool {
        let (Some(runtime), Some(desk)) = (&self.runtime, &self.desk) else { return false };
        runtime.block_on(desk.own(request.into(), encoding))
    }

    /// Ends listening; the first reason counts.
    pub fn stop(&self, reason: Reason) {
        let _ = self.stop.set(reason);
    }

    /// How long no request came.
    pub fn quiet(&self) -> Duration {
        self.last.1.elapsed()
    }

    /// Why it is over, if it is.
    fn reason(&mut self) -> Option<Reason> {
        if let Some(reason) = self.stop.get() {
            return Some(*reason);
        }
        let totals = self.meter.totals();
        if totals.requests != self.last.0 {
            self.last = (totals.requests, Instant::now());
        }
        let reached = |limit: Option<u64>, now: u64| limit.is_some_and(|limit| now >= limit);
        let waited = |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| since.elapsed() >= limit);
        if reached(self.stops.spans, totals.spans) {
            Some(Reason::Spans)
        } else if reached(self.stops.traces, self.traces()) {
            Some(Reason::Traces)
        } else if waited(self.stops.after, self.started) {
            Some(Reason::Time)
        } else if waited(self.stops.idle, self.last.1) {
            Some(Reason::Idle)
        } else {
            None
        }
    }

    fn traces(&self) -> u64 {
        let traces = self.desk.as_ref().and_then(|desk| desk.traces.as_ref());
        traces.map_or(0, |traces| traces.lock().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    /// Lets requests that are under way end, then closes the doors and the file.
    fn close(&mut self) {
        let _ = self.closing.send(true);
        if let Some(runtime) = self.runtime.take() {
            let (places, all) = (Arc::clone(&self.places), self.connections);
            let _ = runtime.block_on(async { tokio::time::timeout(GRACE, places.acquire_many(all)).await.map(drop) });
            // Nobody waits for what a stalled peer may still send.
            runtime.shutdown_timeout(Duration::from_millis(200));
        }
        self.sockets.clear();
        self.desk = None;
        if let Some(recorder) = self.recorder.take() {
            self.written = recorder.join().unwrap_or_default();
        }
        if let Some(forwarder) = self.forwarder.take() {
            forwarder.finish();
        }
    }
}

impl Iterator for Listener {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        if self.notes.is_empty() {
            self.notes.extend(self.meter.take_notes());
        }
        if let Some(note) = self.notes.pop_front() {
            return Some(Arrival::Note(note));
        }
        if self.over {
            return self.batches.try_recv().ok().map(|(batch, _)| Arrival::Batch(batch));
        }
        if let Ok(signal) = self.signals.try_recv() {
            return Some(Arrival::Signal(signal));
        }
        if let Some(reason) = self.reason() {
            self.over = true;
            self.close();
            return Some(Arrival::Stop(reason));
        }
        match self.batches.recv_timeout(TICK) {
            Ok((batch, _)) => Some(Arrival::Batch(batch)),
            Err(RecvTimeoutError::Timeout) => Some(Arrival::Quiet),
            // Nobody asked to be shown anything.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(TICK);
                Some(Arrival::Quiet)
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.close();
    }
}

/// Turns signals into reasons to stop.
fn watch_signals() -> std::io::Result<Receiver<Reason>> {
    let kinds = [
        (SignalKind::interrupt(), Reason::Interrupted),
        (SignalKind::terminate(), Reason::Terminated),
        (SignalKind::hangup(), Reason::Terminated),
    ];
    let (out, reasons) = channel();
    for (kind, reason) in kinds {
        let mut signals = signal(kind)?;
        let out = out.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let _ = out.send(reason);
            }
        });
    }
    Ok(reasons)
}

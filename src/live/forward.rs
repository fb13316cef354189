//! Passes every request on to another receiver, never in the way of recording.
//!
//! Comes in: requests that were recorded. Goes out: the same requests, as they came where the receiver's protocol allows it; what
//! does not fit the bounds or is not taken in the end is counted and let go.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::arrival::{Encoding, Note};
use super::error::LiveError;
use super::gather::proto_of;
use super::meter::Meter;
use crate::send::{Event, Request, Sender, Settings, Target, Verdict};

/// Requests that wait to be passed on, and their bytes.
const REQUESTS: usize = 1024;
const BYTES: usize = 64 << 20;
/// How long one request is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long what waits may take when listening is over.
const GRACE: Duration = Duration::from_secs(5);

/// The way to the other receiver.
#[derive(Clone)]
pub(super) struct Forwarder {
    sender: Arc<Mutex<Option<Sender>>>,
    as_proto: bool,
    meter: Arc<Meter>,
}

impl Forwarder {
    /// Starts passing on.
    pub(super) fn start(target: Target, meter: Arc<Meter>) -> Result<Self, LiveError> {
        let as_proto = !target.takes(Encoding::Json);
        let settings = Settings { requests: REQUESTS, bytes: BYTES, patience: PATIENCE, ..Settings::default() };
        let (counters, failing) = (Arc::clone(&meter), AtomicBool::new(false));
        let sender = Sender::start(target, settings, move |event| heed(event, &counters, &failing))?;
        Ok(Self { sender: Arc::new(Mutex::new(Some(sender))), as_proto, meter })
    }

    /// Passes a request on some time.
    pub(super) fn pass(&self, bytes: &Bytes, encoding: Encoding, spans: u64) {
        let (bytes, encoding) = match encoding {
            Encoding::Json if self.as_proto => (proto_of(bytes, encoding).into(), Encoding::Proto),
            encoding => (bytes.clone(), encoding),
        };
        let request = Request { bytes, encoding, spans, tag: 0, doubtful: false };
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.as_ref().is_none_or(|sender| sender.try_send(request).is_err()) {
            self.meter.unforwarded.fetch_add(1, Relaxed);
        }
    }

    /// Lets what waits be passed on for a moment, and counts the rest. Not for async callers: it waits.
    pub(super) fn finish(&self) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            sender.finish_within(GRACE);
        }
    }
}

/// Counts, and says once that something is wrong and once that it is over.
fn heed(event: Event, meter: &Meter, failing: &AtomicBool) {
    let outcome = match event {
        Event::Done(outcome) => outcome,
        Event::Waiting { why, .. } => return complain(why, meter, failing),
        Event::Again => return recover(meter, failing),
        Event::Begun { .. } | Event::Back { .. } => return,
    };
    match outcome.verdict {
        Verdict::Accepted { .. } => {
            meter.forwarded.fetch_add(1, Relaxed);
            recover(meter, failing);
        }
        Verdict::Partial { rejected, message } => {
            meter.forwarded.fetch_add(1, Relaxed);
            complain(format!("the receiver rejected {rejected} of {} spans: {message}", outcome.spans), meter, failing);
        }
        Verdict::Rejected { message } | Verdict::Failed { message } => {
            meter.unforwarded.fetch_add(1, Relaxed);
            complain(message, meter, failing);
        }
        Verdict::Unsent => {
            meter.unforwarded.fetch_add(1, Relaxed);
        }
    }
}

fn complain(why: String, meter: &Meter, failing: &AtomicBool) {
    if !failing.swap(true, Relaxed) {
        meter.note(Note::CannotForward(why));
    }
}

fn recover(meter: &Meter, failing: &AtomicBool) {
    if failing.swap(false, Relaxed) {
        meter.note(Note::ForwardingAgain);
    }
}

//! What goes in and what comes back: a request, and what became of it.
//!
//! Plain data.

use std::time::Duration;

use bytes::Bytes;

use crate::otlp::Encoding;

/// One request: a whole `ExportTraceServiceRequest`.
#[derive(Clone, Debug)]
pub struct Request {
    /// The message, not compressed.
    pub bytes: Bytes,
    /// How it is written. gRPC takes protobuf only.
    pub encoding: Encoding,
    /// How many spans it holds.
    pub spans: u64,
    /// A number of the caller's, given back with the outcome.
    pub tag: u64,
    /// It was sent before, and nobody knows what became of it: it may be there.
    pub doubtful: bool,
}

/// What the receiver did with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It took everything; perhaps it had something to say.
    Accepted {
        /// A warning of the receiver, or empty.
        warning: String,
    },
    /// It took the request and rejected some of its spans. It is never sent again: which ones were rejected is not told.
    Partial {
        /// How many spans it rejected.
        rejected: u64,
        /// Why, in its words.
        message: String,
    },
    /// It refused the request for good.
    Rejected {
        /// Why, in its words.
        message: String,
    },
    /// It could not be delivered: every try failed, or no more were made.
    Failed {
        /// What went wrong last.
        message: String,
    },
    /// It was never sent: somebody stopped, or the receiver was given up on before its turn came. It counts as not handed over.
    Unsent,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The number that came with the request.
    pub tag: u64,
    /// Its spans.
    pub spans: u64,
    /// What the receiver did.
    pub verdict: Verdict,
    /// How often it was sent.
    pub tries: u32,
    /// The answer to a try was lost: the receiver may have taken it even if the verdict says otherwise.
    pub lost: bool,
    /// It was sent again after an answer was lost: its spans may be there twice.
    pub twice: bool,
    /// The request itself, where the receiver has taken none of its spans: refused, failed, unsent, or a partial success
    /// that rejected all of them.
    pub undelivered: Option<Request>,
}

/// What a sender tells as it goes.
#[derive(Clone, Debug)]
pub enum Event {
    /// Something of a request is about to be sent: from now on it may be there.
    Begun {
        /// The number that came with the request.
        tag: u64,
    },
    /// It is surely not there yet: the receiver said so. It is sent again after a while.
    Back {
        /// The number that came with the request.
        tag: u64,
    },
    /// A request has come to its end. Told once for every request.
    Done(Outcome),
    /// The receiver does not take a request at the moment; it is sent again after a while. Told once until it takes one.
    Waiting {
        /// Why.
        why: String,
        /// How long until the next try.
        wait: Duration,
        /// The receiver asked for that long.
        asked: bool,
    },
    /// The receiver takes requests again.
    Again,
}

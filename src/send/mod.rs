//! Sends requests of OTLP to a receiver: gRPC and HTTP, compressed, encrypted, tried again where that makes sense.
//!
//! Comes in: a [`Target`] and requests, each one message of OTLP. Goes out: what became of every request, through a function that
//! is called for each, and [`SentTotals`]. Async inside, plain from outside; it prints nothing and reads no environment.

mod answer;
mod backoff;
mod clock;
mod gate;
mod grpc;
mod heard;
mod inflate;
mod line;
mod meter;
mod options;
mod outcome;
mod pack;
mod sender;
mod shared;
mod status;
mod target;
mod tls;
mod url;
mod web;
mod work;

pub use meter::SentTotals;
pub use options::SendOptions;
pub use outcome::{Event, Outcome, Request, Verdict};
pub use sender::{SendError, Sender, Settings};
pub use target::{Protocol, Target, TargetError};

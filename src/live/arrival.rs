//! What the outside of this room sees of the servers.
//!
//! Plain data: batches that were recorded, remarks for people, and why it is over.

use std::path::PathBuf;

use bytes::Bytes;

pub use crate::otlp::Encoding;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// A request was recorded and acknowledged.
    Batch(Batch),
    /// Something people should hear of.
    Note(Note),
    /// A signal arrived, which stops nothing by itself.
    Signal(Reason),
    /// Nothing happened for a moment.
    Quiet,
    /// Listening is over; batches that were acknowledged before may still follow.
    Stop(Reason),
}

/// A request as it came, its compression undone.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The message.
    pub bytes: Bytes,
    /// How it is written.
    pub encoding: Encoding,
    /// How many spans it holds.
    pub spans: u64,
}

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metrics: counted and let go.
    Metrics,
    /// Logs: counted and let go.
    Logs,
}

impl Signal {
    /// The lower-case word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

/// A remark for people; each kind is made once until things change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A signal that is accepted and thrown away arrived for the first time.
    OtherSignal(Signal),
    /// The record takes the place of an earlier one.
    Replaced {
        /// The file.
        path: PathBuf,
        /// What it held.
        bytes: u64,
    },
    /// The record goes on behind an earlier one.
    Appending {
        /// The file.
        path: PathBuf,
        /// What it holds.
        bytes: u64,
    },
    /// An earlier record ended in a message that was never finished.
    Cut {
        /// The file.
        path: PathBuf,
        /// What was taken off.
        bytes: u64,
    },
    /// The record cannot be written; senders are told to try again.
    CannotWrite(String),
    /// The record can be written again.
    WritingAgain,
    /// More arrives than can be held; senders are told to try again.
    Overloaded,
    /// More arrives than can be shown: some of it is recorded only.
    Sampling,
    /// A request was refused for the first time, and why.
    Refused(String),
    /// Values were recorded in another encoding and are nested more deeply than is read: what is too deep is not in the record.
    TooDeep,
    /// Requests cannot be passed on.
    CannotForward(String),
    /// Requests can be passed on again.
    ForwardingAgain,
}

/// The files that were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Those that are there, oldest first.
    pub files: Vec<PathBuf>,
    /// How many older ones have gone to make room.
    pub gone: u32,
    /// How many spans went with them.
    pub gone_spans: u64,
}

/// Why listening is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM or a closed terminal.
    Terminated,
    /// The time that was asked for is over.
    Time,
    /// Nothing arrived for as long as was asked for.
    Idle,
    /// So many spans as were asked for arrived.
    Spans,
    /// So many traces as were asked for arrived.
    Traces,
    /// The command that was run has ended.
    Command,
    /// Nobody reads any more what is shown, and nothing else is done with it.
    Unread,
}

impl Reason {
    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
            Self::Time => "time",
            Self::Idle => "idle",
            Self::Spans => "max-spans",
            Self::Traces => "max-traces",
            Self::Command => "command",
            Self::Unread => "unread",
        }
    }

    /// Whether somebody from outside ended it.
    pub fn is_signal(self) -> bool {
        matches!(self, Self::Interrupted | Self::Terminated)
    }
}

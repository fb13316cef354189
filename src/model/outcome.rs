//! How a span ended, as people count it: one of four disjoint outcomes.
//!
//! The outcome is a reading of the data (status, recorded exceptions, end time), not a field of OTLP.

use std::fmt;

/// How a span ended. The four are disjoint; where several would fit, the order is
/// cancelled, error, unfinished, ok.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It ended, and nothing says it failed.
    #[default]
    Ok,
    /// Status ERROR.
    Error,
    /// It was told to stop, expected or not: see [`Termination`].
    Cancelled,
    /// It has no end time.
    Unfinished,
}

impl Outcome {
    /// All outcomes, in the order their names are listed to people.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Error, Self::Cancelled, Self::Unfinished];

    /// The lower-case name used in every output and by `--outcome`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Unfinished => "unfinished",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What one span says about being cancelled, before its trace is looked at as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Termination {
    /// Nothing about cancellation.
    #[default]
    None,
    /// A task was cancelled from outside (`asyncio.CancelledError`, `context canceled`): unexpected, unless an
    /// ancestor or its trace says who asked for it.
    Cancelled,
    /// Somebody asked for the end in so many words (`RunCancelledException`, HTTP 499, a closed stream).
    Requested,
}

//! Span kind and status, with the numbers OTLP gives them.
//!
//! Numbers outside the lists are kept by the reader and shown as "unspecified" or "unset" here.

use std::fmt;

/// OTLP `Span.SpanKind` (opentelemetry-proto `trace.proto`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// 0, or a number no version of the protocol names.
    #[default]
    Unspecified,
    /// 1: work inside one process.
    Internal,
    /// 2: the receiving side of a request.
    Server,
    /// 3: the sending side of a request.
    Client,
    /// 4: the sending side of a message.
    Producer,
    /// 5: the receiving side of a message.
    Consumer,
}

impl Kind {
    /// All kinds, by number.
    pub const ALL: [Self; 6] =
        [Self::Unspecified, Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];

    /// The kind with this OTLP number.
    pub fn from_number(number: i32) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied()).unwrap_or_default()
    }

    /// The lower-case name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// OTLP `Status.StatusCode` (opentelemetry-proto `trace.proto`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// 0, or a number no version of the protocol names.
    #[default]
    Unset,
    /// 1: the instrumented code said it went well.
    Ok,
    /// 2: the operation failed.
    Error,
}

impl Status {
    /// The status with this OTLP number.
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    /// The lower-case name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

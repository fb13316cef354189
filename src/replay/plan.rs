//! What is to be made of a dump, and the requests that come out.
//!
//! Plain data.

use std::time::Duration;

use bytes::Bytes;

use crate::mend::Alteration;
use crate::otlp::Encoding;

/// What is to be made of a dump.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What changes on the way.
    pub alteration: Alteration,
    /// How large a request may be.
    pub bounds: Bounds,
    /// How requests are written.
    pub encoding: Encoding,
}

/// How large a request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Spans of a request.
    pub spans: u64,
    /// Bytes of a request, not compressed.
    pub bytes: usize,
}

impl Default for Bounds {
    /// The batch of the SDKs, and what a receiver of gRPC takes unless it was told otherwise.
    fn default() -> Self {
        Self { spans: 512, bytes: 4 << 20 }
    }
}

/// A request that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The message.
    pub bytes: Bytes,
    /// How many spans it holds.
    pub spans: u64,
    /// When it is due, counted from the first. Zero where there is no pace.
    pub due: Duration,
    /// A single span that is over the bound by itself.
    pub oversize: bool,
}

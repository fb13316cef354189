//! What is to be made of a dump, and the requests that come out.
//!
//! Plain data.

use std::time::Duration;

use super::batch::Bounds;
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

/// A request that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The message.
    pub bytes: Vec<u8>,
    /// How many spans it holds.
    pub spans: u64,
    /// When it is due, counted from the first. Zero where there is no pace.
    pub due: Duration,
    /// A single span that is over the bound by itself.
    pub oversize: bool,
}

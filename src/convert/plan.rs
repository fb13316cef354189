//! What is to be written, and how.
//!
//! Plain data.

use crate::mend::Alteration;
use crate::otlp::Form;

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What changes on the way.
    pub alteration: Alteration,
    /// How it is written.
    pub form: Form,
    /// How many bytes, not compressed, a part may have; one part where there is no bound.
    pub most: Option<u64>,
}

/// One of the files that are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What tells it from the others; empty where there is one only.
    pub name: String,
    /// Spans in it.
    pub spans: u64,
    /// Bytes of it, not compressed.
    pub bytes: u64,
}

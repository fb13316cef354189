//! The two encodings of OTLP.
//!
//! Plain data.

/// How a message of OTLP is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// OTLP/protobuf.
    #[default]
    Proto,
    /// OTLP/JSON.
    Json,
}

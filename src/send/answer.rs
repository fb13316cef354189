//! What a receiver said to one try, in terms that do not depend on the protocol.
//!
//! Comes in: the body of a good answer. Goes out: how many spans were rejected and why.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use serde_json::Value;

use super::status::Explanation;

/// The outcome of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was taken; `rejected` spans of it were not.
    Taken { rejected: u64, message: String },
    /// It never will be, in the receiver's words.
    Refused { why: String, others: Others },
    /// Whoever is there does not take OTLP like this: another protocol, a certificate that does not hold, a name nobody knows.
    Never(String),
    /// Not now.
    Later {
        why: String,
        /// What the receiver asks for.
        wait: Option<Duration>,
        /// No answer came, or one on behalf of somebody who did not answer: the request may have been taken.
        lost: bool,
    },
}

/// What a refusal says of all other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// Nothing.
    MayBeTaken,
    /// They will be refused too, unless one has been taken before.
    AreRefusedIfNoneWasTaken,
    /// They will be refused too.
    AreRefused,
}

impl Answer {
    /// Refused for what is in it.
    pub(super) fn refused(why: String) -> Self {
        Self::Refused { why, others: Others::MayBeTaken }
    }

    /// There is nobody to talk to, and there will not be.
    pub(super) fn never(why: impl Into<String>) -> Self {
        Self::Never(why.into())
    }

    /// Nothing of the request has reached anybody.
    pub(super) fn unsent(why: String) -> Self {
        Self::Later { why, wait: None, lost: false }
    }

    /// The request went out and no answer came back.
    pub(super) fn lost(why: String) -> Self {
        Self::Later { why, wait: None, lost: true }
    }
}

/// What is said of an answer that means nothing.
pub(super) const UNREADABLE: &str = "the answer cannot be read";

/// A response in protobuf. One that cannot be read is a success with a remark: the status has said so already.
pub(super) fn of_proto(bytes: &[u8]) -> Answer {
    match ExportTraceServiceResponse::decode(bytes) {
        Err(_) => Answer::Taken { rejected: 0, message: UNREADABLE.to_owned() },
        Ok(response) => {
            let partial = response.partial_success.unwrap_or_default();
            let rejected = u64::try_from(partial.rejected_spans).unwrap_or(0);
            Answer::Taken { rejected, message: partial.error_message }
        }
    }
}

/// A response in JSON, where 64-bit numbers are strings or numbers.
pub(super) fn of_json(bytes: &[u8]) -> Answer {
    let Ok(response) = serde_json::from_slice::<Value>(bytes) else {
        let message = if bytes.is_empty() { "" } else { UNREADABLE };
        return Answer::Taken { rejected: 0, message: message.to_owned() };
    };
    let partial = response.get("partialSuccess").or_else(|| response.get("partial_success"));
    let field =
        |camel: &str, snake: &str| partial.and_then(|partial| partial.get(camel).or_else(|| partial.get(snake)));
    let rejected = field("rejectedSpans", "rejected_spans").and_then(|number| match number {
        Value::String(digits) => digits.parse().ok(),
        number => number.as_u64(),
    });
    let message = field("errorMessage", "error_message").and_then(Value::as_str).unwrap_or_default();
    Answer::Taken { rejected: rejected.unwrap_or(0), message: message.to_owned() }
}

/// A status and what explains it, in one line of bounded length.
pub(super) fn words(status: &str, explanation: &Explanation) -> String {
    let message = explanation.message.trim();
    let short: String = message.chars().take(500).collect();
    if short.is_empty() { status.to_owned() } else { format!("{status}: {short}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_success_is_read_in_every_form() {
        let taken = |rejected, message: &str| Answer::Taken { rejected, message: message.to_owned() };
        assert_eq!(of_json(b"{}"), taken(0, ""));
        assert_eq!(of_json(b""), taken(0, ""));
        assert_eq!(of_json(br#"{"partialSuccess":{}}"#), taken(0, ""));
        assert_eq!(of_json(br#"{"partialSuccess":null}"#), taken(0, ""));
        assert_eq!(of_json(br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#), taken(3, "x"));
        assert_eq!(of_json(br#"{"partial_success":{"rejected_spans":3}}"#), taken(3, ""));
        assert_eq!(of_json(b"<html>"), taken(0, "the answer cannot be read"));
        assert_eq!(of_proto(b""), taken(0, ""));
        assert_eq!(of_proto(b"\x0a\x05\x08\x03\x12\x01x"), taken(3, "x"));
        assert_eq!(of_proto(b"\xff"), taken(0, "the answer cannot be read"));
    }
}

//! Why a request was not taken, and what that is called in HTTP and in gRPC.
//!
//! Comes in: a refusal. Goes out: its status in both protocols and a `google.rpc.Status`, with how long to wait where trying
//! again makes sense. This is the only table of its kind.

use std::time::Duration;

use http::StatusCode;
use prost::Message;

use crate::otlp::{RetryInfo, Status};

/// How long a sender waits before it tries again.
const RETRY: Duration = Duration::from_secs(1);

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no OTLP.
    Malformed(String),
    /// It is larger than the limit, as sent or uncompressed.
    TooLarge { limit: usize },
    /// It is compressed in a way nobody here undoes.
    Compression(String),
    /// It is in a format nobody here reads.
    MediaType(String),
    /// It is sent to a place where nobody is.
    NoSuchPath(String),
    /// A page of this origin sends it, which nobody has let in.
    Page(String),
    /// It does not post.
    NotPost,
    /// It does not carry the secret.
    Stranger,
    /// Its body did not come in time.
    TooSlow,
    /// There is no room for it now.
    Overloaded,
    /// It cannot be written now.
    NotWritten,
}

impl Refusal {
    /// The status of HTTP.
    pub(super) fn http(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) | Self::Compression(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoSuchPath(_) => StatusCode::NOT_FOUND,
            Self::Page(_) => StatusCode::FORBIDDEN,
            Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::Stranger => StatusCode::UNAUTHORIZED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Self::NotWritten => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code of gRPC.
    pub(super) fn grpc(&self) -> u8 {
        match self {
            Self::Malformed(_) => 3,
            Self::TooSlow => 4,
            Self::Page(_) => 7,
            Self::TooLarge { .. } => 8,
            Self::Compression(_) | Self::MediaType(_) | Self::NoSuchPath(_) | Self::NotPost => 12,
            Self::Overloaded | Self::NotWritten => 14,
            Self::Stranger => 16,
        }
    }

    /// How long to wait before the same request makes sense again; nothing when it never will.
    pub(super) fn retry(&self) -> Option<Duration> {
        matches!(self, Self::Overloaded | Self::NotWritten).then_some(RETRY)
    }

    /// What people read.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Malformed(why) => format!("malformed request: {why}"),
            Self::TooLarge { limit } => format!("the request is larger than {limit} bytes"),
            Self::Compression(name) => format!("unknown compression '{name}' (gzip, deflate, zstd or identity)"),
            Self::MediaType(name) => {
                format!("unknown media type '{name}' (application/x-protobuf or application/json)")
            }
            Self::NoSuchPath(path) => format!("nothing is at {path}"),
            Self::Page(origin) => format!("pages of {origin} may not send (--cors-origin lets them)"),
            Self::NotPost => "only POST is understood here".to_owned(),
            Self::Stranger => "the request carries no valid token".to_owned(),
            Self::TooSlow => "the body did not arrive in time".to_owned(),
            Self::Overloaded => "too much is waiting to be written".to_owned(),
            Self::NotWritten => "the record cannot be written at the moment".to_owned(),
        }
    }

    /// As a `google.rpc.Status`, protobuf.
    pub(super) fn status(&self) -> Vec<u8> {
        Status::new(self.grpc().into(), self.message(), self.retry()).encode_to_vec()
    }

    /// How long to wait, as a `google.rpc.RetryInfo` alone.
    pub(super) fn retry_info(&self) -> Option<Vec<u8>> {
        self.retry().map(|wait| RetryInfo::after(wait).encode_to_vec())
    }

    /// As a `google.rpc.Status`, JSON.
    pub(super) fn status_json(&self) -> Vec<u8> {
        let mut status = serde_json::json!({ "code": self.grpc(), "message": self.message() });
        if let (Some(wait), Some(fields)) = (self.retry(), status.as_object_mut()) {
            let delay = format!("{}s", wait.as_secs());
            let detail = serde_json::json!([{ "@type": RetryInfo::TYPE, "retryDelay": delay }]);
            fields.insert("details".to_owned(), detail);
        }
        status.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_come_again_says_when() {
        let status = Status::read(&Refusal::NotWritten.status()).unwrap();
        assert_eq!((status.code, status.retry()), (14, Some(RETRY)));
        let status = Status::read(&Refusal::TooLarge { limit: 1 }.status()).unwrap();
        assert_eq!((status.code, status.retry()), (8, None));
        let json = String::from_utf8(Refusal::Overloaded.status_json()).unwrap();
        assert!(json.contains("\"retryDelay\":\"1s\"") && json.contains("\"code\":14"), "{json}");
        assert_eq!(Refusal::Malformed(String::new()).http(), 400);
    }
}

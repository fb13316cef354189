//! Unary calls of gRPC, seen from the client.
//!
//! Comes in: the status, headers, body and trailers of a response. Goes out: an [`Answer`]: which codes are tried again is decided
//! here, as OTLP lists them.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use super::answer::{self, Answer};
use super::status::{self, Explanation};

/// The method that takes spans.
pub(super) const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const HEADER: usize = 5;
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// What stands in front of a message: whether it is compressed, and its length.
pub(super) fn header(length: usize, compressed: bool) -> Bytes {
    let mut header = BytesMut::with_capacity(HEADER);
    header.put_u8(u8::from(compressed));
    header.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    header.freeze()
}

/// Judges a whole response.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8], trailers: Option<&HeaderMap>) -> Answer {
    let text = |name: &str| {
        let value = trailers.and_then(|trailers| trailers.get(name)).or_else(|| headers.get(name));
        value.and_then(|value| value.to_str().ok())
    };
    let Some(code) = text("grpc-status").and_then(|code| code.trim().parse::<usize>().ok()) else {
        return without_code(status);
    };
    if code == 0 {
        return answer::of_proto(body.get(HEADER..).unwrap_or_default());
    }
    let details = text("grpc-status-details-bin").and_then(|details| LENIENT.decode(details).ok());
    let mut explanation = details.and_then(|details| status::of_proto(&details)).unwrap_or_default();
    if let Some(message) = text("grpc-message") {
        explanation.message = percent_decoded(message);
    }
    refused(code, explanation)
}

fn refused(code: usize, explanation: Explanation) -> Answer {
    let name = NAMES.get(code).map_or_else(|| format!("gRPC code {code}"), |name| (*name).to_owned());
    let why = answer::words(&name, &explanation);
    match code {
        // Both may come from somebody in between who saw no end of it.
        1 | 4 => Answer::Later { why, wait: explanation.wait, lost: true },
        10 | 11 | 14 | 15 => Answer::Later { why, wait: explanation.wait, lost: false },
        8 if explanation.wait.is_some() => Answer::Later { why, wait: explanation.wait, lost: false },
        _ => Answer::Refused(why),
    }
}

/// A response without a code of gRPC is not from a gRPC server, or was cut off.
fn without_code(status: StatusCode) -> Answer {
    match status.as_u16() {
        200 => Answer::lost("the answer broke off before its status".to_owned()),
        429 | 503 => Answer::Later { why: format!("HTTP {status}"), wait: None, lost: false },
        502 | 504 => Answer::lost(format!("HTTP {status}")),
        _ => Answer::Refused(format!("HTTP {status}, not gRPC: is this the gRPC port?")),
    }
}

/// The message of a status, in which bytes outside ASCII are written as `%41`.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| byte == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn code(code: &str, details: Option<&str>) -> Answer {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", code.parse().unwrap());
        trailers.insert("grpc-message", "not%20now%".parse().unwrap());
        if let Some(details) = details {
            trailers.insert("grpc-status-details-bin", details.parse().unwrap());
        }
        judge(StatusCode::OK, &HeaderMap::new(), b"", Some(&trailers))
    }

    #[test]
    fn exactly_the_listed_codes_are_tried_again() {
        for number in 1..17 {
            let later = matches!(code(&number.to_string(), None), Answer::Later { .. });
            assert_eq!(later, [1, 4, 10, 11, 14, 15].contains(&number), "{number}");
        }
        assert_eq!(code("3", None), Answer::Refused("INVALID_ARGUMENT: not now%".into()));
        assert_eq!(code("99", None), Answer::Refused("gRPC code 99: not now%".into()));
        assert!(matches!(code("0", None), Answer::Taken { rejected: 0, .. }));
    }

    #[test]
    fn an_exhausted_receiver_is_tried_again_only_when_it_says_so() {
        // Status { details: [Any { RetryInfo { retry_delay: 1s } }] }
        let info = b"\x1a\x30\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x01";
        let details = LENIENT.encode(info);
        let answer = code("8", Some(&details));
        assert!(
            matches!(&answer, Answer::Later { wait: Some(wait), .. } if *wait == Duration::from_secs(1)),
            "{answer:?}"
        );
        assert!(matches!(code("8", Some(details.trim_end_matches('='))), Answer::Later { .. }));
    }

    #[test]
    fn what_is_not_grpc_is_told() {
        let none = HeaderMap::new();
        let judged = |status: u16| judge(StatusCode::from_u16(status).unwrap(), &none, b"", None);
        assert!(matches!(judged(200), Answer::Later { lost: true, .. }));
        assert!(matches!(judged(503), Answer::Later { lost: false, .. }));
        assert!(matches!(judged(404), Answer::Refused(why) if why.contains("not gRPC")));
    }
}

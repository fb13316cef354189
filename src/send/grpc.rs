//! Unary calls of gRPC, seen from the client.
//!
//! Comes in: the status, headers, body and trailers of a response. Goes out: an [`Answer`]: which codes are tried again is decided
//! here, as OTLP lists them.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use super::answer::{self, Answer, Others};
use super::inflate::inflated;
use super::status::{self, Explanation};

/// The method that takes spans.
pub(super) const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// What to do where somebody else answers.
const HINT: &str = "is this the gRPC port? (4317 usually; --protocol http/protobuf for 4318)";

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

/// How long a call may take, as the header `grpc-timeout` has it: at most eight digits; nothing for no limit.
pub(super) fn timeout(limit: Duration) -> Option<String> {
    let within = |number: u128, unit: char| (number < 100_000_000).then(|| format!("{}{unit}", number.max(1)));
    within(limit.as_millis(), 'm').or_else(|| within(limit.as_secs().into(), 'S'))
}

/// Judges a whole response.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8], trailers: Option<&HeaderMap>) -> Answer {
    let text = |name: &str| {
        let value = trailers.and_then(|trailers| trailers.get(name)).or_else(|| headers.get(name));
        value.and_then(|value| value.to_str().ok())
    };
    let Some(code) = text("grpc-status").and_then(|code| code.trim().parse::<usize>().ok()) else {
        return without_code(status, headers.get(http::header::CONTENT_TYPE).and_then(|media| media.to_str().ok()));
    };
    if code == 0 {
        return match message(body, text("grpc-encoding")) {
            Some(message) => answer::of_proto(&message),
            None => Answer::Taken { rejected: 0, message: answer::UNREADABLE.to_owned() },
        };
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
        12 => Answer::Refused { why, others: Others::AreRefusedIfNoneWasTaken },
        16 => Answer::Refused { why, others: Others::AreRefused },
        _ => Answer::refused(why),
    }
}

/// The message behind its header, inflated where it has to be; nothing where it cannot be.
fn message<'b>(body: &'b [u8], encoding: Option<&str>) -> Option<Cow<'b, [u8]>> {
    let message = body.get(HEADER..).unwrap_or_default();
    match (body.first(), encoding) {
        (Some(1), Some("gzip")) => inflated(message).map(Cow::Owned),
        (Some(1), _) => None,
        _ => Some(Cow::Borrowed(message)),
    }
}

/// A response without a code of gRPC is not from a gRPC server, or was cut off.
fn without_code(status: StatusCode, media: Option<&str>) -> Answer {
    let other = media.filter(|media| !media.starts_with("application/grpc"));
    match (status.as_u16(), other) {
        (429 | 503, _) => Answer::Later { why: format!("HTTP {status}"), wait: None, lost: false },
        (502 | 504, _) => Answer::lost(format!("HTTP {status}")),
        (200, None) => Answer::lost("the answer broke off before its status".to_owned()),
        (_, Some(media)) if status.is_success() => {
            let media: String = media.chars().take(60).collect();
            Answer::never(format!("the answer is {media}, not gRPC: {HINT}"))
        }
        _ => Answer::Refused {
            why: format!("HTTP {status}, not gRPC: {HINT}"),
            others: if status == StatusCode::UNAUTHORIZED {
                Others::AreRefused
            } else {
                Others::AreRefusedIfNoneWasTaken
            },
        },
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
        assert_eq!(code("3", None), Answer::refused("INVALID_ARGUMENT: not now%".into()));
        assert_eq!(code("99", None), Answer::refused("gRPC code 99: not now%".into()));
        assert!(matches!(code("16", None), Answer::Refused { others: Others::AreRefused, .. }));
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
        let mut headers = HeaderMap::new();
        let judged =
            |headers: &HeaderMap, status: u16| judge(StatusCode::from_u16(status).unwrap(), headers, b"", None);
        assert!(matches!(judged(&headers, 200), Answer::Later { lost: true, .. }));
        assert!(matches!(judged(&headers, 503), Answer::Later { lost: false, .. }));
        assert!(matches!(judged(&headers, 404), Answer::Refused { why, .. } if why.contains("not gRPC")));
        headers.insert("content-type", "text/html".parse().unwrap());
        assert!(matches!(judged(&headers, 200), Answer::Never(why) if why.contains("text/html, not gRPC")));
        assert!(matches!(judged(&headers, 503), Answer::Later { .. }));
    }

    #[test]
    fn a_packed_answer_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", "0".parse().unwrap());
        let packed = crate::send::inflate::deflated(b"\x0a\x05\x08\x03\x12\x01x");
        let body = [&[1, 0, 0, 0, 0][..], &packed].concat();
        let read = |headers: &HeaderMap| judge(StatusCode::OK, headers, &body, None);
        assert!(matches!(read(&headers), Answer::Taken { rejected: 0, message } if message == answer::UNREADABLE));
        headers.insert("grpc-encoding", "gzip".parse().unwrap());
        assert_eq!(read(&headers), Answer::Taken { rejected: 3, message: "x".into() });
    }

    #[test]
    fn a_limit_is_written_in_at_most_eight_digits() {
        let written = |limit| timeout(limit).unwrap_or_default();
        assert_eq!(written(Duration::from_secs(10)), "10000m");
        assert_eq!(written(Duration::from_micros(5)), "1m");
        assert_eq!(written(Duration::from_secs(1 << 20)), "1048576S");
        assert_eq!(written(Duration::MAX), "");
    }
}

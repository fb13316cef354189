//! Unary calls of gRPC: the message in a body, and the answer around one.
//!
//! Comes in: the body of a call. Goes out: its one message, still in its bytes; an answer or a refusal with trailers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, header};

use super::refusal::Refusal;
use super::reply::Reply;
use super::upload::Packing;

/// Bytes in front of every message: a flag and its length.
pub(super) const HEADER: usize = 5;

/// The message of a unary call and how it is packed.
pub(super) fn message(body: &Bytes, packing: Packing) -> Result<(Bytes, Packing), Refusal> {
    let wrong = |why: &str| Refusal::Malformed(why.to_owned());
    let Some((head, rest)) = body.split_first_chunk::<HEADER>() else { return Err(wrong("the call has no message")) };
    let [flag, length @ ..] = *head;
    let length = u32::from_be_bytes(length) as usize;
    if rest.len() != length {
        return Err(wrong("the call does not hold exactly one whole message"));
    }
    match flag {
        0 => Ok((body.slice(HEADER..), Packing::None)),
        1 if packing == Packing::None => Err(wrong("the message is compressed, but nobody says how")),
        1 => Ok((body.slice(HEADER..), packing)),
        _ => Err(wrong("the flag of the message is unknown")),
    }
}

/// The answer to a call that went well.
pub(super) fn answer(message: &[u8]) -> Response<Reply> {
    let mut body = BytesMut::with_capacity(HEADER + message.len());
    body.put_u8(0);
    body.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    body.put_slice(message);
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let mut response = Response::new(Reply::new(body.freeze()).ending(trailers));
    dress(response.headers_mut());
    response
}

/// The answer to a call that was refused.
pub(super) fn refuse(refusal: &Refusal) -> Response<Reply> {
    let mut response = Response::new(Reply::default());
    let headers = response.headers_mut();
    dress(headers);
    headers.insert("grpc-status", HeaderValue::from(u16::from(refusal.grpc())));
    let text = |text: String| HeaderValue::from_str(&text).ok();
    headers.extend(text(percent(&refusal.message())).map(|value| (GRPC_MESSAGE, value)));
    headers.extend(text(STANDARD_NO_PAD.encode(refusal.status())).map(|value| (GRPC_DETAILS, value)));
    // The exporter for Python looks for the delay here and not in the status.
    let delay = refusal.retry_info().map(|info| STANDARD_NO_PAD.encode(info));
    headers.extend(delay.and_then(text).map(|value| (GRPC_RETRY, value)));
    response
}

const GRPC_MESSAGE: header::HeaderName = header::HeaderName::from_static("grpc-message");
const GRPC_DETAILS: header::HeaderName = header::HeaderName::from_static("grpc-status-details-bin");

const GRPC_RETRY: header::HeaderName = header::HeaderName::from_static("google.rpc.retryinfo-bin");

fn dress(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-accept-encoding", HeaderValue::from_static("identity,gzip,deflate,zstd"));
}

/// Text as gRPC's headers carry it.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if matches!(b, b' '..=b'~') && b != b'%' { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_and_nothing_else() {
        let body = |bytes: &'static [u8]| message(&Bytes::from_static(bytes), Packing::Gzip).ok();
        assert_eq!(body(b"\0\0\0\0\x02ab"), Some((Bytes::from_static(b"ab"), Packing::None)));
        assert_eq!(body(b"\x01\0\0\0\x01a"), Some((Bytes::from_static(b"a"), Packing::Gzip)));
        for wrong in [&b""[..], b"\0\0\0\0", b"\0\0\0\0\x02a", b"\0\0\0\0\0\0", b"\x02\0\0\0\0"] {
            assert_eq!(body(wrong), None, "{wrong:?}");
        }
        assert!(message(&Bytes::from_static(b"\x01\0\0\0\x01a"), Packing::None).is_err());
        assert_eq!(percent("a%\nä"), "a%25%0A%C3%A4");
    }
}

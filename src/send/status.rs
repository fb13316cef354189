//! `google.rpc.Status`, as receivers explain a refusal.
//!
//! Comes in: its bytes, protobuf or JSON. Goes out: a message and how long to wait, where it says so. What cannot be read says
//! nothing.

use std::time::Duration;

use prost::Message;
use serde_json::Value;

/// What a refusal says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Explanation {
    pub(super) message: String,
    pub(super) wait: Option<Duration>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

const RETRY_INFO: &str = "google.rpc.RetryInfo";

/// Reads the protobuf form.
pub(super) fn of_proto(bytes: &[u8]) -> Option<Explanation> {
    let status = Status::decode(bytes).ok()?;
    let wait = status.details.iter().filter(|any| any.type_url.ends_with(RETRY_INFO)).find_map(|any| {
        let delay = RetryInfo::decode(&*any.value).ok()?.retry_delay.unwrap_or_default();
        Some(Duration::new(u64::try_from(delay.seconds).ok()?, u32::try_from(delay.nanos).ok()?))
    });
    Some(Explanation { message: status.message, wait })
}

/// Reads the JSON form.
pub(super) fn of_json(bytes: &[u8]) -> Option<Explanation> {
    let status: Value = serde_json::from_slice(bytes).ok()?;
    let message = status.get("message")?.as_str()?.to_owned();
    let details = status.get("details").and_then(Value::as_array);
    let wait = details.into_iter().flatten().find_map(|detail| {
        let named = detail.get("@type")?.as_str()?.ends_with(RETRY_INFO);
        let delay = detail.get("retryDelay")?.as_str()?.strip_suffix('s')?;
        Duration::try_from_secs_f64(delay.parse().ok()?).ok().filter(|_| named)
    });
    Some(Explanation { message, wait })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_how_long_to_wait() {
        let delay = RetryInfo { retry_delay: Some(Delay { seconds: 2, nanos: 500_000_000 }) };
        let any = Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".into(), value: delay.encode_to_vec() };
        let status = Status { message: "busy".into(), details: vec![any] };
        let wanted = Explanation { message: "busy".into(), wait: Some(Duration::from_millis(2500)) };
        assert_eq!(of_proto(&status.encode_to_vec()), Some(wanted.clone()));
        let json = br#"{"code":14,"message":"busy","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2.5s"}]}"#;
        assert_eq!(of_json(json), Some(wanted));
        assert_eq!(of_json(br#"{"message":"no"}"#).unwrap().wait, None);
        assert_eq!(of_json(b"<html>"), None);
    }
}

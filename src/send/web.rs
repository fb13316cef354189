//! OTLP over HTTP, seen from the client.
//!
//! Comes in: the status, headers and body of a response. Goes out: an [`Answer`]: which statuses are tried again is decided here,
//! as OTLP lists them. It reads no clock: a date to come again at is measured from the response's own date, or from a time that is
//! given.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::fmt::rfc2822;

use super::answer::{self, Answer, Others};
use super::inflate::inflated;
use super::status::{self, Explanation};

/// Judges a whole response, of which no body is there where it broke off. `now`: Unix seconds, if they are known.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap, body: Option<&[u8]>, now: Option<i64>) -> Answer {
    if status.is_success() {
        return match body.and_then(|body| unpacked(headers, body)) {
            Some(body) => of_success(headers, &body),
            None => {
                let message = "the answer broke off: whether spans were rejected is not known".to_owned();
                Answer::Taken { rejected: 0, message }
            }
        };
    }
    let body = unpacked(headers, body.unwrap_or_default()).unwrap_or_default();
    let explanation = explained(headers, &body);
    let why = answer::words(&format!("HTTP {status}"), &explanation);
    let wait = retry_after(headers, now).or(explanation.wait);
    let refused = |why, others| Answer::Refused { why, others };
    match status.as_u16() {
        429 | 503 => Answer::Later { why, wait, lost: false },
        // Somebody in between has had no answer: it may have been taken.
        502 | 504 => Answer::Later { why, wait, lost: true },
        300..=399 => refused(format!("{why} (redirects are not followed)"), Others::AreRefusedIfNoneWasTaken),
        401 => refused(why, Others::AreRefused),
        404 | 405 => refused(format!("{why} (is the URL right?)"), Others::AreRefusedIfNoneWasTaken),
        _ => Answer::refused(why),
    }
}

/// The body, inflated where it came packed; nothing where that cannot be.
fn unpacked<'b>(headers: &HeaderMap, body: &'b [u8]) -> Option<Cow<'b, [u8]>> {
    match text(headers, header::CONTENT_ENCODING.as_str()) {
        Some("gzip" | "x-gzip") => inflated(body).map(Cow::Owned),
        _ => Some(Cow::Borrowed(body)),
    }
}

/// A body that says it is something else than OTLP is not read as OTLP; a page is not the answer of a receiver at all.
fn of_success(headers: &HeaderMap, body: &[u8]) -> Answer {
    const PAGE: &str = "the answer is text/html, not OTLP: is the URL right?";
    match text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default() {
        media if media.contains("json") => answer::of_json(body),
        media if media.contains("protobuf") => answer::of_proto(body),
        media if media.contains("html") && body.trim_ascii_start().starts_with(b"<") => Answer::never(PAGE),
        media if media.contains("html") => Answer::Taken { rejected: 0, message: PAGE.to_owned() },
        _ => Answer::Taken { rejected: 0, message: String::new() },
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn explained(headers: &HeaderMap, body: &[u8]) -> Explanation {
    let media = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let read = match media {
        media if media.contains("json") => status::of_json(body),
        media if media.contains("protobuf") => status::of_proto(body),
        media if media.contains("html") => Some(Explanation::default()),
        _ => None,
    };
    read.unwrap_or_else(|| Explanation { message: String::from_utf8_lossy(body).into_owned(), wait: None })
}

/// `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Option<i64>) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = value.parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = |text: &str| rfc2822::parse(text).ok().map(|date| date.timestamp().as_second());
    let (then, now) = (date(value)?, text(headers, header::DATE.as_str()).and_then(date).or(now)?);
    Some(Duration::from_secs(u64::try_from(then - now).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        judge(StatusCode::from_u16(status).unwrap(), &headers, Some(body), Some(784_111_777))
    }

    #[test]
    fn exactly_the_listed_statuses_are_tried_again() {
        for status in [400, 401, 403, 404, 408, 413, 415, 429, 500, 501, 502, 503, 504, 505, 301] {
            let later = matches!(judged(status, &[], b""), Answer::Later { .. });
            assert_eq!(later, [429, 502, 503, 504].contains(&status), "{status}");
        }
    }

    #[test]
    fn the_receiver_says_when_to_come_again() {
        let wait = |headers: &[(&'static str, &str)]| match judged(503, headers, b"") {
            Answer::Later { wait, .. } => wait.map(|wait| wait.as_secs()),
            _ => None,
        };
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        let dates = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")];
        assert_eq!(wait(&dates), Some(10));
        assert_eq!(wait(&[dates[0], ("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT")]), Some(0));
        // Without the receiver's date the time of this machine has to do.
        assert_eq!(wait(&[dates[1]]), Some(10));
        assert_eq!(wait(&[("retry-after", "2.5")]), Some(2));
        for odd in ["soon", "-5", "inf", "NaN", "1e300"] {
            assert_eq!(wait(&[("retry-after", odd)]), None, "{odd}");
        }
    }

    #[test]
    fn a_page_is_no_answer_and_a_packed_answer_is_one() {
        let page = judged(200, &[("content-type", "text/html; charset=utf-8")], b"\n<!doctype html>");
        assert!(matches!(page, Answer::Never(why) if why.contains("text/html, not OTLP")));
        let empty = judged(200, &[("content-type", "text/html")], b"");
        assert!(matches!(empty, Answer::Taken { rejected: 0, message } if message.contains("text/html")));
        let partial = crate::send::inflate::deflated(br#"{"partialSuccess":{"rejectedSpans":"7"}}"#);
        let packed = judged(200, &[("content-type", "application/json"), ("content-encoding", "gzip")], &partial);
        assert_eq!(packed, Answer::Taken { rejected: 7, message: String::new() });
        let half = judge(StatusCode::OK, &HeaderMap::new(), None, None);
        assert!(matches!(half, Answer::Taken { rejected: 0, message } if message.contains("broke off")));
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_receiver() {
        let json = judged(400, &[("content-type", "application/json")], br#"{"code":3,"message":"bad id"}"#);
        assert_eq!(json, Answer::refused("HTTP 400 Bad Request: bad id".into()));
        let plain = judged(413, &[("content-type", "text/plain")], b"too large");
        assert_eq!(plain, Answer::refused("HTTP 413 Payload Too Large: too large".into()));
        let page = judged(400, &[("content-type", "text/html")], b"<html>");
        assert_eq!(page, Answer::refused("HTTP 400 Bad Request".into()));
        let moved = judged(301, &[], b"");
        assert!(matches!(moved, Answer::Refused { why, .. } if why.contains("not followed")));
        let stranger = judged(401, &[], b"who are you?");
        assert!(matches!(stranger, Answer::Refused { others: Others::AreRefused, .. }));
    }
}

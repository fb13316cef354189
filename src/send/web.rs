//! OTLP over HTTP, seen from the client.
//!
//! Comes in: the status, headers and body of a response. Goes out: an [`Answer`]: which statuses are tried again is decided here,
//! as OTLP lists them. It reads no clock: a date to come again at is measured from the response's own date.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::fmt::rfc2822;

use super::answer::{self, Answer};
use super::status::{self, Explanation};

/// Judges a whole response.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    let json = text(headers, header::CONTENT_TYPE.as_str()).is_some_and(|media| media.contains("json"));
    if status.is_success() {
        return if json { answer::of_json(body) } else { of_success(headers, body) };
    }
    let explanation = explained(headers, body, json);
    let why = answer::words(&format!("HTTP {status}"), &explanation);
    let wait = retry_after(headers).or(explanation.wait);
    match status.as_u16() {
        429 | 503 => Answer::Later { why, wait, lost: false },
        // Somebody in between has had no answer: it may have been taken.
        502 | 504 => Answer::Later { why, wait, lost: true },
        300..400 => Answer::Refused(format!("{why} (redirects are not followed)")),
        _ => Answer::Refused(why),
    }
}

/// A body that says it is something else than OTLP is not read as OTLP.
fn of_success(headers: &HeaderMap, body: &[u8]) -> Answer {
    match text(headers, header::CONTENT_TYPE.as_str()) {
        Some(media) if media.contains("protobuf") => answer::of_proto(body),
        _ => Answer::Taken { rejected: 0, message: String::new() },
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn explained(headers: &HeaderMap, body: &[u8], json: bool) -> Explanation {
    let media = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let read = match media {
        _ if json => status::of_json(body),
        media if media.contains("protobuf") => status::of_proto(body),
        media if media.contains("html") => Some(Explanation::default()),
        _ => None,
    };
    read.unwrap_or_else(|| Explanation { message: String::from_utf8_lossy(body).into_owned(), wait: None })
}

/// `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| rfc2822::parse(text).ok().map(|date| date.timestamp().as_second());
    let (then, now) = (date(value)?, date(text(headers, header::DATE.as_str())?)?);
    Some(Duration::from_secs(u64::try_from(then - now).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        judge(StatusCode::from_u16(status).unwrap(), &headers, body)
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
        assert_eq!(wait(&[("retry-after", "soon")]), None);
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_receiver() {
        let json = judged(400, &[("content-type", "application/json")], br#"{"code":3,"message":"bad id"}"#);
        assert_eq!(json, Answer::Refused("HTTP 400 Bad Request: bad id".into()));
        let plain = judged(413, &[("content-type", "text/plain")], b"too large");
        assert_eq!(plain, Answer::Refused("HTTP 413 Payload Too Large: too large".into()));
        let page = judged(404, &[("content-type", "text/html")], b"<html>");
        assert_eq!(page, Answer::Refused("HTTP 404 Not Found".into()));
        let moved = judged(301, &[], b"");
        assert!(matches!(moved, Answer::Refused(why) if why.contains("not followed")));
    }
}

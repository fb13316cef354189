//! Answers of OTLP over HTTP, in the encoding of the request, and what browsers ask before they send.
//!
//! Comes in: an outcome and the headers of the request. Goes out: an answer with the right status, body and headers.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::arrival::Encoding;
use super::refusal::Refusal;
use super::reply::Reply;

/// The encoding that a media type names; parameters do not matter.
///
/// Any page may send text from a browser without asking first. It is taken where no page sends it, or one of the origins.
pub(super) fn encoding(origins: &[String], headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-protobuf" | "application/protobuf" | "application/vnd.google.protobuf" => Ok(Encoding::Proto),
        "application/json" => Ok(Encoding::Json),
        // What `navigator.sendBeacon` makes of JSON.
        "text/plain" => match headers.get(header::ORIGIN).filter(|origin| !admits(origins, origin)) {
            Some(origin) => Err(Refusal::Page(String::from_utf8_lossy(origin.as_bytes()).into_owned())),
            None => Ok(Encoding::Json),
        },
        _ => Err(Refusal::MediaType(named.to_owned())),
    }
}

fn media(encoding: Encoding) -> HeaderValue {
    HeaderValue::from_static(match encoding {
        Encoding::Proto => "application/x-protobuf",
        Encoding::Json => "application/json",
    })
}

/// The answer to a request that was taken.
pub(super) fn answer(encoding: Encoding, body: Vec<u8>) -> Response<Reply> {
    let mut response = Response::new(Reply::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, media(encoding));
    response
}

/// The answer to a request that was not; protobuf unless the request was JSON.
pub(super) fn refuse(refusal: &Refusal, encoding: Option<Encoding>) -> Response<Reply> {
    let encoding = encoding.unwrap_or(Encoding::Json);
    let body = match encoding {
        Encoding::Proto => refusal.status(),
        Encoding::Json => refusal.status_json(),
    };
    let mut response = answer(encoding, body);
    *response.status_mut() = refusal.http();
    let headers = response.headers_mut();
    if let Some(wait) = refusal.retry() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    match refusal {
        Refusal::Compression(_) => {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, zstd"));
        }
        Refusal::NotPost => drop(headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"))),
        Refusal::Stranger => drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        // What was not read of the body cannot be told from a next request.
        Refusal::TooLarge { .. } | Refusal::TooSlow => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// Says that the server is there.
pub(super) fn health() -> Response<Reply> {
    answer(Encoding::Json, b"{\"status\":\"ok\"}\n".to_vec())
}

/// The answer to a browser that asks whether it may send.
pub(super) fn preflight() -> Response<Reply> {
    let mut response = Response::new(Reply::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn names(origins: &[String], origin: &HeaderValue) -> bool {
    origins.iter().any(|known| known.as_bytes() == origin.as_bytes())
}

fn admits(origins: &[String], origin: &HeaderValue) -> bool {
    origins.iter().any(|known| known == "*") || names(origins, origin)
}

/// Lets a browser's page see the answer, if it is one of the origins; with cookies and the like only where that origin is named.
pub(super) fn open_to(origins: &[String], asked: &HeaderMap, headers: &mut HeaderMap) {
    let Some(origin) = asked.get(header::ORIGIN).filter(|origin| admits(origins, origin)) else { return };
    if names(origins, origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    } else {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let usual = HeaderValue::from_static("content-type, content-encoding, authorization");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(usual));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn media_types_may_have_parameters() {
        let named = |value| encoding(&[], &headers(header::CONTENT_TYPE, value)).ok();
        assert_eq!(named("application/json; charset=utf-8"), Some(Encoding::Json));
        assert_eq!(named("Application/X-Protobuf"), Some(Encoding::Proto));
        assert_eq!(named("application/xml"), None);
    }

    fn owned(origins: &[&str]) -> Vec<String> {
        origins.iter().map(|origin| (*origin).to_owned()).collect()
    }

    #[test]
    fn only_known_origins_are_let_in() {
        let asked = headers(header::ORIGIN, "http://localhost:3000");
        let answer = |origins: &[&str]| {
            let mut answer = HeaderMap::new();
            open_to(&owned(origins), &asked, &mut answer);
            let allowed = answer.get(header::ACCESS_CONTROL_ALLOW_ORIGIN)?.to_str().unwrap().to_owned();
            Some((allowed, answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)))
        };
        let named = Some(("http://localhost:3000".to_owned(), true));
        assert_eq!(answer(&["http://localhost:3000"]), named);
        assert_eq!(answer(&["*", "http://localhost:3000"]), named);
        assert_eq!(answer(&["*"]), Some(("*".to_owned(), false)));
        assert_eq!((answer(&[]), answer(&["http://elsewhere"])), (None, None));
    }

    #[test]
    fn text_is_not_taken_from_just_any_page() {
        let text = |origins: &[&str], origin: Option<&'static str>| {
            let mut asked = headers(header::CONTENT_TYPE, "text/plain;charset=UTF-8");
            asked.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
            encoding(&owned(origins), &asked).is_ok()
        };
        assert!(text(&[], None) && text(&["*"], Some("http://a")) && text(&["http://a"], Some("http://a")));
        assert!(!text(&[], Some("http://a")) && !text(&["http://b"], Some("http://a")) && !text(&[], Some("null")));
    }
}

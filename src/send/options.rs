//! Everything about a receiver that can be asked for, and what the `OTEL_EXPORTER_OTLP_*` variables say of it.
//!
//! Comes in: a way to look a variable up. Goes out: options, and the variables that could not be understood. The environment
//! itself is read elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::target::Protocol;
use crate::otlp::Packing;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SendOptions {
    /// The URL: `http://host:4318`, `https://host`, `host:4317`, `unix:/path`.
    pub endpoint: Option<String>,
    /// The URL is the endpoint of traces itself: nothing is put behind its path.
    pub exact: bool,
    /// The protocol; by default gRPC where the port is 4317, else protobuf over HTTP.
    pub protocol: Option<Protocol>,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// How requests are compressed. Not every receiver takes zstd.
    pub packing: Packing,
    /// How long one try may take; zero for no limit.
    pub timeout: Duration,
    /// An authority to trust instead of those of the machine, PEM.
    pub certificate: Option<PathBuf>,
    /// The certificate to show, PEM.
    pub client_certificate: Option<PathBuf>,
    /// Its key, PEM.
    pub client_key: Option<PathBuf>,
    /// A URL without a scheme is not encrypted.
    pub insecure: bool,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self {
            endpoint: None,
            exact: false,
            protocol: None,
            headers: Vec::new(),
            packing: Packing::None,
            timeout: Duration::from_secs(10),
            certificate: None,
            client_certificate: None,
            client_key: None,
            insecure: false,
        }
    }
}

impl SendOptions {
    /// What the variables of the OpenTelemetry specification say; those of traces win. The list names what was ignored because it
    /// means nothing: a variable, or one entry of it. No value is in it, for values may be secrets.
    pub fn of_variables(variable: &dyn Fn(&str) -> Option<String>) -> (Self, Vec<String>) {
        let mut ignored = Vec::new();
        let mut options = Self::default();
        let given = |name: &str| {
            let traces = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
            let all = format!("OTEL_EXPORTER_OTLP_{name}");
            let found =
                |name: String| variable(&name).filter(|value| !value.trim().is_empty()).map(|value| (name, value));
            found(traces).or_else(|| found(all))
        };
        if let Some((name, url)) = given("ENDPOINT") {
            options.exact = name.contains("_TRACES_");
            options.endpoint = Some(url);
        }
        if let Some((name, value)) = given("PROTOCOL") {
            match value.parse() {
                Ok(protocol) => options.protocol = Some(protocol),
                Err(_) => ignored.push(name),
            }
        }
        if let Some((name, value)) = given("COMPRESSION") {
            match value.parse() {
                Ok(packing) => options.packing = packing,
                Err(_) => ignored.push(name),
            }
        }
        if let Some((name, value)) = given("TIMEOUT") {
            match value.trim().parse() {
                Ok(millis) => options.timeout = Duration::from_millis(millis),
                Err(_) => ignored.push(name),
            }
        }
        if let Some((name, value)) = given("HEADERS") {
            for (number, entry) in (1..).zip(header_list(&value)) {
                match entry {
                    Some(header) => options.headers.push(header),
                    None => ignored.push(format!("entry {number} of {name}")),
                }
            }
        }
        let path = |name: &str| given(name).map(|(_, path)| PathBuf::from(path));
        options.certificate = path("CERTIFICATE");
        options.client_certificate = path("CLIENT_CERTIFICATE");
        options.client_key = path("CLIENT_KEY");
        options.insecure = given("INSECURE").is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("true"));
        (options, ignored)
    }
}

/// Headers as W3C baggage writes them: `name=value,name=value`, values percent-encoded. Nothing for an entry that is none.
fn header_list(text: &str) -> impl Iterator<Item = Option<(String, String)>> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
        let (name, value) = entry.split_once('=')?;
        let (name, value) = (decoded(name.trim())?, decoded(value.trim())?);
        let sound = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(&value).is_ok();
        sound.then_some((name, value))
    })
}

/// A text with its `%41` decoded; nothing where one is no byte, or the bytes are no text.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut out = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> (SendOptions, Vec<String>) {
        SendOptions::of_variables(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn variables_of_traces_win_and_are_exact() {
        let (options, ignored) = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/x"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc, x-team = shop "),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_INSECURE", "TRUE"),
        ]);
        assert_eq!((options.endpoint.as_deref(), options.exact), (Some("http://b/x"), true));
        assert_eq!((options.protocol, options.packing), (Some(Protocol::HttpJson), Packing::Gzip));
        assert_eq!((options.timeout, options.insecure), (Duration::from_millis(2500), true));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(options.headers, [pair("authorization", "Bearer abc"), pair("x-team", "shop")]);
        assert!(ignored.is_empty());
    }

    #[test]
    fn what_means_nothing_is_ignored_and_named() {
        let (options, ignored) = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier pigeon"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=%zz,good=1,bad,x=a%0Ab"),
            ("OTEL_EXPORTER_OTLP_INSECURE", "yes"),
        ]);
        assert_eq!((options.endpoint, options.protocol, options.insecure), (None, None, false));
        let entry = |number| format!("entry {number} of OTEL_EXPORTER_OTLP_HEADERS");
        assert_eq!(ignored[2..], [entry(1), entry(3), entry(4)]);
        assert_eq!((options.headers, ignored.len()), (vec![("good".into(), "1".into())], 5));
    }
}

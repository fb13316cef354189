//! What tells a command where to send: the variables that every OpenTelemetry SDK reads.
//!
//! Comes in: the addresses, and the variables around. Goes out: variables for the command. Its metrics and logs go where they were told to
//! go before; where nothing says so, they come here as well. It sets nothing itself.

use std::path::Path;

use super::surroundings::Surroundings;
use crate::live::Address;

/// Where the command is told to send.
pub(super) struct Ways<'a> {
    pub(super) grpc: &'a Address,
    pub(super) http: &'a Address,
    pub(super) cert: Option<&'a Path>,
    pub(super) token: Option<&'a str>,
}

/// Variables that would send traces elsewhere, or with what is meant for others.
pub(super) const OVERRIDDEN: &[&str] = &[
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];

/// The general variables that are changed, by what stands behind `OTEL_EXPORTER_OTLP_`. A signal that goes elsewhere keeps them as
/// variables of its own.
const CHANGED: [&str; 4] = ["PROTOCOL", "HEADERS", "CERTIFICATE", "INSECURE"];

/// The variables.
pub(super) fn variables(ways: &Ways<'_>, around: &Surroundings) -> Vec<(String, String)> {
    let general = |name: &str| around.variable(&format!("OTEL_EXPORTER_OTLP_{name}"));
    let protocol = general("PROTOCOL").unwrap_or("http/protobuf").to_owned();
    let address = if protocol == "grpc" { ways.grpc } else { ways.http };
    let scheme = if ways.cert.is_some() { "https" } else { "http" };
    let endpoint = match address {
        Address::Tcp(_) => format!("{scheme}://{address}"),
        Address::Unix(_) => address.to_string(),
    };
    let local = "127.0.0.1,localhost";
    let direct = around.variable("NO_PROXY").or(around.variable("no_proxy"));
    let direct = direct.map_or(local.to_owned(), |known| format!("{known},{local}"));
    let delay = around.variable("OTEL_BSP_SCHEDULE_DELAY").unwrap_or("200").to_owned();
    let own = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_INSECURE", ways.cert.is_none().to_string()),
        ("OTEL_TRACES_EXPORTER", "otlp".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", delay),
        ("NO_PROXY", direct.clone()),
        ("no_proxy", direct),
    ];
    let token = ways.token.map(|token| format!("authorization=Bearer%20{}", percent(token)));
    let cert = ways.cert.map(|cert| cert.display().to_string());
    let secret = [("OTEL_EXPORTER_OTLP_HEADERS", token), ("OTEL_EXPORTER_OTLP_CERTIFICATE", cert)];
    let secret = secret.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let own = own.into_iter().chain(secret).map(|(name, value)| (name.to_owned(), value));
    own.chain(elsewhere("METRICS", around)).chain(elsewhere("LOGS", around)).collect()
}

/// What lets a signal go where it went before, if it went anywhere by the variables.
fn elsewhere(signal: &str, around: &Surroundings) -> Vec<(String, String)> {
    let name = |what: &str| format!("OTEL_EXPORTER_OTLP_{signal}_{what}");
    let general = |what: &str| around.variable(&format!("OTEL_EXPORTER_OTLP_{what}"));
    let special = |what: &str| around.variable(&name(what));
    let (one, all) = (special("ENDPOINT"), general("ENDPOINT"));
    if one.or(all).is_none() {
        return Vec::new();
    }
    let mut kept: Vec<(String, String)> = CHANGED
        .iter()
        .filter(|what| special(what).is_none())
        .filter_map(|what| Some((name(what), general(what)?.to_owned())))
        .collect();
    let protocol = special("PROTOCOL").or(general("PROTOCOL"));
    let grpc = protocol.map_or(is_grpc(one.or(all).unwrap_or_default()), |protocol| protocol == "grpc");
    if protocol.is_none() {
        kept.push((name("PROTOCOL"), if grpc { "grpc" } else { "http/protobuf" }.to_owned()));
    }
    if let (None, Some(all)) = (one, all) {
        // The general endpoint of HTTP is a base; the one of a signal is taken as it is.
        let path = format!("/v1/{}", signal.to_ascii_lowercase());
        let endpoint = if grpc { all.to_owned() } else { format!("{}{path}", all.trim_end_matches('/')) };
        kept.push((name("ENDPOINT"), endpoint));
    }
    kept
}

/// Whether an endpoint is meant for gRPC, where no protocol is named: by its usual port.
fn is_grpc(endpoint: &str) -> bool {
    endpoint.trim_end_matches('/').ends_with(":4317")
}

/// Text as a value of the list of headers carries it.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn told(around: &[(&str, &str)], token: Option<&str>) -> BTreeMap<String, String> {
        let (grpc, http) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        let mut surroundings = Surroundings::default();
        let around = around.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        surroundings.variables.extend(around);
        let ways = Ways { grpc: &grpc, http: &http, cert: None, token };
        variables(&ways, &surroundings).into_iter().collect()
    }

    #[test]
    fn without_any_variables_everything_comes_here() {
        let told = told(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], Some("a+b=,c d"));
        assert_eq!(told["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:2");
        assert_eq!(told["OTEL_EXPORTER_OTLP_HEADERS"], "authorization=Bearer%20a%2Bb%3D%2Cc%20d");
        assert!(!told.keys().any(|name| name.contains("METRICS") || name.contains("LOGS")));
    }

    #[test]
    fn metrics_and_logs_go_where_they_went() {
        let around = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector/otlp/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=value"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs/x"),
            ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json"),
        ];
        let told = told(&around, None);
        assert_eq!(told["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:2");
        assert!(!told.contains_key("OTEL_EXPORTER_OTLP_HEADERS"));
        assert_eq!(told["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"], "https://collector/otlp/v1/metrics");
        assert_eq!(told["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"], "http/protobuf");
        assert_eq!(told["OTEL_EXPORTER_OTLP_METRICS_HEADERS"], "key=value");
        assert_eq!(told["OTEL_EXPORTER_OTLP_LOGS_HEADERS"], "key=value");
        // What a signal has of its own is in its environment already.
        assert!(!told.contains_key("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"));
        assert!(!told.contains_key("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"));
    }

    #[test]
    fn grpc_is_told_by_the_protocol_or_the_port() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
        for around in [&[endpoint][..], &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]] {
            let told = told(around, None);
            assert_eq!(told["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"], "http://collector:4317");
            assert_eq!(told["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"], "grpc");
        }
        let grpc = told(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], None);
        assert_eq!(grpc["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:1");
    }
}

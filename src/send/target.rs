//! Where requests go, and how the receiver wants them.
//!
//! Comes in: what was asked for. Goes out: a target that is ready to be connected to; nothing is resolved or opened but the files
//! of certificates.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use thiserror::Error;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::options::SendOptions;
use super::url::{Place, parts, path};
use super::{grpc, tls};
use crate::otlp::{Encoding, Packing};

/// The protocols of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// Protobuf over HTTP.
    HttpProto,
    /// JSON over HTTP.
    HttpJson,
}

impl Protocol {
    /// The name that OTLP gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProto => "http/protobuf",
            Self::HttpJson => "http/json",
        }
    }

    /// The encoding it asks for.
    pub fn encoding(self) -> Encoding {
        if self == Self::HttpJson { Encoding::Json } else { Encoding::Proto }
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Grpc, Self::HttpProto, Self::HttpJson];
        let found = all.into_iter().find(|protocol| protocol.name().eq_ignore_ascii_case(text.trim()));
        found.ok_or_else(|| format!("'{text}' is no protocol (grpc, http/protobuf or http/json)"))
    }
}

impl FromStr for Packing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(format!("'{text}' is no compression (gzip, zstd or none)")),
        }
    }
}

/// A URL, or what was meant as one, without what stands before its last `@`.
fn without_user(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return url.to_owned() };
    let scheme = before.find("://").and_then(|at| before.get(..at + 3)).unwrap_or_default();
    format!("{scheme}...@{host}")
}

/// Why requests cannot be sent there.
#[derive(Debug, Error)]
pub enum TargetError {
    /// The URL is none.
    #[error(
        "'{url}' is not a URL to send to (write it like http://127.0.0.1:4318, https://host or unix:/tmp/otlp.sock)"
    )]
    Url {
        /// What was given, without the user and password in it.
        url: String,
    },
    /// A header is none.
    #[error("'{name}' is not a header that can be sent (its value is not shown)")]
    Header {
        /// Its name.
        name: String,
    },
    /// A certificate or key cannot be read.
    #[error("cannot read {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A client certificate needs a key, and a key a certificate.
    #[error("a client certificate and its key go together")]
    Half,
    /// The machine has no list of authorities.
    #[error("no certificate authorities are installed on this machine (name one with --certificate)")]
    NoAuthorities,
    /// Certificate and key do not fit.
    #[error("cannot use the certificate or its key")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// A receiver.
#[derive(Clone)]
pub struct Target {
    pub(super) protocol: Protocol,
    pub(super) place: Place,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) packing: Packing,
    /// How long one try may take.
    pub(super) timeout: Duration,
    /// The same for the other side, where there is a limit.
    pub(super) grpc_timeout: Option<HeaderValue>,
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
    /// A client certificate is presented.
    pub(super) shows_certificate: bool,
}

impl Target {
    /// The target that these options describe. Without an endpoint it is the default one of the protocol on this machine.
    pub fn new(options: &SendOptions) -> Result<Self, TargetError> {
        let url = options.endpoint.clone().unwrap_or_else(|| match options.protocol {
            Some(Protocol::Grpc) => "http://localhost:4317".to_owned(),
            _ => "http://localhost:4318".to_owned(),
        });
        let wrong = || TargetError::Url { url: without_user(&url) };
        let parts = parts(&url, options).ok_or_else(wrong)?;
        let usual = matches!(parts.place, Place::Tcp { port: 4317, .. });
        let protocol = options.protocol.unwrap_or(if usual { Protocol::Grpc } else { Protocol::HttpProto });
        let path = path(protocol, &parts.path, options.exact);
        let scheme = if parts.secure { "https" } else { "http" };
        let uri = format!("{scheme}://{}{path}", parts.authority).parse().map_err(|_| wrong())?;
        let tls = match (&parts.place, parts.secure) {
            (Place::Tcp { host, .. }, true) => {
                let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
                Some((tls::connector(options, protocol)?, name))
            }
            _ => None,
        };
        let mut headers = headers(&options.headers)?;
        if let Some(user) = &parts.user {
            let mut value: HeaderValue = basic(user).parse().map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.entry(http::header::AUTHORIZATION).or_insert(value);
        }
        let timeout = if options.timeout.is_zero() { Duration::MAX } else { options.timeout };
        let grpc_timeout = grpc::timeout(timeout).and_then(|limit| limit.parse().ok());
        Ok(Self {
            protocol,
            place: parts.place,
            uri,
            headers,
            packing: options.packing,
            timeout,
            grpc_timeout,
            tls,
            shows_certificate: options.client_certificate.is_some(),
        })
    }

    /// Whether what goes there is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// The protocol that is spoken.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Where it is, as people write it; no headers, no user information.
    pub fn place(&self) -> String {
        match &self.place {
            Place::Unix(path) => format!("unix:{}", path.display()),
            Place::Tcp { .. } if self.protocol == Protocol::Grpc => {
                self.uri.to_string().strip_suffix(grpc::PATH).unwrap_or_default().to_owned()
            }
            Place::Tcp { .. } => self.uri.to_string(),
        }
    }

    /// Whether requests in this encoding can go there: both over HTTP, protobuf only over gRPC.
    pub fn takes(&self, encoding: Encoding) -> bool {
        self.protocol != Protocol::Grpc || encoding == Encoding::Proto
    }
}

/// The header that user and password of a URL stand for (RFC 7617).
fn basic(user: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(user))
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, TargetError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let wrong = || TargetError::Header { name: name.clone() };
        let key: HeaderName = name.trim().parse().map_err(|_| wrong())?;
        let mut value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(
        url: &str,
        protocol: Option<Protocol>,
        change: impl FnOnce(&mut SendOptions),
    ) -> Result<Target, TargetError> {
        let mut options = SendOptions { endpoint: Some(url.to_owned()), protocol, ..SendOptions::default() };
        change(&mut options);
        Target::new(&options)
    }

    fn uri(url: &str, protocol: Option<Protocol>) -> String {
        target(url, protocol, |_| {}).unwrap().uri.to_string()
    }

    #[test]
    fn a_base_gets_the_path_of_traces() {
        assert_eq!(uri("http://localhost:4318", None), "http://localhost:4318/v1/traces");
        assert_eq!(uri("http://a/otlp/", None), "http://a/otlp/v1/traces");
        assert_eq!(uri("http://a:1/v1/traces/", None), "http://a:1/v1/traces");
        assert_eq!(uri("http://a/otlp?x=1", None), "http://a/otlp/v1/traces?x=1");
        assert_eq!(uri("http://[::1]:4318", Some(Protocol::HttpJson)), "http://[::1]:4318/v1/traces");
        let exact = target("http://a/b", None, |options| options.exact = true).unwrap();
        assert_eq!(exact.uri.to_string(), "http://a/b");
        let bare = target("http://a", None, |options| options.exact = true).unwrap();
        assert_eq!(bare.uri.to_string(), "http://a/");
    }

    #[test]
    fn the_port_tells_the_protocol_where_nobody_else_does() {
        assert_eq!(uri("http://a:4317/x", None), format!("http://a:4317{}", grpc::PATH));
        assert_eq!(target("http://a:4317", None, |_| {}).unwrap().place(), "http://a:4317");
        assert_eq!(uri("http://a:4317", Some(Protocol::HttpProto)), "http://a:4317/v1/traces");
        assert_eq!(uri("http://a:4318", Some(Protocol::Grpc)), format!("http://a:4318{}", grpc::PATH));
    }

    #[test]
    fn without_a_scheme_only_this_machine_is_reached_in_the_open() {
        assert_eq!(uri("localhost:4317", None), format!("http://localhost:4317{}", grpc::PATH));
        let open = target("a:4317", None, |options| options.insecure = true).unwrap();
        assert!(open.tls.is_none() && open.uri.scheme_str() == Some("http"));
        assert_eq!(uri("127.0.0.1", None), "http://127.0.0.1:4318/v1/traces");
        let socket = target("unix:/tmp/x.sock", None, |_| {}).unwrap();
        assert_eq!((socket.place(), socket.uri.path()), ("unix:/tmp/x.sock".into(), "/v1/traces"));
    }

    #[test]
    fn a_user_in_the_url_is_sent_as_a_header_and_shown_nowhere() {
        let named = target("http://ann:p%40ss@a:4318", None, |_| {}).unwrap();
        assert_eq!(named.headers["authorization"], "Basic YW5uOnBAc3M=");
        assert!(named.headers["authorization"].is_sensitive());
        assert_eq!((named.place(), named.uri.to_string()), ("http://a:4318/v1/traces".into(), named.place()));
        let own = |options: &mut SendOptions| options.headers = vec![("Authorization".into(), "Bearer x".into())];
        assert_eq!(target("http://ann@a", None, own).unwrap().headers["authorization"], "Bearer x");
    }

    #[test]
    fn no_limit_is_a_limit_of_zero() {
        let endless = target("http://a:4317", None, |options| options.timeout = Duration::ZERO).unwrap();
        assert_eq!((endless.timeout, endless.grpc_timeout), (Duration::MAX, None));
        assert_eq!(target("http://a:4317", None, |_| {}).unwrap().grpc_timeout.unwrap(), "10000m");
    }

    #[test]
    fn what_is_no_target_is_refused() {
        let refused = target("http://ann:hunter2@host:99999", None, |_| {}).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|words| words.contains("http://...@host:99999") && !words.contains("hunter2")));
        for url in ["", "ftp://a", "http://", "http://a b", "http://a:99999", "unix:", "http://a:x"] {
            assert!(matches!(target(url, None, |_| {}), Err(TargetError::Url { .. })), "{url}");
        }
        let header = target("http://a", None, |options| options.headers = vec![("x".into(), "a\nb".into())]);
        assert!(matches!(header, Err(TargetError::Header { name }) if name == "x"));
    }
}

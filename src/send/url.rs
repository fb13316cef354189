//! URLs of receivers taken apart.
//!
//! Comes in: what was typed. Goes out: how the receiver is reached, whether that is encrypted, and the path of requests. Nothing is
//! resolved.

use std::path::PathBuf;

use http::uri::Authority;

use super::grpc;
use super::options::{SendOptions, decoded};
use super::target::Protocol;

/// How the receiver is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

/// The parts of a URL.
pub(super) struct Parts {
    pub(super) secure: bool,
    pub(super) place: Place,
    pub(super) authority: String,
    pub(super) path: String,
    /// `user:password`, decoded.
    pub(super) user: Option<String>,
}

/// A URL taken apart. Without a scheme it is encrypted, unless that was declined or it is on this machine and no authority was named.
pub(super) fn parts(url: &str, options: &SendOptions) -> Option<Parts> {
    if let Some(socket) = url.strip_prefix("unix:") {
        let socket = socket.strip_prefix("//").unwrap_or(socket);
        let place = Place::Unix(PathBuf::from(socket));
        let authority = "localhost".to_owned();
        let found = Parts { secure: false, place, authority, path: String::new(), user: None };
        return Some(found).filter(|_| !socket.is_empty());
    }
    let (scheme, rest) = url.trim().split_once("://").map_or((None, url.trim()), |(scheme, rest)| (Some(scheme), rest));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let named = !host.is_empty();
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let secure = match scheme.map(str::to_ascii_lowercase).as_deref() {
        Some("https") => true,
        Some("http") => false,
        None => !(options.insecure || local && options.certificate.is_none()),
        Some(_) => return None,
    };
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        None if authority.as_str().rsplit([']', '@']).next()?.contains(':') => return None,
        None => match (scheme, options.protocol) {
            (None, Some(Protocol::Grpc)) => 4317,
            (None, _) => 4318,
            (Some(_), _) => {
                if secure {
                    443
                } else {
                    80
                }
            }
        },
    };
    let (user, shown) = match authority.as_str().rsplit_once('@') {
        Some((user, shown)) => (Some(decoded(user)?), shown),
        None => (None, authority.as_str()),
    };
    let authority =
        if authority.port().is_some() || scheme.is_some() { shown.to_owned() } else { format!("{shown}:{port}") };
    let place = Place::Tcp { host, port };
    Some(Parts { secure, place, authority, path: path.to_owned(), user }).filter(|_| named)
}

/// The path of a request: an exact endpoint as it is, a base with `v1/traces` behind it, and in gRPC that of the method.
pub(super) fn path(protocol: Protocol, base: &str, exact: bool) -> String {
    let (plain, query) = base.find('?').map_or((base, ""), |at| base.split_at(at));
    let trimmed = plain.trim_end_matches('/');
    match protocol {
        Protocol::Grpc => grpc::PATH.to_owned(),
        _ if exact && base.is_empty() => "/".to_owned(),
        _ if exact => base.to_owned(),
        _ if trimmed.ends_with("/v1/traces") => format!("{trimmed}{query}"),
        _ => format!("{trimmed}/v1/traces{query}"),
    }
}

//! Where a server listens: a TCP address or a Unix socket.
//!
//! Comes in: what was typed. Goes out: an address; nothing is resolved or bound.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An IP address and a port; port 0 stands for any free one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// Why an address was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is no address (write it like 127.0.0.1:4317, [::1]:4317, 4317 or unix:/tmp/otlp.sock)")]
pub struct AddressError {
    text: String,
}

impl Address {
    /// A port on the loopback interface.
    pub const fn local(port: u16) -> Self {
        Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path.is_empty() {
                true => Err(AddressError { text: text.to_owned() }),
                false => Ok(Self::Unix(path.into())),
            };
        }
        if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
            return Ok(Self::local(port));
        }
        let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        named.as_deref().unwrap_or(text).parse().map(Self::Tcp).map_err(|_| AddressError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for text in ["127.0.0.1:4317", "localhost:4317", "4317", ":4317"] {
            assert_eq!(text.parse(), Ok(Address::local(4317)), "{text}");
        }
        assert_eq!("unix:/tmp/a".parse(), Ok(Address::Unix("/tmp/a".into())));
        assert_eq!("unix:///tmp/a".parse(), Ok(Address::Unix("/tmp/a".into())));
        assert!(!"0.0.0.0:0".parse::<Address>().unwrap().is_local());
        for wrong in ["", "unix:", "example.org:1", "127.0.0.1:99999"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}

//! Why listening could not begin.
//!
//! Facts in fields; the command line adds what to do about them.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::address::Address;
use crate::send::SendError;

/// What stopped a listener before it began.
#[derive(Debug, Error)]
pub enum LiveError {
    /// Somebody else listens there.
    #[error("{address} is taken{}", owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default())]
    Taken {
        /// The address.
        address: Address,
        /// Who has it, where that can be seen.
        owner: Option<String>,
        /// The next port that is free.
        free: Option<u16>,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// The record cannot be created.
    #[error("cannot create {}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate or key cannot be read.
    #[error("cannot read {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds no key.
    #[error("{} holds no private key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not make a server.
    #[error("cannot use the certificate or its key")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// The authority for client certificates cannot be used.
    #[error("cannot use the authority for client certificates")]
    Authority(#[from] tokio_rustls::rustls::server::VerifierBuilderError),
    /// Requests cannot be passed on.
    #[error("cannot forward requests")]
    Forward(#[from] SendError),
    /// The system gives no thread, timer or signal.
    #[error("cannot start the servers")]
    Runtime(#[from] io::Error),
}

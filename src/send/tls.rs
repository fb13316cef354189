//! Encryption: whom to trust, and what to show.
//!
//! Comes in: PEM files, or the authorities this machine trusts. Goes out: a connector that speaks the protocol's version of HTTP, and
//! what it means when that fails.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use super::answer::Answer;
use super::options::SendOptions;
use super::target::{Protocol, TargetError};

/// The connector that these options ask for.
pub(super) fn connector(options: &SendOptions, protocol: Protocol) -> Result<TlsConnector, TargetError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.with_root_certificates(authorities(options.certificate.as_deref())?);
    let mut config = match (&options.client_certificate, &options.client_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(chain), Some(key)) => {
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
            builder.with_client_auth_cert(certificates(chain)?, private)?
        }
        _ => return Err(TargetError::Half),
    };
    let alpn: &[u8] = if protocol == Protocol::Grpc { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What a handshake that failed means: what does not hold now will not hold later.
pub(super) fn failed(error: &io::Error) -> Answer {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    Answer::never(match cause {
        None => return Answer::unsent(format!("cannot connect with TLS: {error}")),
        Some(rustls::Error::InvalidMessage(_)) => {
            "the port does not speak TLS: should the URL begin with http://? (or --insecure, without a scheme)"
                .to_owned()
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "its certificate comes from an authority that is not trusted here (name that with --certificate)".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(why)) => format!("its certificate does not hold: {why}"),
        Some(cause) => alert(&cause.to_string()).unwrap_or_else(|| format!("cannot agree on TLS: {cause}")),
    })
}

/// What the receiver says of our certificate in an alert, which may come behind the handshake; nothing where there is no alert.
pub(super) fn alert(words: &str) -> Option<String> {
    let (_, alert) = words.split_once("received fatal alert: ")?;
    let certificate = ["certificate", "unknownca"].iter().any(|word| alert.to_ascii_lowercase().contains(word));
    Some(match certificate {
        true => format!("the receiver wants a certificate that it trusts ({alert}): see --client-certificate"),
        false => format!("the receiver ends TLS: {alert}"),
    })
}

fn authorities(named: Option<&Path>) -> Result<RootCertStore, TargetError> {
    let mut roots = RootCertStore::empty();
    match named {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate)?;
            }
        }
        None => {
            // What cannot be read of a machine's list is no reason not to trust the rest.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TargetError::NoAuthorities);
            }
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TargetError> {
    let failed = |error| unreadable(path, error);
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if certificates.is_empty() { Err(unreadable(path, pem::Error::NoItemsFound)) } else { Ok(certificates) }
}

fn unreadable(path: &Path, error: pem::Error) -> TargetError {
    let source = match error {
        pem::Error::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
    };
    TargetError::Pem { path: path.to_owned(), source }
}

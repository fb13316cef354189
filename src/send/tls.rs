//! Encryption: whom to trust, and what to show.
//!
//! Comes in: PEM files, or the authorities this machine trusts. Goes out: a connector that speaks the protocol's version of HTTP.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

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

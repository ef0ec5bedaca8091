//! TLS to endpoints: rustls with ring, TLS 1.2 and 1.3. Certificates are verified against the host name.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::endpoint_url::Loopback;
use crate::aws;

/// Why a sender cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    #[error("no root certificate could be read")]
    Roots,
    /// The TLS library does not support the configuration.
    #[error("TLS could not be set up")]
    Tls,
}

/// Trusts the roots of a PEM text, or the system's. With [`Loopback::Allowed`] there may be no root at all; then every TLS
/// connection fails.
pub(super) fn connector(pem: Option<&[u8]>, loopback: Loopback) -> Result<TlsConnector, SenderError> {
    let roots = match pem {
        Some(pem) => read(pem),
        None => system(),
    };
    if roots.is_empty() && loopback == Loopback::Refused {
        return Err(SenderError::Roots);
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| SenderError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // The server presents no certificate in a resumed session, and every connection must verify one.
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn system() -> RootCertStore {
    match aws::root_certificates() {
        Some(bundle) => read(&bundle),
        None => store(rustls_native_certs::load_native_certs().certs),
    }
}

fn read(pem: &[u8]) -> RootCertStore {
    store(CertificateDer::pem_slice_iter(pem).flatten())
}

/// Skips the certificates of a system's bundle that rustls does not support.
fn store(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    store
}

//! TLS towards endpoints: rustls with ring, TLS 1.2 and 1.3, certificates checked against the host's name.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::url::Loopback;
use crate::aws;

/// Why there is no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// No certificate of a root could be read.
    #[error("no root certificate could be read")]
    Roots,
    /// The TLS library doesn't offer what is asked of it.
    #[error("TLS could not be set up")]
    Tls,
}

/// What opens TLS over a connection, trusting the roots of a PEM text, or the system's. Where this machine may be
/// reached, without TLS, no root is needed; without any, all that is TLS fails.
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
    // A resumed session shows no certificate, and every connection has to.
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

/// A system's bundle may hold what rustls doesn't take; the others still count.
fn store(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    store
}

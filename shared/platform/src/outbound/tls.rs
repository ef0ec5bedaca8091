//! TLS to endpoints. It is set up for the first connection that needs it.

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::client::Resumption;
use tokio_rustls::TlsConnector;

use super::endpoint_url::Loopback;
use crate::network::{roots, tls};

/// Why a sender cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    #[error("no root certificate could be read")]
    Roots,
    /// The TLS library does not support the configuration.
    #[error("TLS could not be set up")]
    Tls,
}

pub(super) struct Tls(OnceLock<Result<TlsConnector, SenderError>>);

impl Tls {
    /// Trusts the roots of a PEM text, or the system's, which are read later. With [`Loopback::Allowed`] there may be no root at
    /// all; then every TLS connection fails.
    pub(super) fn new(pem: Option<&[u8]>, loopback: Loopback) -> Result<Self, SenderError> {
        let given = pem.map(roots::pem);
        let has_roots = given.as_ref().map_or_else(roots::system_has_any, |given| !given.is_empty());
        if !has_roots && loopback == Loopback::Refused {
            return Err(SenderError::Roots);
        }
        Ok(Self(given.map(connector).map(OnceLock::from).unwrap_or_default()))
    }

    pub(super) fn connector(&self) -> Result<&TlsConnector, SenderError> {
        self.0.get_or_init(|| connector(roots::system())).as_ref().map_err(|error| *error)
    }
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, SenderError> {
    // Otherwise each endpoint would seem to have a bad certificate.
    if roots.is_empty() {
        return Err(SenderError::Roots);
    }
    let mut config = tls::config(roots).map_err(|_| SenderError::Tls)?;
    // The server presents no certificate in a resumed session, and every connection must verify one.
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

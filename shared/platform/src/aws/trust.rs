//! Whose certificates a service may present. TLS is set up at the first connection that needs it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::{CertificateError, Error, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::network::{roots, tls};

/// Names of services in the partitions `aws` and `aws-us-gov`. Other partitions and configured endpoints may have certificates
/// of any root.
const AMAZON_NAMES: &str = ".amazonaws.com";

/// Which roots are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those of Amazon Trust Services, which are part of the program.
    Amazon,
    /// The system's.
    System,
}

/// Where the roots of one kind come from.
pub(super) type Source = Box<dyn Fn() -> RootCertStore + Send + Sync>;

pub(super) struct Trust {
    amazon: Lazy,
    system: Lazy,
    /// Whether to trust the system's roots for all names: the environment says so, or a service had a certificate of another
    /// root than Amazon's.
    only_system: AtomicBool,
}

struct Lazy {
    source: Source,
    connector: OnceLock<Result<TlsConnector, Error>>,
}

impl Default for Trust {
    fn default() -> Self {
        Self::new(Box::new(roots::amazon), Box::new(roots::system), roots::is_set_by_environment())
    }
}

impl Trust {
    pub(super) fn new(amazon: Source, system: Source, only_system: bool) -> Self {
        let lazy = |source| Lazy { source, connector: OnceLock::new() };
        Self { amazon: lazy(amazon), system: lazy(system), only_system: AtomicBool::new(only_system) }
    }

    /// Which roots to trust for a host.
    pub(super) fn roots_for(&self, host: &str) -> Roots {
        let is_amazon = host.ends_with(AMAZON_NAMES) && !self.only_system.load(Ordering::Relaxed);
        if is_amazon { Roots::Amazon } else { Roots::System }
    }

    /// The first call for roots reads them.
    pub(super) fn connector(&self, roots: Roots) -> io::Result<TlsConnector> {
        let lazy = match roots {
            Roots::Amazon => &self.amazon,
            Roots::System => &self.system,
        };
        let made = lazy.connector.get_or_init(|| {
            let config = tls::config((lazy.source)())?;
            Ok(TlsConnector::from(Arc::new(config)))
        });
        made.clone().map_err(io::Error::other)
    }

    /// Notes that a service has a certificate of one of the system's roots that is not Amazon's. From then on the system's roots
    /// are trusted.
    pub(super) fn use_system(&self) {
        tracing::warn!("a service has a certificate of a root that is not Amazon's, so the system's roots are trusted");
        self.only_system.store(true, Ordering::Relaxed);
    }
}

/// Whether a connection failed because none of the trusted roots issued the certificate.
pub(super) fn is_unknown_root(error: &io::Error) -> bool {
    let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    error.get_ref().and_then(|cause| cause.downcast_ref::<Error>()) == Some(&unknown)
}

//! TLS settings: rustls with ring, TLS 1.2 and 1.3, HTTP/1.1. Certificates are verified against the host name.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};

/// Settings that trust these roots.
///
/// # Errors
/// If the TLS library does not support them.
pub fn config(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Functions have no certificate of their own. Without the provider's reader of private keys, the linker leaves out signing.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("this client has no key of its own".to_owned()))
    }
}

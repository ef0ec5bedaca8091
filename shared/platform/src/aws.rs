//! How functions connect to AWS services: credentials, one TLS stack, the system's root certificates.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::config::{Credentials as SdkCredentials, SharedHttpClient};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

/// The time limit for opening a connection to a service.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How to reach a service.
#[derive(Clone, Debug)]
pub struct Service {
    /// `AWS_REGION`.
    pub region: String,
    /// The URL of the service, if it is not the region's default.
    pub endpoint: Option<String>,
    pub credentials: Credentials,
}

/// AWS credentials. Lambda sets new ones in the environment of every new process.
#[derive(Clone)]
pub struct Credentials {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

impl Credentials {
    /// The credentials as every AWS client takes them.
    pub fn to_sdk(&self) -> SdkCredentials {
        SdkCredentials::new(&self.id, &self.secret, self.token.clone(), None, "environment")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// The HTTP client of every AWS client: rustls with ring and the system's root certificates. It also supports plain HTTP.
pub fn http_client() -> SharedHttpClient {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match trust_store() {
        Some(roots) => client.tls_context(roots).build_https(),
        None => client.build_https(),
    }
}

fn trust_store() -> Option<TlsContext> {
    let bundle = root_certificates()?;
    TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(bundle)).build().ok()
}

/// Files in which systems keep all root certificates, Amazon Linux first.
const BUNDLES: [&str; 3] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/// The system's root certificates from one file, as PEM. By default TLS libraries also search folders, which takes most of a
/// function's start time. `None` if there is no such file, or if the environment names another file or folder, which those
/// libraries then read.
pub fn root_certificates() -> Option<Vec<u8>> {
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    BUNDLES.into_iter().find_map(|file| std::fs::read(file).ok())
}

//! How functions connect to AWS services: credentials, one TLS stack, the system's root certificates.

use std::time::Duration;

use aws_sdk_dynamodb::config::{Credentials as SdkCredentials, SharedHttpClient};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use secrecy::{ExposeSecret, SecretString};

/// The time limit for opening a connection to a service.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How to reach a service.
#[derive(Clone, Debug)]
pub struct Service {
    /// `AWS_REGION`.
    pub region: String,
    /// The service's address, if it is not the region's own.
    pub endpoint: Option<String>,
    /// Whether to use the Region's FIPS endpoint.
    pub fips: bool,
    /// The credentials.
    pub credentials: Credentials,
}

/// AWS credentials. Lambda puts fresh ones into the environment of every new process.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The access key id, which is not secret.
    pub id: String,
    /// The secret access key.
    pub secret: SecretString,
    /// The session token.
    pub token: Option<SecretString>,
}

impl Credentials {
    /// The credentials as every AWS client takes them.
    pub fn to_sdk(&self) -> SdkCredentials {
        let token = self.token.as_ref().map(|token| token.expose_secret().to_owned());
        SdkCredentials::new(&self.id, self.secret.expose_secret(), token, None, "environment")
    }
}

/// The HTTP client of every AWS client: rustls with ring and the system's root certificates. Plain HTTP endpoints work
/// too.
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

/// Where systems keep their root certificates in one file, Amazon Linux first.
const BUNDLES: [&str; 3] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/// The system's root certificates from one file, as PEM. By default TLS libraries also search the folders, which takes
/// most of a function's start time. `None` if none of the files exists, or if the environment names a file or folder of its
/// own, which those libraries then read.
pub fn root_certificates() -> Option<Vec<u8>> {
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    BUNDLES.into_iter().find_map(|file| std::fs::read(file).ok())
}

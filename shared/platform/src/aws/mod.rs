//! How functions call AWS services: credentials, and an HTTP client under the SDK.
//!
//! - `client`: the SDK's HTTP client
//! - `message`: from the SDK's requests to hyper's, and back
//! - `idle`, `link`: connections, and one request over one of them
//! - `open`, `trust`: opening a connection, and whose certificates it accepts

use std::time::Duration;

use aws_sdk_dynamodb::config::Credentials as SdkCredentials;
use secrecy::{ExposeSecret, SecretString};

mod client;
mod idle;
mod link;
mod message;
mod open;
mod trust;

#[cfg(test)]
mod tests;

pub use self::client::http_client;

/// The time limit for opening a connection to a service. A function with little memory has little CPU time, and a TLS handshake
/// may take it a second. The limit of each try of a call is mostly shorter.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

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

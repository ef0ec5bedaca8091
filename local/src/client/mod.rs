//! A client of any deployment, for the command line. It reads responses into the structs that the API writes.
//!
//! The key is sent to one address only: redirects are not followed, and plain `http` is only for this machine.

mod address;
mod error;
mod pages;
mod problem;
mod profiles;
mod retry;
mod view;

pub use address::{Address, AddressError};
pub use error::ClientError;
pub use pages::Pages;
pub use problem::Rejection;
pub use profiles::{Profile, ProfileError, Profiles, is_open_to_others, private_file};
pub use retry::{Retry, wait_before};
pub use view::view;

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use platform::secrets::AccessKeyText;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::api::{Answer, Api, Call};

/// The gateway waits at most 30 s for a function.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// All that is not unreserved in RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A deployment, and the key with which it is called.
pub struct Client {
    address: Address,
    api: Api,
    has_key: bool,
}

impl Client {
    /// A client that sends this key with every call; without a key, only open routes can be called.
    ///
    /// # Errors
    /// [`ClientError::Setup`] if the system allows no client.
    pub fn new(address: Address, key: Option<&AccessKeyText>) -> Result<Self, ClientError> {
        Self::with_timeout(address, key, REQUEST_TIMEOUT)
    }

    /// As [`Client::new`], with another time limit for each call.
    ///
    /// # Errors
    /// [`ClientError::Setup`] if the system allows no client.
    pub fn with_timeout(address: Address, key: Option<&AccessKeyText>, timeout: Duration) -> Result<Self, ClientError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(tls(&address)?)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .user_agent(concat!("multipartner/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers(key)?)
            .build()
            .map_err(|error| ClientError::Setup(error.to_string()))?;
        let api = Api::with_client(address.as_str(), client);
        Ok(Self { address, api, has_key: key.is_some() })
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    pub fn has_key(&self) -> bool {
        self.has_key
    }

    /// Sends a call once. The answer is a success.
    ///
    /// # Errors
    /// [`ClientError`]. The call may have taken effect nevertheless if the error is `Unreachable` or `Retryable`.
    pub async fn call(&self, call: &Call) -> Result<Answer, ClientError> {
        let answer = self.api.send(call).await.map_err(|error| ClientError::unreachable(&self.address, &error))?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(ClientError::from_answer(&answer)) }
    }
}

/// Fills the places in a route's path, such as `{partner_id}`, in their order.
pub fn path(template: &str, values: &[&str]) -> String {
    let mut path = String::new();
    let mut values = values.iter();
    for segment in template.split('/').skip(1) {
        path.push('/');
        match segment.starts_with('{').then(|| values.next()).flatten() {
            Some(value) => path.extend(utf8_percent_encode(value, RESERVED)),
            None => path.push_str(segment),
        }
    }
    path
}

/// Adds parameters to a path.
pub fn with_query(path: String, parameters: &[(&str, String)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let query: Vec<_> =
        parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn headers(key: Option<&AccessKeyText>) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
            .map_err(|_| ClientError::Setup("the key is not a header".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// rustls with ring, and the roots of the system or of `SSL_CERT_FILE`.
fn tls(address: &Address) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    if address.is_https() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(ClientError::Setup("this machine has no root certificates; set SSL_CERT_FILE".to_owned()));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Setup(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_change_a_path() {
        let template = "/v1/partners/{partner_id}/subscriptions/{subscription_id}";
        assert_eq!(path(template, &["ptr_a", "../x?y#z"]), "/v1/partners/ptr_a/subscriptions/..%2Fx%3Fy%23z");
        let query = with_query("/v1/keys".into(), &[("state", "a&b=c".into()), ("limit", "5".into())]);
        assert_eq!(query, "/v1/keys?state=a%26b%3Dc&limit=5");
        assert_eq!(with_query("/v1/keys".into(), &[]), "/v1/keys");
    }

    #[test]
    fn the_key_is_not_in_debug_output() {
        let key = AccessKeyText::from_bytes(&[1; 32]);
        let shown = format!("{:?}", headers(Some(&key)).unwrap());
        assert!(!shown.contains(key.expose_secret()) && shown.contains("authorization"), "{shown}");
    }
}

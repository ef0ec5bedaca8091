//! A client of any deployment, for the command line. It reads responses into the structs that the API writes.
//!
//! The key is sent to one address only: redirects are not followed, and plain `http` is only for this machine.

mod address;
mod error;
mod http_client;
mod pages;
mod problem;
mod profiles;
mod proxy;
mod retry;
mod view;

pub use address::{Address, AddressError};
pub use error::ClientError;
pub use pages::Pages;
pub use problem::Rejection;
pub use profiles::{Profile, ProfileError, Profiles, is_open_to_others, private_file};
pub use retry::{Retry, wait_before};
pub use view::view;

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use platform::secrets::AccessKeyText;

use self::http_client::HttpClient;
use crate::api::{Answer, Call};

/// The gateway waits at most 30 s for a function.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);

/// All that is not unreserved in RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A deployment, and the key with which it is called.
pub struct Client {
    address: Address,
    http: HttpClient,
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
        let http = HttpClient::new(&address, key, timeout)?;
        Ok(Self { address, http, has_key: key.is_some() })
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
        let answer = self.http.send(&self.address, call).await?;
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
}

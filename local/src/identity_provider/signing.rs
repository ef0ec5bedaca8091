//! The keys of the provider and of its client. They are in the source code: RSA keys cannot be generated here, and a provider that
//! signs in everybody has no secrets.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use domain::{Cloud, Timestamp};
use platform::identity::rsa::{KeyPair, Padding, verify};
use serde_json::{Value, json};

use super::tamper::Forged;

/// The key that proves the deployment's requests for the US Government cloud.
pub(super) const CLIENT_KEY: &str = include_str!("keys/client.pem");

const PUBLIC_KEY: &str = include_str!("keys/public.pem");
const US_GOV_KEY: &str = include_str!("keys/us_gov.pem");

/// The signing keys, and the client's.
pub(super) struct Keys {
    public: Arc<KeyPair>,
    us_gov: Arc<KeyPair>,
    client: Arc<KeyPair>,
}

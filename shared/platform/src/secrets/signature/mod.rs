//! Webhook signatures: [Standard Webhooks 1.0.0][spec], symmetric scheme `v1`. A signature is the base64 of the HMAC-SHA256
//! of `id.timestamp.body`.
//!
//! We do not use the crate `standardwebhooks` 1.0.1: it reads the system clock itself, accepts an empty secret and overflows
//! on an extreme timestamp. The tests compare our results with it.
//!
//! [spec]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

mod headers;
mod secret;
#[cfg(test)]
mod tests;

pub use headers::{SignatureError, SignatureHeader, SignatureHeaders, TOLERANCE_SECONDS};
pub use secret::{SecretError, SigningSecret};

use data_encoding::BASE64;
use hmac::Mac;

/// The only version we sign and verify.
const VERSION: &str = "v1";

/// Signs a message. Returns one entry of a `webhook-signature` header: `v1,<base64>`.
///
/// Receivers that are as strict as [`SignatureHeaders::parse`] accept only its form of `id`, and a `timestamp` in positive
/// Unix seconds.
pub fn sign(secret: &SigningSecret, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mac = secret.mac(&signed_parts(id, &timestamp.to_string(), body));
    format!("{VERSION},{}", BASE64.encode(&mac.finalize().into_bytes()))
}

/// The signed bytes, in parts. The timestamp is the header's text, so two spellings of one number have different signatures.
fn signed_parts<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

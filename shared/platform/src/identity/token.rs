//! The form and the signature of an ID token (RFC 7515, RFC 8725). Nothing in the header chooses how the token is verified:
//! `jwk`, `jku` and `x5u` are not read.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::claims::Claims;
use super::error::{Check, SignInError};
use super::keys::{ALGORITHM, KeySet};
use super::member::present;

/// A token whose header is acceptable.
pub(super) struct Token<'a> {
    kid: String,
    /// Header and payload, as they were signed.
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default, deserialize_with = "present")]
    typ: Option<String>,
    /// Extensions that a verifier must understand. None is understood.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    /// # Errors
    /// [`Check::Header`].
    pub(super) fn parse(text: &'a str) -> Result<Self, SignInError> {
        Self::read(text).ok_or(SignInError::Failed(Check::Header))
    }

    fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.'))?;
        let header: Header = decode(header)?;
        let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        let acceptable = header.alg == ALGORITHM && is_jwt && header.crit.is_none();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        acceptable.then_some(Self { kid: header.kid, signed, payload, signature })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The claims, once the signature is verified.
    ///
    /// # Errors
    /// [`Check::Key`], [`Check::Signature`] and [`Check::Claims`].
    pub(super) fn verify(&self, keys: &KeySet) -> Result<Claims, SignInError> {
        if !keys.has(&self.kid) {
            return Err(SignInError::Failed(Check::Key));
        }
        if !keys.verify(&self.kid, self.signed.as_bytes(), &self.signature) {
            return Err(SignInError::Failed(Check::Signature));
        }
        decode(self.payload).ok_or(SignInError::Failed(Check::Claims))
    }
}

/// Reads one JSON object. A member that occurs twice is an error, as is text after the object.
fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    // A struct could also be read from a list.
    if json.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(&json).ok()
}

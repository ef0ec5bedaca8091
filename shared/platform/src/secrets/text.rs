//! Secrets that people and programs send: link tokens, access keys and session cookies.

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Compares hashes in constant time.
pub fn same_hash(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// The token in an invitation's link: 43 base64url characters.
#[derive(Clone, Debug)]
pub struct LinkToken(SecretString);

/// A bearer key: `mpk_` and 43 base64url characters.
#[derive(Clone, Debug)]
pub struct AccessKeyText(SecretString);

/// The value of a session's cookie: 43 base64url characters.
#[derive(Clone, Debug)]
pub struct SessionText(SecretString);

/// Secrets that are 43 base64url characters.
macro_rules! secrets_of_43_characters {
    ($($name:ident),*) => {$(
        impl $name {
            pub fn from_bytes(bytes: &[u8; 32]) -> Self {
                Self(BASE64URL_NOPAD.encode(bytes).into())
            }

            /// `None` if the text does not have the form of one.
            pub fn parse(text: &str) -> Option<Self> {
                is_43_base64url(text).then(|| Self(text.into()))
            }

            pub fn expose_secret(&self) -> &str {
                self.0.expose_secret()
            }

            /// SHA-256 of the text. The table stores only this.
            pub fn hash(&self) -> [u8; 32] {
                sha256(&self.0)
            }
        }
    )*};
}

secrets_of_43_characters!(LinkToken, SessionText);

impl AccessKeyText {
    pub const PREFIX: &'static str = "mpk_";

    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let encoded = Zeroizing::new(BASE64URL_NOPAD.encode(bytes));
        Self(format!("{}{}", Self::PREFIX, *encoded).into())
    }

    /// Parses a key. `None` if the text does not have the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(Self::PREFIX).is_some_and(is_43_base64url).then(|| Self(text.into()))
    }

    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// SHA-256 of the text. The table stores only this.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

fn sha256(text: &SecretString) -> [u8; 32] {
    Sha256::digest(text.expose_secret().as_bytes()).into()
}

fn is_43_base64url(text: &str) -> bool {
    text.len() == 43 && BASE64URL_NOPAD.decode(text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_has_only_one_spelling() {
        let key = AccessKeyText::from_bytes(&[1; 32]);
        let text = key.expose_secret();
        assert_eq!(AccessKeyText::parse(text).unwrap().expose_secret(), text);
        for malformed in ["", "mpk_", &text[..46], &format!("{text}A"), &text.replace("mpk_", "mpk-")] {
            assert!(AccessKeyText::parse(malformed).is_none(), "{malformed}");
        }
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let (key, token) = (AccessKeyText::from_bytes(&[1; 32]), LinkToken::from_bytes(&[2; 32]));
        let shown = format!("{key:?} {token:?}");
        assert!(!shown.contains(key.expose_secret()) && !shown.contains(token.expose_secret()), "{shown}");
        assert!(shown.contains("AccessKeyText") && shown.contains("LinkToken"), "{shown}");
    }
}

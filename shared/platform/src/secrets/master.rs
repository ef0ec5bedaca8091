//! The master keys, and everything secret that derives from them: link tokens, access keys, signing secrets. What
//! derives needs no place in the table: it is HMAC-SHA256 of a per-use key (HKDF, RFC 5869) over an id and a generation.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::signature::SigningSecret;
use domain::{EndpointId, InvitationId, PartnerId, digest};

/// 32 secret bytes that never show themselves.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Wraps the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a master key as deployments give it: 64 hexadecimal digits, or any text of at least 32 characters, which is
    /// hashed (Secrets Manager generates such texts). `None` when it is shorter.
    pub fn parse_master(text: &str) -> Option<Self> {
        if let Ok(bytes) = HEXLOWER_PERMISSIVE.decode(text.as_bytes())
            && let Ok(bytes) = <[u8; 32]>::try_from(bytes)
        {
            return Some(Self(bytes));
        }
        (text.len() >= 32).then(|| Self(digest("master key", &[text.as_bytes()])))
    }
}

/// Compares hashes in constant time.
pub fn same_hash(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// The numbered master keys. Items store the number their secrets derive from; new ones use the highest.
#[derive(Clone, Debug, Default)]
pub struct MasterKeys(BTreeMap<u32, Secret>);

/// An item names a master key that this deployment does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("master key {0} is not configured")]
pub struct UnknownMasterKey(pub u32);

impl MasterKeys {
    /// Keys by number, from 1.
    pub fn new(keys: BTreeMap<u32, Secret>) -> Self {
        Self(keys)
    }

    /// The number new secrets derive from.
    ///
    /// # Errors
    /// [`UnknownMasterKey`] when no key is configured.
    pub fn current(&self) -> Result<u32, UnknownMasterKey> {
        self.0.keys().next_back().copied().ok_or(UnknownMasterKey(1))
    }

    /// The numbers of all keys, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.keys().rev().copied()
    }

    /// A link's token.
    ///
    /// # Errors
    /// [`UnknownMasterKey`].
    pub fn link_token(&self, number: u32, id: &InvitationId, generation: u32) -> Result<LinkToken, UnknownMasterKey> {
        let bytes = self.derive(number, "invitation link", &[id.as_str().as_bytes(), &generation.to_be_bytes()])?;
        Ok(LinkToken(BASE64URL_NOPAD.encode(&bytes)))
    }

    /// A partner's webhook signing secret.
    ///
    /// # Errors
    /// [`UnknownMasterKey`].
    pub fn signing_secret(
        &self,
        number: u32,
        id: &PartnerId,
        generation: u32,
    ) -> Result<SigningSecret, UnknownMasterKey> {
        let parts: &[&[u8]] = &[id.as_str().as_bytes(), &generation.to_be_bytes()];
        Ok(SigningSecret::from_bytes(self.derive(number, "partner signing secret", parts)?))
    }

    /// The signing secret of a webhook endpoint.
    ///
    /// # Errors
    /// [`UnknownMasterKey`].
    pub fn endpoint_secret(
        &self,
        number: u32,
        id: &EndpointId,
        generation: u32,
    ) -> Result<SigningSecret, UnknownMasterKey> {
        let parts: &[&[u8]] = &[id.as_str().as_bytes(), &generation.to_be_bytes()];
        Ok(SigningSecret::from_bytes(self.derive(number, "endpoint signing secret", parts)?))
    }

    /// An access key, from what makes this one different from all others.
    ///
    /// # Errors
    /// [`UnknownMasterKey`].
    pub fn access_key(&self, number: u32, seed: &[u8]) -> Result<AccessKeyText, UnknownMasterKey> {
        Ok(AccessKeyText::from_bytes(&self.derive(number, "access key", &[seed])?))
    }

    fn derive(&self, number: u32, label: &str, parts: &[&[u8]]) -> Result<[u8; 32], UnknownMasterKey> {
        let unknown = || UnknownMasterKey(number);
        let master = self.0.get(&number).ok_or_else(unknown)?;
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &master.0).expand(label.as_bytes(), &mut key).map_err(|_| unknown())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| unknown())?;
        mac.update(&digest(label, parts));
        Ok(mac.finalize().into_bytes().into())
    }
}

macro_rules! secret_texts {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone)]
        pub struct $name(String);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl $name {
            /// The secret text, for the one place that has to show it.
            pub fn reveal(&self) -> &str {
                &self.0
            }

            /// SHA-256 of the text: what the table holds.
            pub fn hash(&self) -> [u8; 32] {
                Sha256::digest(self.0.as_bytes()).into()
            }
        }
    )*};
}

secret_texts! {
    /// The token of an invitation's link: 43 base64url characters.
    LinkToken;
    /// A bearer key: `mpk_` and 43 base64url characters.
    AccessKeyText;
}

fn is_43_base64url(text: &str) -> bool {
    text.len() == 43 && BASE64URL_NOPAD.decode(text.as_bytes()).is_ok()
}

impl LinkToken {
    /// Reads a token; `None` when it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        is_43_base64url(text).then(|| Self(text.to_owned()))
    }
}

impl AccessKeyText {
    /// What a key begins with.
    pub const PREFIX: &'static str = "mpk_";

    /// The key made of these bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(format!("{}{}", Self::PREFIX, BASE64URL_NOPAD.encode(bytes)))
    }

    /// Reads a key; `None` when it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(Self::PREFIX).is_some_and(is_43_base64url).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> MasterKeys {
        MasterKeys::new(BTreeMap::from([(1, Secret::new([1; 32])), (2, Secret::new([2; 32]))]))
    }

    #[test]
    fn what_derives_differs_by_use_key_and_generation_and_is_the_same_again() {
        let keys = keys();
        let id = InvitationId::from_hash(&digest("t", &[]));
        let token = |number, generation| keys.link_token(number, &id, generation).unwrap().reveal().to_owned();
        assert_eq!(token(1, 1), token(1, 1));
        assert_ne!(token(1, 1), token(2, 1));
        assert_ne!(token(1, 1), token(1, 2));
        assert_eq!(keys.current(), Ok(2));
        assert_eq!(MasterKeys::default().current(), Err(UnknownMasterKey(1)));
        assert_eq!(keys.link_token(3, &id, 1).unwrap_err(), UnknownMasterKey(3));
    }

    #[test]
    fn nothing_secret_shows_in_debug() {
        let keys = keys();
        let key = keys.access_key(1, b"seed").unwrap();
        let shown = format!("{keys:?} {key:?} {:?}", LinkToken::parse(&"A".repeat(43)));
        assert!(!shown.contains(key.reveal()) && !shown.contains("AAAA") && !shown.contains("[1, 1"), "{shown}");
    }

    #[test]
    fn a_key_has_one_spelling() {
        let key = keys().access_key(1, b"seed").unwrap();
        assert!(AccessKeyText::parse(key.reveal()).is_some());
        for wrong in
            ["", "mpk_", &key.reveal()[..46], &format!("{}A", key.reveal()), &key.reveal().replace("mpk_", "mpk-")]
        {
            assert!(AccessKeyText::parse(wrong).is_none());
        }
    }
}

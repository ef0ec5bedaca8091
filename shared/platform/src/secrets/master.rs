//! Master keys, and the secrets derived from them. A derived secret is the HMAC-SHA256 of an id and a generation. Its key is
//! derived from the master key with HKDF (RFC 5869), one per use. So the table does not store these secrets.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::signature::SigningSecret;
use super::text::{AccessKeyText, LinkToken};
use domain::{EndpointId, InvitationId, PartnerId, PersonId, TenantId, digest};

/// A master key: 32 bytes.
#[derive(Clone, Debug)]
pub struct MasterKey(SecretSlice<u8>);

impl MasterKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec().into())
    }

    /// Reads a master key from its variable: 64 hexadecimal digits, or any text of at least 32 characters, which is hashed
    /// (Secrets Manager generates texts of this kind). `None` if it is shorter.
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().map(Zeroizing::new);
        if let Some(bytes) = decoded.as_ref().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()) {
            return Some(Self::new(bytes));
        }
        (text.len() >= 32).then(|| Self::new(digest("master key", &[text.as_bytes()])))
    }
}

/// The numbered master keys. An item stores the number of the key that its secrets derive from. New items use the current key.
#[derive(Clone, Debug, Default)]
pub struct MasterKeys {
    keys: BTreeMap<u32, MasterKey>,
    current: Option<u32>,
}

/// An item refers to a master key that this deployment does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("master key {0} is not configured")]
pub struct UnknownMasterKey(pub u32);

impl MasterKeys {
    /// Keys by number, from 1. The lowest is the current one.
    pub fn new(keys: BTreeMap<u32, MasterKey>) -> Self {
        Self { current: keys.keys().next().copied(), keys }
    }

    /// The same keys, with another current one.
    ///
    /// # Errors
    /// [`UnknownMasterKey`] if there is no key with this number.
    pub fn with_current(self, number: u32) -> Result<Self, UnknownMasterKey> {
        if self.keys.contains_key(&number) {
            Ok(Self { current: Some(number), ..self })
        } else {
            Err(UnknownMasterKey(number))
        }
    }

    /// The number of the key that new secrets derive from.
    ///
    /// # Errors
    /// [`UnknownMasterKey`] if no key is configured.
    pub fn current(&self) -> Result<u32, UnknownMasterKey> {
        self.current.ok_or(UnknownMasterKey(1))
    }

    /// A person who signed in to a tenant, by the id that the tenant's directory gives the person. It derives from the oldest
    /// key, so that the same person has the same id after a rotation.
    ///
    /// # Errors
    /// [`UnknownMasterKey`] if no key is configured.
    pub fn person(&self, tenant: &TenantId, object_id: &str) -> Result<PersonId, UnknownMasterKey> {
        let oldest = self.keys.keys().next().copied().ok_or(UnknownMasterKey(1))?;
        let parts: &[&[u8]] = &[tenant.as_str().as_bytes(), object_id.as_bytes()];
        Ok(PersonId::from_hash(&*self.derive(oldest, "person", parts)?))
    }

    /// The numbers of all keys, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().rev().copied()
    }

    /// The token in an invitation's link.
    ///
    /// # Errors
    /// [`UnknownMasterKey`].
    pub fn link_token(&self, number: u32, id: &InvitationId, generation: u32) -> Result<LinkToken, UnknownMasterKey> {
        let bytes = self.derive(number, "invitation link", &[id.as_str().as_bytes(), &generation.to_be_bytes()])?;
        Ok(LinkToken::from_bytes(&bytes))
    }

    /// The secret that verifies a partner's webhooks.
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
        Ok(SigningSecret::from_bytes(&*self.derive(number, "partner signing secret", parts)?))
    }

    /// The secret that signs messages to a webhook endpoint.
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
        Ok(SigningSecret::from_bytes(&*self.derive(number, "endpoint signing secret", parts)?))
    }

    /// An access key. The same seed gives the same key.
    ///
    /// # Errors
    /// [`UnknownMasterKey`].
    pub fn access_key(&self, number: u32, seed: &[u8]) -> Result<AccessKeyText, UnknownMasterKey> {
        Ok(AccessKeyText::from_bytes(&*self.derive(number, "access key", &[seed])?))
    }

    /// What identifies a key without revealing it.
    ///
    /// # Errors
    /// [`UnknownMasterKey`].
    pub fn check_value(&self, number: u32) -> Result<[u8; 32], UnknownMasterKey> {
        Ok(*self.derive(number, "check value", &[])?)
    }

    /// The HMAC of the parts under the key for this use.
    pub(super) fn derive(
        &self,
        number: u32,
        label: &str,
        parts: &[&[u8]],
    ) -> Result<Zeroizing<[u8; 32]>, UnknownMasterKey> {
        #[cfg(feature = "describe")]
        super::count::secret();
        let unknown = || UnknownMasterKey(number);
        let master = self.keys.get(&number).ok_or_else(unknown)?;
        let mut key = Zeroizing::new([0; 32]);
        let hkdf = Hkdf::<Sha256>::new(None, master.0.expose_secret());
        hkdf.expand(label.as_bytes(), &mut *key).map_err(|_| unknown())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&*key).map_err(|_| unknown())?;
        mac.update(&digest(label, parts));
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> MasterKeys {
        MasterKeys::new(BTreeMap::from([(1, MasterKey::new([1; 32])), (2, MasterKey::new([2; 32]))]))
    }

    fn invitation() -> InvitationId {
        InvitationId::from_hash(&digest("t", &[]))
    }

    fn token(number: u32, generation: u32) -> String {
        keys().link_token(number, &invitation(), generation).unwrap().expose_secret().to_owned()
    }

    #[test]
    fn a_token_depends_only_on_master_key_id_and_generation() {
        assert_eq!(token(1, 1), token(1, 1));
        assert_ne!(token(1, 1), token(2, 1));
        assert_ne!(token(1, 1), token(1, 2));
        let other = keys().link_token(1, &InvitationId::from_hash(&digest("u", &[])), 1).unwrap();
        assert_ne!(token(1, 1), other.expose_secret());
    }

    #[test]
    fn secrets_of_different_uses_differ_even_for_the_same_id() {
        let hash = digest("t", &[]);
        let partner = keys().signing_secret(1, &PartnerId::from_hash(&hash), 1).unwrap().to_whsec();
        let endpoint = keys().endpoint_secret(1, &EndpointId::from_hash(&hash), 1).unwrap().to_whsec();
        assert_ne!(partner, endpoint);
    }

    #[test]
    fn new_secrets_derive_from_the_current_key() {
        assert_eq!(keys().current(), Ok(1));
        assert_eq!(keys().with_current(2).unwrap().current(), Ok(2));
        assert_eq!(keys().with_current(3).unwrap_err(), UnknownMasterKey(3));
        assert_eq!(keys().numbers().collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn check_values_differ_between_keys_and_are_no_secret_of_another_use() {
        let of = |byte: u8| MasterKeys::new(BTreeMap::from([(1, MasterKey::new([byte; 32]))]));
        assert_eq!(of(1).check_value(1), of(1).check_value(1));
        assert_ne!(of(1).check_value(1), of(2).check_value(1));
        let as_key = AccessKeyText::from_bytes(&of(1).check_value(1).unwrap());
        assert_ne!(as_key.expose_secret(), of(1).access_key(1, b"").unwrap().expose_secret());
    }

    #[test]
    fn a_person_depends_on_the_tenant_and_not_on_the_current_key() {
        let tenant = |last: char| TenantId::parse(&format!("6f9619ff-8b86-d011-b42d-00cf4fc964f{last}")).unwrap();
        let person = keys().person(&tenant('a'), "p").unwrap();
        assert_eq!(keys().with_current(2).unwrap().person(&tenant('a'), "p"), Ok(person.clone()));
        assert_ne!(keys().person(&tenant('b'), "p"), Ok(person.clone()));
        assert_ne!(keys().person(&tenant('a'), "q"), Ok(person));
    }

    #[test]
    fn an_unknown_master_key_is_an_error() {
        assert_eq!(MasterKeys::default().current(), Err(UnknownMasterKey(1)));
        assert_eq!(keys().link_token(3, &invitation(), 1).unwrap_err(), UnknownMasterKey(3));
    }

    #[test]
    fn a_master_key_is_64_hexadecimal_digits_or_a_text_of_32_characters() {
        let derived = |text: &str| {
            let keys = MasterKeys::new(BTreeMap::from([(1, MasterKey::parse(text)?)]));
            Some(keys.access_key(1, b"seed").unwrap().expose_secret().to_owned())
        };
        let lower = "ab".repeat(32);
        assert_eq!(derived(&lower), derived(&lower.to_uppercase()), "these are the same bytes");
        assert_ne!(derived(&"x".repeat(32)), derived(&"x".repeat(33)));
        assert_eq!(derived(&"x".repeat(31)), None);
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let shown = format!("{:?}", keys());
        assert!(shown.contains("REDACTED") && !shown.contains("1, 1"), "{shown}");
    }
}

//! The cookie of a started sign-in. It is everything that is known about the sign-in: nothing is written before the person
//! returns. `state`, `nonce` and the PKCE verifier derive from it.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::master::{MasterKeys, UnknownMasterKey};
use super::text::same_hash;
use domain::{Cloud, InvitationId, TenantId, Timestamp};

/// A started sign-in.
#[derive(Clone)]
pub struct SignInCookie {
    pub cloud: Cloud,
    pub tenant: TenantId,
    /// The invitation from whose page it was started.
    pub invitation: Option<InvitationId>,
    /// From this time on the person can no longer return.
    pub expires_at: Timestamp,
    random: Zeroizing<[u8; 32]>,
    key_number: u32,
}

/// The secrets that belong to a sign-in: 43 base64url characters each.
#[derive(Clone, Debug)]
pub struct SignInSecrets {
    state: SecretString,
    nonce: SecretString,
    verifier: SecretString,
}

impl SignInCookie {
    /// How many characters of the state are in the cookie's name.
    const NAMED: usize = 8;

    pub fn new(
        (cloud, tenant): (Cloud, TenantId),
        invitation: Option<InvitationId>,
        expires_at: Timestamp,
        random: [u8; 32],
        keys: &MasterKeys,
    ) -> Result<Self, UnknownMasterKey> {
        let (random, key_number) = (Zeroizing::new(random), keys.current()?);
        Ok(Self { cloud, tenant, invitation, expires_at, random, key_number })
    }

    /// The part of the cookie's name that belongs to a state; `None` if the text is not a state.
    pub fn name_of(state: &str) -> Option<&str> {
        let name = state.get(..Self::NAMED).filter(|name| Self::is_name(name));
        name.filter(|_| state.len() > Self::NAMED)
    }

    /// Whether the rest of a cookie's name is of a sign-in.
    pub fn is_name(name: &str) -> bool {
        name.len() == Self::NAMED && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    }

    /// The values that the HMAC covers.
    fn signed(&self) -> Zeroizing<String> {
        let random = Zeroizing::new(BASE64URL_NOPAD.encode(&*self.random));
        let invitation = self.invitation.as_ref().map(InvitationId::as_str).unwrap_or_default();
        let Self { cloud, tenant, expires_at, key_number, .. } = self;
        Zeroizing::new(format!("{key_number}.{}.{cloud}.{tenant}.{invitation}.{}", *random, expires_at.millis()))
    }

    fn parse(signed: &str) -> Option<Self> {
        let mut parts = signed.split('.');
        let key_number = parts.next()?.parse().ok()?;
        let random = Zeroizing::new(BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?);
        let random = Zeroizing::new(<[u8; 32]>::try_from(random.as_slice()).ok()?);
        let (cloud, tenant) = (Cloud::parse(parts.next()?)?, TenantId::parse(parts.next()?)?);
        let invitation = match parts.next()? {
            "" => None,
            id => Some(InvitationId::parse(id)?),
        };
        let expires_at = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let parsed = Self { cloud, tenant, invitation, expires_at, random, key_number };
        parts.next().is_none().then_some(parsed)
    }
}

impl fmt::Debug for SignInCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInCookie").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

impl SignInSecrets {
    /// What ties the return to the browser in which the sign-in was started.
    pub fn expose_state(&self) -> &str {
        self.state.expose_secret()
    }

    /// What ties the token to the sign-in.
    pub fn expose_nonce(&self) -> &str {
        self.nonce.expose_secret()
    }

    /// What ties the code to the sign-in (PKCE).
    pub fn expose_verifier(&self) -> &str {
        self.verifier.expose_secret()
    }

    /// Whether this is the state, in constant time.
    pub fn is_state(&self, text: &str) -> bool {
        use sha2::{Digest, Sha256};
        let hash = |text: &str| Sha256::digest(text.as_bytes()).into();
        same_hash(&hash(self.state.expose_secret()), &hash(text))
    }
}

impl MasterKeys {
    /// The value of the cookie, which is a secret.
    ///
    /// # Errors
    /// [`UnknownMasterKey`], in both methods here.
    pub fn sign_in_text(&self, cookie: &SignInCookie) -> Result<String, UnknownMasterKey> {
        let signed = cookie.signed();
        let mac = self.derive(cookie.key_number, "sign-in cookie", &[signed.as_bytes()])?;
        Ok(format!("{}.{}", *signed, BASE64URL_NOPAD.encode(&*mac)))
    }

    pub fn sign_in_secrets(&self, cookie: &SignInCookie) -> Result<SignInSecrets, UnknownMasterKey> {
        let signed = cookie.signed();
        let secret = |label: &str| -> Result<SecretString, UnknownMasterKey> {
            let bytes = self.derive(cookie.key_number, label, &[signed.as_bytes()])?;
            Ok(BASE64URL_NOPAD.encode(&*bytes).into())
        };
        let (state, nonce) = (secret("sign-in state")?, secret("sign-in nonce")?);
        Ok(SignInSecrets { state, nonce, verifier: secret("sign-in verifier")? })
    }

    /// The sign-in of a cookie; `None` if this deployment did not write its value. The caller compares the end.
    pub fn read_sign_in(&self, text: &str) -> Option<SignInCookie> {
        let (signed, mac) = text.rsplit_once('.')?;
        let mac: [u8; 32] = BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?.try_into().ok()?;
        let cookie = SignInCookie::parse(signed)?;
        let expected = self.derive(cookie.key_number, "sign-in cookie", &[signed.as_bytes()]).ok()?;
        same_hash(&expected, &mac).then_some(cookie)
    }
}

#[cfg(test)]
mod tests {
    use super::super::MasterKey;
    use super::*;

    fn keys() -> MasterKeys {
        MasterKeys::new([(1, MasterKey::new([1; 32])), (2, MasterKey::new([2; 32]))].into())
    }

    fn cookie(random: u8, invitation: Option<InvitationId>) -> SignInCookie {
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        let at = Timestamp::from_millis(1_795_369_200_123);
        SignInCookie::new((Cloud::UsGov, tenant), invitation, at, [random; 32], &keys()).unwrap()
    }

    fn text(cookie: &SignInCookie) -> String {
        keys().sign_in_text(cookie).unwrap()
    }

    #[test]
    fn a_cookie_is_read_as_it_was_written_also_after_a_rotation() {
        for invitation in [None, Some(InvitationId::from_hash(&[9; 32]))] {
            let written = cookie(1, invitation.clone());
            let rotated = keys().with_current(2).unwrap();
            let read = rotated.read_sign_in(&text(&written)).unwrap();
            assert_eq!((read.cloud, &read.tenant, &read.invitation), (Cloud::UsGov, &written.tenant, &invitation));
            assert_eq!(read.expires_at, written.expires_at);
            let state = |cookie: &SignInCookie| rotated.sign_in_secrets(cookie).unwrap().state;
            assert_eq!(state(&read).expose_secret(), state(&written).expose_secret());
        }
    }

    #[test]
    fn a_changed_cookie_is_not_read() {
        let written = text(&cookie(1, None));
        assert!(keys().read_sign_in(&written).is_some());
        for at in 0..written.len() {
            let other = if written.as_bytes()[at] == b'1' { "2" } else { "1" };
            let mut changed = written.clone();
            changed.replace_range(at..=at, other);
            // The last character holds bits that do not belong to the HMAC. They must be zero.
            assert!(keys().read_sign_in(&changed).is_none(), "{at}");
        }
        for malformed in ["", ".", "1", &written[1..], &written[..written.len() - 1], &format!("{written}A")] {
            assert!(keys().read_sign_in(malformed).is_none(), "{malformed}");
        }
        let unknown = MasterKeys::new([(2, MasterKey::new([2; 32]))].into());
        assert!(unknown.read_sign_in(&written).is_none());
    }

    #[test]
    fn all_secrets_of_all_sign_ins_differ() {
        let mut all = Vec::new();
        for random in 1..4 {
            let secrets = keys().sign_in_secrets(&cookie(random, None)).unwrap();
            assert!(secrets.is_state(secrets.expose_state()) && !secrets.is_state("x"));
            for secret in [secrets.state, secrets.nonce, secrets.verifier] {
                all.push(secret.expose_secret().to_owned());
            }
        }
        assert!(all.iter().all(|secret| secret.len() == 43));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 9);
    }

    #[test]
    fn only_a_state_has_a_cookies_name() {
        assert_eq!(SignInCookie::name_of("abcdefgh1"), Some("abcdefgh"));
        for text in ["", "abcdefgh", "abcdefg;1", "ab=defgh1", "abcdefg\u{e9}1", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}1"] {
            assert_eq!(SignInCookie::name_of(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let cookie = cookie(1, None);
        let shown = format!("{cookie:?} {:?}", keys().sign_in_secrets(&cookie).unwrap());
        assert!(!shown.contains("1, 1") && !shown.contains("AQEB"), "{shown}");
    }
}

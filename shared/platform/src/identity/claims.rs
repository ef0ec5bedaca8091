//! The claims of an ID token, and the checks that prove that it is authentic, for this sign-in and fresh. Until all of them hold,
//! nothing is known about any person.

use domain::{TenantId, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::error::{Check, SignInError};
use super::member::present;

/// How far the clocks of provider and deployment may differ, in seconds.
const SKEW: i64 = 60;

/// A token is redeemed at once, so it is at most this old, in seconds.
const MAX_ISSUED: i64 = 600;

/// No ID token is valid for longer, in seconds.
const MAX_LIFE: i64 = 86_400;

/// The version of Microsoft Entra's tokens.
const VERSION: &str = "2.0";

/// The claims that are used. All others are ignored. A claim has its type or the token is refused, except for the claims about
/// the person, whose checks come last and say more.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(default, deserialize_with = "present")]
    iss: Option<String>,
    #[serde(default, deserialize_with = "present")]
    tid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<Audience>,
    #[serde(default, deserialize_with = "present")]
    azp: Option<String>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    nonce: Option<String>,
    #[serde(default, deserialize_with = "present")]
    ver: Option<String>,
    #[serde(default, deserialize_with = "present")]
    auth_time: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    sub: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) oid: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) altsecid: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) acct: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) idp: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) wids: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) name: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) email: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub(super) preferred_username: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    List(Vec<String>),
}

/// What a token must say.
pub(super) struct Expected<'a> {
    /// Built from `tenant`.
    pub(super) issuer: &'a str,
    pub(super) tenant: &'a TenantId,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) max_age_seconds: u32,
    pub(super) now: Timestamp,
}

impl Claims {
    /// Whether the token is authentic, for this sign-in and fresh, in the order of [`Check`].
    ///
    /// # Errors
    /// [`SignInError::Failed`] with the first check that does not hold.
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<(), SignInError> {
        let now = expected.now.seconds();
        let holds = [
            (Check::Issuer, self.iss.as_deref() == Some(expected.issuer)),
            (Check::Tenant, self.tid.as_deref() == Some(expected.tenant.as_str())),
            (Check::Audience, self.is_for(expected.client_id)),
            (Check::Expiry, self.exp.is_some_and(|exp| exp > now - SKEW && exp <= now + MAX_LIFE)),
            (Check::NotBefore, self.nbf.is_none_or(|nbf| (0..=now + SKEW).contains(&nbf))),
            (Check::IssuedAt, self.iat.is_some_and(|iat| (now - MAX_ISSUED..=now + MAX_ISSUED).contains(&iat))),
            (Check::Nonce, self.has_nonce(expected.nonce)),
            (Check::Version, self.ver.as_deref() == Some(VERSION)),
            (Check::Freshness, self.is_fresh(now, expected.max_age_seconds)),
            (Check::Subject, self.sub.as_deref().is_some_and(|sub| !sub.is_empty())),
        ];
        let failed = holds.into_iter().find(|(_, holds)| !holds);
        failed.map_or(Ok(()), |(check, _)| Err(SignInError::Failed(check)))
    }

    /// Whether this deployment is the only audience. A list needs `azp` too.
    fn is_for(&self, client_id: &str) -> bool {
        let azp = self.azp.as_deref();
        match &self.aud {
            Some(Audience::One(one)) => one == client_id && azp.is_none_or(|azp| azp == client_id),
            Some(Audience::List(list)) => list.as_slice() == [client_id] && azp == Some(client_id),
            None => false,
        }
    }

    fn has_nonce(&self, nonce: &str) -> bool {
        self.nonce.as_ref().is_some_and(|found| found.as_bytes().ct_eq(nonce.as_bytes()).into())
    }

    /// Whether the person entered credentials not too long ago. A browser can remove `prompt` and `max_age` from the address, so
    /// only this proves it.
    fn is_fresh(&self, now: i64, max_age_seconds: u32) -> bool {
        let oldest = now - i64::from(max_age_seconds) - SKEW;
        self.auth_time.is_some_and(|at| (oldest..=now + SKEW).contains(&at))
    }
}

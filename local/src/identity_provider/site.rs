//! The provider's state.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use domain::{Cloud, TenantId, Timestamp};
use platform::clock::Clock;
use platform::random::Random;

use super::people::SamplePerson;
use super::signing::Keys;
use super::tamper::Tampering;

/// How long a code is valid, in seconds.
const CODE_SECONDS: i64 = 60;

/// The id of the app registration of a cloud.
pub(super) fn client_id(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public => "d0d0d0d0-0000-4000-8000-00000000000a",
        Cloud::UsGov => "d0d0d0d0-0000-4000-8000-00000000000b",
    }
}

pub(super) struct Site {
    pub(super) url: String,
    pub(super) client_secret: String,
    pub(super) keys: Keys,
    pub(super) tampering: Tampering,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    codes: Mutex<HashMap<String, Code>>,
    consents: Mutex<HashSet<(Cloud, TenantId)>>,
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) cloud: Cloud,
    pub(super) tenant: TenantId,
    pub(super) person: &'static SamplePerson,
    pub(super) redirect_uri: String,
    pub(super) nonce: String,
    pub(super) challenge: String,
    pub(super) at: Timestamp,
    /// Whether the token endpoint takes longer than a deployment waits.
    pub(super) slow: bool,
}

impl Site {
    /// `None` if the built-in keys cannot be read.
    pub(super) fn new(url: String, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Option<Self> {
        let client_secret = BASE64URL_NOPAD.encode(&random.bytes());
        let (codes, consents) = (Mutex::default(), Mutex::default());
        let (keys, tampering) = (Keys::read()?, Tampering::default());
        Some(Self { url, client_secret, keys, tampering, clock, random, codes, consents })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn issuer(&self, cloud: Cloud, tenant: &TenantId) -> String {
        format!("{}/{cloud}/{tenant}/v2.0", self.url)
    }

    /// The address of an endpoint with this path below the tenant.
    pub(super) fn endpoint(&self, cloud: Cloud, tenant: &TenantId, path: &str) -> String {
        format!("{}/{cloud}/{tenant}/{path}", self.url)
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<String, Code>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn issue(&self, code: Code) -> String {
        let text = BASE64URL_NOPAD.encode(&self.random.bytes());
        self.codes().insert(text.clone(), code);
        text
    }

    /// Uses a code up. A code works once and for a minute.
    pub(super) fn redeem(&self, text: &str) -> Option<Code> {
        let code = self.codes().remove(text)?;
        (self.now().seconds() - code.at.seconds() <= CODE_SECONDS).then_some(code)
    }

    fn consents(&self) -> MutexGuard<'_, HashSet<(Cloud, TenantId)>> {
        self.consents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_consent(&self, cloud: Cloud, tenant: &TenantId) -> bool {
        self.consents().contains(&(cloud, tenant.clone()))
    }

    pub(super) fn consent(&self, cloud: Cloud, tenant: &TenantId) {
        self.consents().insert((cloud, tenant.clone()));
    }
}

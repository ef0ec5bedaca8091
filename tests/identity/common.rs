use std::sync::Arc;

use domain::{Cloud, Policy, TenantId};
use local::identity_provider::IdentityProvider;
use platform::clock::Clock;
use platform::identity::{Authorize, Person, Provider, Providers, Redeem, Settings, SignInError};
use tests::ManualClock;
use tests::random::SeededRandom;

pub const CONTOSO: &str = "c0c0c0c0-0000-4000-8000-000000000001";
pub const FABRIKAM: &str = "fabfabfa-0000-4000-8000-000000000002";
pub const ADMINISTRATOR: &str = "global_administrator";
pub const NONCE: &str = "nonce";
pub const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier";

/// A provider, and what a deployment knows of it.
pub struct World {
    pub provider: IdentityProvider,
    pub clock: Arc<ManualClock>,
    pub providers: Providers,
    policy: Policy,
}

pub fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

impl World {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A deployment with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let at = domain::Timestamp::parse("2026-11-22T12:00:00.000Z").unwrap();
        let clock = Arc::new(ManualClock::at(at));
        let provider = IdentityProvider::start(0, clock.clone(), Arc::new(SeededRandom::new(1))).await.unwrap();
        let mut settings = provider.settings().unwrap();
        change(&mut settings);
        Self { provider, clock, providers: Providers::new(settings), policy: Policy::built_in().unwrap() }
    }

    pub fn of(&self, cloud: Cloud) -> Provider<'_> {
        let rules = self.policy.at(self.clock.now()).cloud(cloud).unwrap();
        self.providers.provider(cloud, rules).unwrap()
    }

    pub fn redirect_uri(cloud: Cloud) -> String {
        format!("http://127.0.0.1:3000/signed-in/{cloud}")
    }

    pub fn authorize_url(&self, cloud: Cloud, id: &str) -> String {
        let redirect_uri = Self::redirect_uri(cloud);
        let begin = Authorize { redirect_uri: &redirect_uri, state: "state", nonce: NONCE, verifier: VERIFIER };
        self.of(cloud).authorize_url(&tenant(id), &begin)
    }

    /// The code that the browser brings back.
    pub fn code(&self, cloud: Cloud, id: &str, person: &str) -> String {
        let back = self.provider.sign_in(&self.authorize_url(cloud, id), person).unwrap();
        let (_, fragment) = back.split_once("#code=").unwrap();
        fragment.split('&').next().unwrap().to_owned()
    }

    pub async fn redeem(&self, cloud: Cloud, id: &str, code: &str) -> Result<Person, SignInError> {
        self.redeem_with(cloud, id, code, NONCE, VERIFIER).await
    }

    pub async fn redeem_with(
        &self,
        cloud: Cloud,
        id: &str,
        code: &str,
        nonce: &str,
        verifier: &str,
    ) -> Result<Person, SignInError> {
        let redirect_uri = Self::redirect_uri(cloud);
        let redeem = Redeem { code, issuer: None, redirect_uri: &redirect_uri, nonce, verifier, now: self.clock.now() };
        self.of(cloud).exchange(&tenant(id), &redeem).await
    }

    /// A whole sign-in.
    pub async fn sign_in(&self, cloud: Cloud, id: &str, person: &str) -> Result<Person, SignInError> {
        let code = self.code(cloud, id, person);
        self.redeem(cloud, id, &code).await
    }

    pub async fn contoso(&self) -> Result<Person, SignInError> {
        self.sign_in(Cloud::Public, CONTOSO, ADMINISTRATOR).await
    }
}

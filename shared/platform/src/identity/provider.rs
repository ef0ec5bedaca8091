//! The identity provider of one cloud: the address of its sign-in page, and the exchange of a code for a proven person.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use domain::{Cloud, CloudPolicy, SignIn, TenantId, Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::cache::Cache;
use super::claims::Expected;
use super::discovery::{self, Discovery};
use super::error::{Check, SignInError, Step};
use super::keys::KeySet;
use super::person::Person;
use super::settings::{CloudSettings, Settings};
use super::token::Token;
use crate::outbound::{Fetcher, Loopback, Resolver, ServerUrl, SystemResolver};

/// How long one exchange waits for the provider, over all its requests.
pub const WAIT: Duration = Duration::from_secs(5);

/// The end of an issuer of Microsoft Entra, and what its sign-in page has there.
const ENTRA: (&str, &str) = ("/v2.0", "/oauth2/v2.0/authorize");

/// The identity providers of a deployment. One per process: it keeps what the providers publish.
pub struct Providers {
    settings: Settings,
    cache: Cache,
    resolver: Arc<dyn Resolver>,
    roots: Option<Vec<u8>>,
    /// Reading the root certificates takes time, and most functions never call a provider.
    fetcher: OnceLock<Option<Fetcher>>,
}

/// The provider of one cloud, which is set up.
#[derive(Clone)]
pub struct Provider<'a> {
    providers: &'a Providers,
    settings: &'a CloudSettings,
    rules: SignIn,
}

/// What one sign-in sends to the sign-in page.
#[derive(Clone, Copy)]
pub struct Authorize<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    /// The PKCE verifier (RFC 7636), 43 to 128 characters. Only its hash is in the address.
    pub verifier: &'a str,
}

/// A code that came back, with what its sign-in began with.
#[derive(Clone, Copy)]
pub struct Redeem<'a> {
    pub code: &'a str,
    /// The issuer that the return names, if the provider sends it (RFC 9207). A code of another provider must not be sent to this one.
    pub issuer: Option<&'a str>,
    pub redirect_uri: &'a str,
    pub nonce: &'a str,
    pub verifier: &'a str,
    pub now: Timestamp,
}

impl Providers {
    pub fn new(settings: Settings) -> Self {
        let (cache, fetcher) = (Cache::default(), OnceLock::new());
        Self { settings, cache, resolver: Arc::new(SystemResolver), roots: None, fetcher }
    }

    /// With other trusted roots, as PEM, and another way to resolve names, for tests.
    #[must_use]
    pub fn with(mut self, resolver: Arc<dyn Resolver>, roots: Vec<u8>) -> Self {
        (self.resolver, self.roots) = (resolver, Some(roots));
        self
    }

    /// The provider of a cloud. `None` if the policy has no sign-in for it, or the deployment has no client id.
    pub fn provider(&self, cloud: Cloud, rules: &CloudPolicy) -> Option<Provider<'_>> {
        let settings = self.settings.clouds.get(&cloud)?;
        let rules = settings.rules(rules.sign_in.as_ref()?);
        Some(Provider { providers: self, settings, rules })
    }

    fn fetcher(&self) -> Option<&Fetcher> {
        let open = || Fetcher::new(Arc::clone(&self.resolver), self.roots.as_deref(), self.loopback()).ok();
        self.fetcher.get_or_init(open).as_ref()
    }

    fn loopback(&self) -> Loopback {
        self.settings.loopback
    }
}

impl Provider<'_> {
    /// The policy's rules, with what this deployment changes.
    pub fn rules(&self) -> &SignIn {
        &self.rules
    }

    /// The host of the sign-in page, with a port unless it is the usual one.
    pub fn host(&self) -> String {
        let template = self.authorize_template();
        let (scheme, rest) = template.split_once("://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        let usual = if scheme == "http" { ":80" } else { ":443" };
        host.strip_suffix(usual).unwrap_or(host).to_ascii_lowercase()
    }

    /// The address of the sign-in page. It depends on nothing but the arguments and the settings.
    pub fn authorize_url(&self, tenant: &TenantId, begin: &Authorize<'_>) -> String {
        let page = self.authorize_template().replace(SignIn::TENANT, tenant.as_str());
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(begin.verifier.as_bytes()));
        let max_age = self.rules.max_age_seconds.to_string();
        let query = Serializer::new(String::new())
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("response_type", "code")
            .append_pair("response_mode", "fragment")
            .append_pair("redirect_uri", begin.redirect_uri)
            .append_pair("scope", "openid profile")
            .append_pair("state", begin.state)
            .append_pair("nonce", begin.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("prompt", "login")
            .append_pair("max_age", &max_age)
            .finish();
        format!("{page}?{query}")
    }

    fn authorize_template(&self) -> String {
        let issuer = &self.rules.issuer;
        match (&self.settings.authorize_url, issuer.strip_suffix(ENTRA.0)) {
            (Some(url), _) => url.clone(),
            (None, Some(authority)) => format!("{authority}{}", ENTRA.1),
            (None, None) => format!("{issuer}/authorize"),
        }
    }

    /// Redeems a code at the provider of the tenant and checks the ID token. It waits for the provider for at most [`WAIT`].
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn exchange(&self, tenant: &TenantId, redeem: &Redeem<'_>) -> Result<Person, SignInError> {
        let exchanged = self.exchange_within(tenant, redeem, Instant::now() + WAIT).await;
        exchanged.inspect_err(|error| tracing::warn!(%tenant, %error, "sign-in failed"))
    }

    async fn exchange_within(
        &self,
        tenant: &TenantId,
        redeem: &Redeem<'_>,
        deadline: Instant,
    ) -> Result<Person, SignInError> {
        let issuer = self.rules.issuer_of(tenant);
        if redeem.issuer.is_some_and(|named| named != issuer) {
            return Err(SignInError::Failed(Check::Response));
        }
        let site = Site { provider: self, tenant, issuer: &issuer, now: redeem.now, deadline };
        let discovery = site.discovery().await?;
        // A code works once. If the keys cannot be read, it is still good for another try.
        let keys = site.keys(&discovery).await?;
        let id_token = site.redeem(&discovery, redeem).await?;
        let token = Token::parse(&id_token)?;
        let keys = site.keys_with(&discovery, keys, token.kid()).await?;
        let expected = Expected {
            issuer: &issuer,
            tenant,
            client_id: &self.settings.client_id,
            nonce: redeem.nonce,
            max_age_seconds: self.rules.max_age_seconds,
            now: redeem.now,
        };
        let mut person = prove(&token, &keys, &expected, &self.rules.approver_roles)?;
        person.sign_out_url.clone_from(&discovery.end_session);
        Ok(person)
    }
}

/// Who a token is about, if every check holds. It does no I/O.
pub(super) fn prove(
    token: &Token<'_>,
    keys: &KeySet,
    expected: &Expected<'_>,
    approver_roles: &[String],
) -> Result<Person, SignInError> {
    let claims = token.verify(keys)?;
    claims.check(expected)?;
    Person::prove(&claims, expected.tenant, approver_roles)
}

/// One tenant's provider, during one exchange.
struct Site<'a> {
    provider: &'a Provider<'a>,
    tenant: &'a TenantId,
    issuer: &'a str,
    now: Timestamp,
    deadline: Instant,
}

/// The part of a token response that is used. The other tokens are dropped.
#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Site<'_> {
    fn cache(&self) -> &Cache {
        &self.provider.providers.cache
    }

    fn fetcher(&self, step: Step) -> Result<&Fetcher, SignInError> {
        let fetcher = self.provider.providers.fetcher();
        fetcher.ok_or(SignInError::ProviderUnavailable(step, "no root certificates"))
    }

    /// What the provider publishes about itself.
    async fn discovery(&self) -> Result<Arc<Discovery>, SignInError> {
        if let Some(known) = self.cache().discovery(self.issuer, self.now) {
            return Ok(known);
        }
        let loopback = self.provider.providers.loopback();
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let url = ServerUrl::parse(&url, loopback).ok_or(SignInError::Failed(Check::Discovery))?;
        let body = self.get(Step::Discovery, &url).await?;
        let found = Arc::new(discovery::read(&body, self.issuer, &url, loopback)?);
        self.cache().keep_discovery(self.issuer, Arc::clone(&found), self.now);
        Ok(found)
    }

    /// The keys of the issuer.
    async fn keys(&self, discovery: &Discovery) -> Result<Arc<KeySet>, SignInError> {
        match self.cache().keys(self.issuer, self.now) {
            Some(known) => Ok(known),
            None => self.fetch_keys(discovery).await,
        }
    }

    /// If none of the known keys has this id, the provider may have a new one.
    async fn keys_with(
        &self,
        discovery: &Discovery,
        known: Arc<KeySet>,
        kid: &str,
    ) -> Result<Arc<KeySet>, SignInError> {
        // Another sign-in may have read newer ones meanwhile.
        let known = self.cache().keys(self.issuer, self.now).unwrap_or(known);
        if known.has(kid) || !self.cache().may_fetch_again(self.issuer, self.now) {
            return Ok(known);
        }
        self.fetch_keys(discovery).await
    }

    async fn fetch_keys(&self, discovery: &Discovery) -> Result<Arc<KeySet>, SignInError> {
        let body = self.get(Step::Keys, &discovery.keys).await?;
        let unusable = SignInError::ProviderUnavailable(Step::Keys, "malformed");
        let found = Arc::new(KeySet::read(&body, self.issuer, self.tenant).ok_or(unusable)?);
        self.cache().keep_keys(self.issuer, Arc::clone(&found), self.now);
        Ok(found)
    }

    async fn get(&self, step: Step, url: &ServerUrl) -> Result<Vec<u8>, SignInError> {
        let fetched = self.fetcher(step)?.get(url, self.deadline).await.map_err(SignInError::unavailable(step))?;
        if fetched.status == 200 { Ok(fetched.body) } else { Err(SignInError::ProviderUnavailable(step, "status")) }
    }

    /// Redeems the code for an ID token.
    async fn redeem(&self, discovery: &Discovery, redeem: &Redeem<'_>) -> Result<String, SignInError> {
        let settings = self.provider.settings;
        let client = SignInError::Failed(Check::Client);
        let credential = settings.credential.as_ref().ok_or(client)?;
        let proof = credential.parameters(&settings.client_id, discovery.token.as_str(), self.now).ok_or(client)?;
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("code", redeem.code)
            .append_pair("redirect_uri", redeem.redirect_uri)
            .append_pair("code_verifier", redeem.verifier)
            .extend_pairs(proof)
            .finish();
        let posted = self.fetcher(Step::Token)?.post_form(&discovery.token, form, self.deadline).await;
        let fetched = posted.map_err(SignInError::unavailable(Step::Token))?;
        let malformed = SignInError::ProviderUnavailable(Step::Token, "malformed");
        match fetched.status {
            200 => {
                serde_json::from_slice(&fetched.body).map(|granted: Granted| granted.id_token).map_err(|_| malformed)
            }
            400 | 401 | 403 => Err(refusal(&fetched.body).unwrap_or(malformed)),
            _ => Err(SignInError::ProviderUnavailable(Step::Token, "status")),
        }
    }
}

/// What an error of the token endpoint means (RFC 6749 §5.2).
fn refusal(body: &[u8]) -> Option<SignInError> {
    let refused: Refused = serde_json::from_slice(body).ok()?;
    Some(match refused.error.as_str() {
        "invalid_grant" => SignInError::Failed(Check::Code),
        "server_error" | "temporarily_unavailable" => SignInError::ProviderUnavailable(Step::Token, "status"),
        _ => SignInError::Failed(Check::Client),
    })
}

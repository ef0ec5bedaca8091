//! An identity provider for development: it signs in sample people of any tenant, without passwords. It listens on this machine
//! only, under the other loopback name, so that for a browser it is another site, as in production. Functions never contain it.
//!
//! Its addresses are those of Microsoft Entra, below one path per cloud. Its keys are published in the source code, so its tokens
//! prove nothing anywhere else.
//!
//! - `routes`: which request goes where
//! - `authorize` and `pages`: the sign-in page, with consent, errors and slow responses on demand
//! - `redeem`: the token endpoint
//! - [`people`] and `signing`: who can sign in, and their tokens
//! - [`tamper`]: what tests can change

mod authorize;
mod pages;
pub mod people;
mod place;
mod redeem;
mod routes;
mod signing;
mod site;
pub mod tamper;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use domain::Cloud;
use platform::clock::Clock;
use platform::identity::credential::CredentialError;
use platform::identity::{CloudSettings, Credential, Settings};
use platform::outbound::Loopback;
use platform::random::Random;

use self::authorize::Request;
use self::place::Place;
use self::site::Site;
use self::tamper::{Answer, Endpoint, Forged};
use crate::net::{Bound, ListenError, Server};

/// Why the provider cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the development identity provider cannot start: {0}")]
    Listen(#[from] ListenError),
    #[error("the keys of the development identity provider are not valid")]
    Keys,
}

impl From<CredentialError> for ProviderError {
    fn from(_: CredentialError) -> Self {
        Self::Keys
    }
}

/// A running provider.
pub struct IdentityProvider {
    site: Arc<Site>,
    server: Server,
}

impl IdentityProvider {
    /// Starts on this machine; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn start(port: u16, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, ProviderError> {
        let bound = Bound::to(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).await?;
        let site = Site::new(format!("http://localhost:{}", bound.port()), clock, random).ok_or(ProviderError::Keys)?;
        let site = Arc::new(site);
        Ok(Self { server: bound.serve(routes::respond, Arc::clone(&site)), site })
    }

    /// `http://localhost:port`.
    pub fn url(&self) -> &str {
        &self.site.url
    }

    /// What a deployment needs to use it for every cloud. One cloud proves itself by a secret and the other by a key.
    ///
    /// # Errors
    /// [`ProviderError::Keys`].
    pub fn settings(&self) -> Result<Settings, ProviderError> {
        let mut settings = Settings { loopback: Loopback::Allowed, ..Settings::default() };
        for cloud in Cloud::ALL {
            let credential = match cloud {
                Cloud::Public => Credential::parse(&self.site.client_secret)?,
                Cloud::UsGov => Credential::parse(signing::CLIENT_KEY)?,
            };
            let issuer = Some(format!("{}/{cloud}/{{tenant}}/v2.0", self.site.url));
            let client = CloudSettings::new(site::client_id(*cloud), Some(credential));
            settings.clouds.insert(*cloud, CloudSettings { issuer, ..client });
        }
        Ok(settings)
    }

    /// Signs in a person, with consent, as the sign-in page does. Returns the address that the browser goes to next; `None` if the
    /// page would show an error.
    pub fn sign_in(&self, authorize_url: &str, person: &str) -> Option<String> {
        let rest = authorize_url.strip_prefix(&self.site.url)?;
        let (path, query) = rest.split_once('?')?;
        let place = Place::parse(path)?;
        let request = Request::parse(&self.site, &place, query).ok()?;
        Some(request.grant(&self.site, people::find(person)?, false))
    }

    /// How many requests this endpoint has had.
    pub fn requests(&self, endpoint: Endpoint) -> usize {
        self.site.tampering.requests(endpoint)
    }

    /// Changes every later token before it is signed.
    pub fn forge(&self, change: impl Fn(&mut Forged) + Send + Sync + 'static) {
        self.site.tampering.forge(Box::new(change));
    }

    /// Changes every later response to the deployment.
    pub fn distort(&self, change: impl Fn(Endpoint, &mut Answer) + Send + Sync + 'static) {
        self.site.tampering.distort(Box::new(change));
    }

    /// Behaves again.
    pub fn behave(&self) {
        self.site.tampering.behave();
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}

//! Worlds in which customers' administrators can sign in at the development identity provider.

use std::sync::{Arc, OnceLock};

use domain::{Policy, Timestamp};
use local::Options;
use local::identity_provider::IdentityProvider;
use platform::clock::Clock;
use serde_json::{Value, json};

use crate::{SeededRandom, World};

/// The local system with the built-in policy and the development identity provider, which has the same clock. Prints a line and
/// returns `None` if a deployment is tested.
pub async fn with_provider(change: impl FnOnce(&mut Options)) -> Option<(World, IdentityProvider)> {
    if std::env::var("MULTIPARTNER_URL").is_ok_and(|url| !url.is_empty()) {
        println!("skipped: the test needs the development identity provider");
        return None;
    }
    let (mut options, clock) = World::options();
    let provider = IdentityProvider::start(0, clock.clone(), Arc::new(SeededRandom::new(2))).await;
    let provider = provider.expect("the provider starts");
    options.sign_in = provider.settings().expect("settings");
    options.policy = Some(Policy::built_in().expect("a policy"));
    change(&mut options);
    Some((World::with(options, clock).await, provider))
}

/// A clock for a provider that starts before the system whose clock it shares.
#[derive(Default)]
pub struct LateClock(OnceLock<Arc<dyn Clock>>);

impl LateClock {
    /// Takes the system's clock.
    pub fn follow(&self, clock: Arc<dyn Clock>) {
        let _ = self.0.set(clock);
    }
}

impl Clock for LateClock {
    fn now(&self) -> Timestamp {
        self.0.get().expect("a clock").now()
    }
}

/// Where the provider sends the person.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// The page, without fragment.
    pub page: String,
    pub code: String,
    pub state: String,
    /// The issuer that the provider names.
    pub issuer: String,
}

impl Redirect {
    /// Reads an address with `code` and `state` in its fragment.
    ///
    /// # Panics
    /// If it has none.
    pub fn parse(address: &str) -> Self {
        let (page, fragment) = address.split_once('#').expect("a fragment");
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(fragment.as_bytes()).map(|(name, value)| (name.into(), value.into())).collect();
        let part = |name: &str| pairs.iter().find(|(known, _)| known == name).expect("a part").1.clone();
        Self { page: page.to_owned(), code: part("code"), state: part("state"), issuer: part("iss") }
    }

    /// The body with which the page finishes signing in.
    pub fn body(&self, cloud: &str) -> Value {
        json!({"cloud": cloud, "code": self.code, "state": self.state})
    }
}

//! The system under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::here::link_policy;
use crate::random::SeededRandom;
use domain::Timestamp;
use local::api::{Api, ApiError};
use local::{Local, Options};
use platform::clock::{Clock, SystemClock};
use platform::handler::App;

use crate::receiver::Names;
use crate::sim::{self, Sim, SimOptions};
use crate::sold::Sold;
use crate::{Answer, Call, ManualClock, contract};

enum Place {
    /// In this process, with a virtual clock.
    Here {
        local: Box<Local>,
        clock: Arc<ManualClock>,
        sold: Box<Sold>,
    },
    /// In this process, without sockets. Time only moves while the code waits for it.
    Simulated(Box<Sim>),
    Deployment,
}

/// The system under test.
pub struct World {
    place: Place,
    public_url: String,
    operator_key: String,
    api: Option<Api>,
    counter: AtomicU64,
    seed: u64,
}

/// How often a retryable error is retried on a deployment.
const RETRIES: u32 = 8;

impl World {
    /// The local system with an empty table, or the deployment in the environment.
    ///
    /// # Panics
    /// If only one of the two environment variables is set.
    pub async fn start() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match deployment(variable("MULTIPARTNER_URL"), variable("MULTIPARTNER_OPERATOR_KEY")) {
            Some((url, key)) => Self::at(&url, &key),
            None => Self::start_here(|_| {}).await,
        }
    }

    pub fn at(url: &str, operator_key: &str) -> Self {
        Self::assemble(Place::Deployment, url.trim_end_matches('/').to_owned(), operator_key.to_owned())
    }

    /// The local system with options changed by `change`, also if the environment has a deployment.
    pub async fn start_here(change: impl FnOnce(&mut Options)) -> Self {
        let (mut options, clock) = Self::options();
        change(&mut options);
        Self::with(options, clock).await
    }

    /// The options of a local system, and its clock.
    pub fn options() -> (Options, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-22T12:00:00.000Z").expect("a time")));
        let mut options =
            Options { clock: clock.clone(), random: Arc::new(SeededRandom::new(1)), ..Options::default() };
        options.resolver = Some(Arc::new(Names));
        options.policy = Some(link_policy());
        (options, clock)
    }

    /// The local system with these options.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn with(options: Options, clock: Arc<ManualClock>) -> Self {
        let local = local::start(options).await.expect("the local system starts");
        let (url, key) = (local.base_url().to_owned(), local.operator_key().expose_secret().to_owned());
        let sold = Box::new(Sold::new(local.client().clone(), local.table()));
        Self::assemble(Place::Here { local: Box::new(local), clock, sold }, url, key)
    }

    /// The simulated system with an empty table.
    pub async fn simulated(options: SimOptions) -> Self {
        let sim = Sim::start(options).await;
        let key = sim.operator_key().to_owned();
        Self::assemble(Place::Simulated(Box::new(sim)), sim::BASE_URL.to_owned(), key)
    }

    fn assemble(place: Place, address: String, operator_key: String) -> Self {
        let seed = match &place {
            Place::Here { .. } | Place::Simulated(_) => 1,
            // A deployment keeps the data of earlier runs and serves all tests at once, so every world needs unique names.
            Place::Deployment => {
                static WORLDS: AtomicU64 = AtomicU64::new(0);
                let now = u64::try_from(SystemClock.now().millis()).unwrap_or_default();
                now * 1024 + WORLDS.fetch_add(1, Ordering::SeqCst)
            }
        };
        let api = match &place {
            Place::Simulated(_) => None,
            _ => Some(Api::new(&address).expect("an HTTP client")),
        };
        let other = std::env::var("MULTIPARTNER_PUBLIC_URL").ok().filter(|_| matches!(place, Place::Deployment));
        let public_url = other.unwrap_or(address);
        Self { place, public_url, operator_key, api, counter: AtomicU64::new(0), seed }
    }

    /// Whether this is a deployment, which has no virtual clock and whose table can't be read.
    pub fn is_deployment(&self) -> bool {
        matches!(self.place, Place::Deployment)
    }

    /// The system in this process; `None` on a deployment.
    pub fn here(&self) -> Option<(&Local, &ManualClock)> {
        match &self.place {
            Place::Here { local, clock, .. } => Some((local, clock)),
            Place::Simulated(_) | Place::Deployment => None,
        }
    }

    /// # Panics
    /// If [`World::simulated`] did not start this world.
    pub fn sim(&self) -> &Sim {
        match &self.place {
            Place::Simulated(sim) => sim,
            _ => panic!("this world is not simulated"),
        }
    }

    /// What a function of this process works with; `None` on a deployment.
    pub fn app(&self) -> Option<&App> {
        match &self.place {
            Place::Here { local, .. } => Some(local.app()),
            Place::Simulated(sim) => Some(sim.app()),
            Place::Deployment => None,
        }
    }

    /// The system's current time.
    pub fn now(&self) -> Timestamp {
        match &self.place {
            Place::Here { clock, .. } => clock.now(),
            Place::Simulated(sim) => sim.clock.now(),
            Place::Deployment => SystemClock.now(),
        }
    }

    /// `scheme://host` of the system's links. Set `MULTIPARTNER_PUBLIC_URL` if a deployment's links use another address than
    /// `MULTIPARTNER_URL`.
    pub fn base_url(&self) -> &str {
        &self.public_url
    }

    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// Text that no other call in any run on this system returns.
    pub fn unique(&self) -> String {
        format!("{:x}-{}", self.seed, self.counter.fetch_add(1, Ordering::SeqCst))
    }

    /// A new tenant id.
    pub fn tenant_id(&self) -> String {
        let number = self.counter.fetch_add(1, Ordering::SeqCst);
        format!("{:08x}-0000-4000-8000-{:012x}", self.seed % 0xffff_ffff, (self.seed << 16 ^ number) & 0xffff_ffff_ffff)
    }

    /// Sends a call. On a deployment retryable errors are retried.
    pub async fn send(&self, call: &Call) -> Answer {
        let mut tries = 0;
        loop {
            let answer = self.send_once(call).await;
            let repeat = self.is_deployment() && answer.json()["retryable"] == true && answer.status != 429;
            tries += 1;
            if !repeat || tries > RETRIES {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200 * u64::from(tries))).await;
        }
    }

    /// Stops checking subscriptions, for tests that damage them or register thousands.
    pub fn stop_checking(&self) {
        if let Place::Here { sold, .. } = &self.place {
            sold.stop_checking();
        }
    }

    /// Sends a call once. In this process, existing subscriptions are then checked for changes.
    pub async fn send_once(&self, call: &Call) -> Answer {
        let Place::Here { sold, .. } = &self.place else { return self.exchange(call).await };
        sold.begin();
        let answer = self.exchange(call).await;
        sold.end(call, &answer).await;
        answer
    }

    async fn exchange(&self, call: &Call) -> Answer {
        if let Place::Simulated(sim) = &self.place {
            return sim.send(call).await;
        }
        self.try_send(call).await.expect("the system answers")
    }

    /// Sends a call once to a system that may be down.
    ///
    /// # Errors
    /// There was no response. The call may have taken effect.
    pub async fn try_send(&self, call: &Call) -> Result<Answer, ApiError> {
        let answer = self.api.as_ref().expect("a system behind a socket").send(call).await.map(Answer)?;
        contract::assert_fits(call, &answer);
        Ok(answer)
    }
}

/// The deployment's address and its operator's key. Setting only one of them is an error; otherwise the tests would
/// silently use the local system.
fn deployment(url: Option<String>, key: Option<String>) -> Option<(String, String)> {
    match (url, key) {
        (Some(url), Some(key)) => Some((url, key)),
        (None, None) => None,
        (Some(_), None) => panic!("MULTIPARTNER_URL is set but MULTIPARTNER_OPERATOR_KEY is not: set both or neither"),
        (None, Some(_)) => panic!("MULTIPARTNER_OPERATOR_KEY is set but MULTIPARTNER_URL is not: set both or neither"),
    }
}

#[cfg(test)]
mod tests {
    use super::deployment;

    #[test]
    fn a_deployment_needs_both_environment_variables() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(deployment(None, None), None);
        assert_eq!(deployment(text("url"), text("key")), Some(("url".into(), "key".into())));
        for (url, key) in [(text("url"), None), (None, text("key"))] {
            assert!(std::panic::catch_unwind(|| deployment(url, key)).is_err());
        }
    }
}

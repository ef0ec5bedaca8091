//! The system under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::SeededRandom;
use domain::Timestamp;
use local::api::{Api, ApiError};
use local::{Local, Options};
use platform::clock::{Clock, SystemClock};

use crate::receiver::Names;
use crate::sim::{self, Sim, SimOptions};
use crate::sold::Sold;
use crate::{Answer, Call, ManualClock};

/// Where it runs.
enum Place {
    /// In this process, with a clock of its own.
    Here { local: Box<Local>, clock: Arc<ManualClock>, sold: Box<Sold> },
    /// In this process, simulated: no socket, and time that only moves when it is waited for.
    Simulated(Box<Sim>),
    /// Somewhere else.
    Deployment,
}

/// A system to be called.
pub struct World {
    place: Place,
    public_url: String,
    operator_key: String,
    api: Option<Api>,
    counter: AtomicU64,
    seed: u64,
}

/// How often a refusal that says it can be repeated is repeated, on a deployment.
const RETRIES: u32 = 8;

impl World {
    /// The local system over a fresh engine, or the deployment that the environment names.
    ///
    /// # Panics
    /// When the environment names only half of a deployment.
    pub async fn start() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match deployment(variable("MULTIPARTNER_URL"), variable("MULTIPARTNER_OPERATOR_KEY")) {
            Some((url, key)) => Self::at(&url, &key),
            None => Self::start_here(|_| {}).await,
        }
    }

    /// The system at this address.
    pub fn at(url: &str, operator_key: &str) -> Self {
        Self::assemble(Place::Deployment, url.trim_end_matches('/').to_owned(), operator_key.to_owned())
    }

    /// The local system, set up by `change`. For tests of what only happens here: injected faults, the virtual clock.
    pub async fn start_here(change: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-22T12:00:00.000Z").expect("a time")));
        let mut options =
            Options { clock: clock.clone(), random: Arc::new(SeededRandom::new(1)), ..Options::default() };
        options.resolver = Some(Arc::new(Names));
        change(&mut options);
        let local = local::start(options).await.expect("the local system starts");
        let (url, key) = (local.base_url().to_owned(), local.operator_key().expose_secret().to_owned());
        let sold = Box::new(Sold::new(local.client().clone(), local.table()));
        Self::assemble(Place::Here { local: Box::new(local), clock, sold }, url, key)
    }

    /// The simulated system over a fresh engine.
    pub async fn simulated(options: SimOptions) -> Self {
        let sim = Sim::start(options).await;
        let key = sim.operator_key().to_owned();
        Self::assemble(Place::Simulated(Box::new(sim)), sim::BASE_URL.to_owned(), key)
    }

    fn assemble(place: Place, address: String, operator_key: String) -> Self {
        let seed = match &place {
            Place::Here { .. } | Place::Simulated(_) => 1,
            // A deployment remembers earlier runs and serves all tests at once, so every world needs names of its own.
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

    /// Whether this is a deployment: without virtual clock and without a look into the table.
    pub fn is_deployment(&self) -> bool {
        matches!(self.place, Place::Deployment)
    }

    /// The system in this process; `None` on a deployment, where the caller says that it skips.
    pub fn here(&self) -> Option<(&Local, &ManualClock)> {
        match &self.place {
            Place::Here { local, clock, .. } => Some((local, clock)),
            Place::Simulated(_) | Place::Deployment => None,
        }
    }

    /// The simulation that [`World::simulated`] started.
    ///
    /// # Panics
    /// On any other world.
    pub fn sim(&self) -> &Sim {
        match &self.place {
            Place::Simulated(sim) => sim,
            _ => panic!("this world is not simulated"),
        }
    }

    /// The time the system sees.
    pub fn now(&self) -> Timestamp {
        match &self.place {
            Place::Here { clock, .. } => clock.now(),
            Place::Simulated(sim) => sim.clock.now(),
            Place::Deployment => SystemClock.now(),
        }
    }

    /// `scheme://host` as the system's links and its own page have it. A deployment that is reached by another address than
    /// its own says so in `MULTIPARTNER_PUBLIC_URL`.
    pub fn base_url(&self) -> &str {
        &self.public_url
    }

    /// The operator's key.
    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// A number that no other call in any run on this system gets.
    pub fn unique(&self) -> String {
        format!("{:x}-{}", self.seed, self.counter.fetch_add(1, Ordering::SeqCst))
    }

    /// A tenant id of its own.
    pub fn tenant_id(&self) -> String {
        let number = self.counter.fetch_add(1, Ordering::SeqCst);
        format!("{:08x}-0000-4000-8000-{:012x}", self.seed % 0xffff_ffff, (self.seed << 16 ^ number) & 0xffff_ffff_ffff)
    }

    /// Sends a call. On a deployment a refusal that says it can be repeated is repeated.
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

    /// Lets subscriptions change: for tests that damage them, or that sell thousands.
    pub fn look_away(&self) {
        if let Place::Here { sold, .. } = &self.place {
            sold.look_away();
        }
    }

    /// Sends a call once. In this process, nothing that was sold before may have changed afterwards.
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

    /// Sends a call once to a system that may not be there.
    ///
    /// # Errors
    /// What kept the answer away: whether the call was done is not known.
    pub async fn try_send(&self, call: &Call) -> Result<Answer, ApiError> {
        self.api.as_ref().expect("a system behind a socket").send(call).await.map(Answer)
    }
}

/// The deployment's address and its operator's key. Half of them is a mistake: whoever made it would take what the local
/// system answers for the deployment's answers.
fn deployment(url: Option<String>, key: Option<String>) -> Option<(String, String)> {
    match (url, key) {
        (Some(url), Some(key)) => Some((url, key)),
        (None, None) => None,
        (Some(_), None) => panic!("MULTIPARTNER_URL is set and MULTIPARTNER_OPERATOR_KEY is not: set both, or neither"),
        (None, Some(_)) => panic!("MULTIPARTNER_OPERATOR_KEY is set and MULTIPARTNER_URL is not: set both, or neither"),
    }
}

#[cfg(test)]
mod tests {
    use super::deployment;

    #[test]
    fn a_deployment_is_named_whole_or_not_at_all() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(deployment(None, None), None);
        assert_eq!(deployment(text("url"), text("key")), Some(("url".into(), "key".into())));
        for (url, key) in [(text("url"), None), (None, text("key"))] {
            assert!(std::panic::catch_unwind(|| deployment(url, key)).is_err());
        }
    }
}

use std::sync::Arc;

use domain::{Actor, Event, Occurrence, Policy, Timestamp};
use platform::clock::{Clock, SystemClock};
use platform::config::Config;
use platform::lambda::{RunBudget, StartError};
use platform::random::SystemRandom;
use platform::store::{Client, OpContext, Store};

/// The name of the job, and of the actor in the events that it writes.
pub(crate) const NAME: &str = "expire-due";

/// What announcing works with.
pub struct Announcer {
    pub store: Store,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
}

impl Announcer {
    /// # Errors
    /// [`StartError`] if the built-in policy is not valid.
    pub fn new(config: &Config, client: Client) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Store::new(client, config.table.clone(), Arc::clone(&clock), Arc::new(SystemRandom));
        Ok(Self { store, policy: Policy::built_in()?, clock })
    }

    pub(crate) fn op(&self, budget: RunBudget) -> OpContext {
        budget.op(self.clock.now())
    }

    /// An event that this job causes at `at`.
    pub(crate) fn event(&self, at: Timestamp, make: impl FnOnce(Occurrence<'_>) -> Event) -> Event {
        let actor = Actor::system(NAME);
        make(Occurrence { at, actor: &actor, policy_version: self.policy.at(at).version })
    }
}

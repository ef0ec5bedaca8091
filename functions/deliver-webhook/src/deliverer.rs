use std::sync::Arc;

use domain::{Policy, PolicyVersion};
use platform::aws;
use platform::clock::{Clock, SystemClock};
use platform::config::Config;
use platform::lambda::{RunBudget, StartError};
use platform::outbound::{Loopback, Sender, SenderError, SystemResolver};
use platform::queue::Queue;
use platform::random::{Random, SystemRandom};
use platform::secrets::{MasterKeys, UnknownMasterKey};
use platform::store::{Client, OpContext, Store, StoreError};

/// The name of the job, and of the actor in the events that it writes.
pub(crate) const NAME: &str = "deliver-webhook";

/// What delivering works with.
pub struct Deliverer {
    pub store: Store,
    pub queue: Arc<dyn Queue>,
    pub sender: Sender,
    pub keys: MasterKeys,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub loopback: Loopback,
}

/// Why a delivery could not be handled. Its ticket comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the message cannot be signed: {0}")]
    Sign(#[from] UnknownMasterKey),
    #[error("the message cannot be sent: {0}")]
    Send(#[from] SenderError),
    #[error("handling the delivery panicked")]
    Panicked,
}

impl Deliverer {
    /// Connects to the configured queue and sets up TLS.
    ///
    /// # Errors
    /// [`StartError`] if no queue is configured or if the system has no root certificates.
    pub fn new(config: &Config, client: Client) -> Result<Self, StartError> {
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let loopback = config.loopback();
        Ok(Self {
            store: Store::new(client, config.table.clone(), Arc::clone(&clock), Arc::clone(&random)),
            queue: Arc::new(config.connect_queue(aws::http_client())?),
            sender: Sender::new(Arc::new(SystemResolver), loopback)?,
            keys: config.master_keys.clone(),
            policy: Policy::built_in()?,
            clock,
            random,
            loopback,
        })
    }

    pub(crate) fn op(&self, budget: RunBudget) -> OpContext {
        budget.op(self.clock.now())
    }

    pub(crate) fn policy_for(&self, op: OpContext) -> &PolicyVersion {
        self.policy.at(op.occurred_at)
    }
}

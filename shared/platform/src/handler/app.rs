//! What every function works with: the table, the policy, the master keys, the clock.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use crate::clock::Clock;
use crate::config::Config;
use crate::http_api::Request;
use crate::outbound::{Loopback, Resolver, Sender, SystemResolver};
use crate::queue::Queue;
use crate::random::Random;
use crate::secrets::{MasterKeys, same_hash};
use crate::store::{OpContext, Store};
use domain::Policy;

/// Everything a handler may use. One per process.
pub struct App {
    /// The table.
    pub store: Store,
    /// The policy.
    pub policy: Policy,
    /// The master keys; empty in functions that derive nothing.
    pub keys: MasterKeys,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Whether webhooks may go to this machine, and how names of other machines are resolved.
    pub endpoints: EndpointRules,
    queue: Option<Arc<dyn Queue>>,
    sender: Option<Arc<Sender>>,
    operator_key_hash: Option<[u8; 32]>,
    /// `scheme://host` as users see it, if it is not the gateway's own.
    pub public_base_url: Option<String>,
}

/// What decides where webhooks may go.
pub struct EndpointRules {
    /// Whether `http://127.0.0.1:<port>` is an endpoint's address.
    pub loopback: Loopback,
    /// Resolves names.
    pub resolver: Arc<dyn Resolver>,
}

/// Something that a job was not given. Only a mistake in its `main` brings this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this function has no {0}")]
pub struct Missing(&'static str);

impl App {
    /// Puts the parts together.
    pub fn new(
        config: &Config,
        client: Client,
        policy: Policy,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store: Store::new(client, config.table.clone(), Arc::clone(&clock), Arc::clone(&random)),
            policy,
            keys: config.master_keys.clone(),
            clock,
            random,
            endpoints: EndpointRules {
                loopback: if config.loopback_endpoints { Loopback::Allowed } else { Loopback::Refused },
                resolver: Arc::new(SystemResolver),
            },
            queue: None,
            sender: None,
            operator_key_hash: config.operator_key_hash,
            public_base_url: config.public_base_url.clone(),
        }
    }

    /// With a queue for webhooks.
    #[must_use]
    pub fn with_queue(self, queue: Arc<dyn Queue>) -> Self {
        Self { queue: Some(queue), ..self }
    }

    /// With what sends webhooks.
    #[must_use]
    pub fn with_sender(self, sender: Arc<Sender>) -> Self {
        Self { sender: Some(sender), ..self }
    }

    /// With another way to resolve names.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.endpoints.resolver = resolver;
        self
    }

    /// The queue for webhooks.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn queue(&self) -> Result<&dyn Queue, Missing> {
        self.queue.as_deref().ok_or(Missing("queue"))
    }

    /// What sends webhooks.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn sender(&self) -> Result<&Sender, Missing> {
        self.sender.as_deref().ok_or(Missing("sender"))
    }

    /// Whether this is the first operator's key, which stands in the deployment and not in the table.
    pub fn is_operator_key(&self, hash: &[u8; 32]) -> bool {
        self.operator_key_hash.is_some_and(|known| same_hash(&known, hash))
    }
}

impl Request {
    /// The time and deadline of the request, for the store.
    pub fn op(&self) -> OpContext {
        OpContext { occurred_at: self.now, deadline: self.deadline }
    }
}

//! What the functions behind the HTTP API work with: the table, the policy, the master keys, the clock.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use crate::clock::Clock;
use crate::config::Config;
use crate::http_api::Request;
use crate::identity::Providers;
use crate::outbound::{Loopback, Resolver, SystemResolver};
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
    operator_key_hash: Option<[u8; 32]>,
    /// The identity providers of customers.
    pub providers: Providers,
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

impl App {
    /// Puts the parts together. Functions that never call the table have no client.
    pub fn new(
        config: &Config,
        client: impl Into<Option<Client>>,
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
            endpoints: EndpointRules { loopback: config.loopback(), resolver: Arc::new(SystemResolver) },
            operator_key_hash: config.operator_key_hash,
            providers: Providers::new(config.sign_in.clone()),
            public_base_url: config.public_base_url.clone(),
        }
    }

    /// With another way to resolve names.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.endpoints.resolver = resolver;
        self
    }

    /// Whether this is the first operator's key, whose hash is in the configuration and not in the table.
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

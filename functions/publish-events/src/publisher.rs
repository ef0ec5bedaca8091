use std::sync::Arc;

use platform::aws;
use platform::clock::{Clock, SystemClock};
use platform::config::Config;
use platform::lambda::StartError;
use platform::queue::Queue;
use platform::random::{Random, SystemRandom};
use platform::store::{Client, Store};

/// What publishing works with.
pub struct Publisher {
    pub store: Store,
    pub queue: Arc<dyn Queue>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Publisher {
    /// Connects to the configured queue.
    ///
    /// # Errors
    /// [`StartError`] if no queue is configured.
    pub fn new(config: &Config, client: Client) -> Result<Self, StartError> {
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        Ok(Self {
            store: Store::new(client, config.table.clone(), Arc::clone(&clock), Arc::clone(&random)),
            queue: Arc::new(config.connect_queue(aws::http_client())?),
            clock,
            random,
        })
    }
}

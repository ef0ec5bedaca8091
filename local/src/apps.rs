//! What each function works with. As in Lambda, functions share only the table.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use deliver_webhook::Deliverer;
use domain::Policy;
use expire_due::Announcer;
use platform::clock::Clock;
use platform::config::Config;
use platform::handler::App;
use platform::outbound::{Resolver, Sender};
use platform::random::Random;
use platform::secrets::MasterKeys;
use platform::store::Store;
use publish_events::Publisher;
use tokio::sync::Notify;

use crate::courier::Courier;
use crate::courier::queue::LocalQueue;
use crate::engine::Engine;
use crate::functions::{FUNCTIONS, Mismatch, link};
use crate::gateway::{Router, Target};
use crate::template::Template;

/// Builds the state of functions.
pub struct Apps {
    /// With master keys.
    pub config: Config,
    pub client: Client,
    /// The engine below the client.
    pub engine: Engine,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub resolver: Arc<dyn Resolver>,
}

impl Apps {
    /// The state of a function that derives secrets.
    pub fn with_master_keys(&self) -> App {
        self.app(&self.config)
    }

    /// The state of every other function.
    pub fn without_master_keys(&self) -> App {
        self.app(&Config { master_keys: MasterKeys::default(), ..self.config.clone() })
    }

    fn app(&self, config: &Config) -> App {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        let app = App::new(config, self.client.clone(), self.policy.clone(), clock, random);
        app.with_resolver(Arc::clone(&self.resolver))
    }

    /// The router over the template's routes, with a state of its own for each function.
    ///
    /// # Errors
    /// [`Mismatch`] if the template and the functions disagree.
    pub fn router(&self, template: &Template) -> Result<Router<Target>, Mismatch> {
        let mut apps: HashMap<&str, Arc<App>> = HashMap::new();
        let routes = link(template, FUNCTIONS)?.into_iter().map(|(route, function)| {
            let app = apps.entry(function.name).or_insert_with(|| {
                Arc::new(if function.needs.master_key { self.with_master_keys() } else { self.without_master_keys() })
            });
            (route.method.as_str(), route.path.as_str(), Target { function, app: Arc::clone(app) })
        });
        Ok(Router::new(routes))
    }

    pub fn announcer(&self) -> Announcer {
        Announcer { store: self.store(), policy: self.policy.clone(), clock: Arc::clone(&self.clock) }
    }

    pub fn courier(&self) -> Courier {
        let (clock, random) = (&self.clock, &self.random);
        let queue = Arc::new(LocalQueue::new(Arc::clone(clock)));
        let publisher = Publisher {
            store: self.store(),
            queue: queue.clone(),
            clock: Arc::clone(clock),
            random: Arc::clone(random),
        };
        // The API also works on a machine without root certificates. Then deliveries wait in the queue.
        let sender = Sender::new(Arc::clone(&self.resolver), self.config.loopback())
            .inspect_err(|error| tracing::warn!(%error, "webhooks cannot be sent"));
        let deliverer = sender.ok().map(|sender| {
            Arc::new(Deliverer {
                store: self.store(),
                queue: queue.clone(),
                sender,
                keys: self.config.master_keys.clone(),
                policy: self.policy.clone(),
                clock: Arc::clone(clock),
                random: Arc::clone(random),
                loopback: self.config.loopback(),
            })
        });
        Courier {
            publisher: Arc::new(publisher),
            deliverer,
            queue,
            committed: Arc::new(Notify::new()),
            engine: self.engine.clone(),
            known: Default::default(),
        }
    }

    fn store(&self) -> Store {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        Store::new(self.client.clone(), self.config.table.clone(), clock, random)
    }
}

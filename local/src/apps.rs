//! What each function works with. As in Lambda, functions share only the table.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use domain::Policy;
use platform::clock::Clock;
use platform::config::Config;
use platform::handler::App;
use platform::outbound::{Resolver, Sender};
use platform::random::Random;
use platform::secrets::MasterKeys;
use tokio::sync::Notify;

use crate::courier::Courier;
use crate::courier::queue::LocalQueue;
use crate::functions::{FUNCTIONS, Mismatch, link};
use crate::gateway::{Router, Target};
use crate::template::Template;

/// Builds the state of functions.
pub struct Apps {
    /// With master keys.
    pub config: Config,
    pub client: Client,
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

    pub fn courier(&self) -> Courier {
        let queue = Arc::new(LocalQueue::new(Arc::clone(&self.clock)));
        let delivering = self.with_master_keys().with_queue(queue.clone());
        let delivering = match Sender::new(Arc::clone(&self.resolver), delivering.endpoints.loopback) {
            Ok(sender) => delivering.with_sender(Arc::new(sender)),
            // Everything else works without it. Webhooks wait for their next attempt.
            Err(error) => {
                tracing::warn!(%error, "webhooks cannot be sent");
                delivering
            }
        };
        Courier {
            publishing: Arc::new(self.without_master_keys().with_queue(queue.clone())),
            delivering: Arc::new(delivering),
            queue,
            committed: Arc::new(Notify::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use platform::aws;
    use platform::clock::SystemClock;
    use platform::outbound::SystemResolver;
    use platform::random::SystemRandom;
    use platform::secrets::Secret;
    use platform::store::client;

    use super::*;
    use crate::table::table_config;

    #[tokio::test]
    async fn only_functions_that_derive_secrets_get_the_master_keys() {
        let master_keys = MasterKeys::new([(1, Secret::new([1; 32]))].into());
        let config = Config { master_keys, ..table_config(None) };
        let apps = Apps {
            client: client::connect(&config.dynamodb, aws::http_client()),
            config,
            policy: Policy::built_in().unwrap(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            resolver: Arc::new(SystemResolver),
        };
        let template = Template::built_in().unwrap();
        let router = apps.router(&template).unwrap();
        for route in &template.routes {
            let path = route.path.replace(['{', '}'], "");
            let target = router.find(&route.method, &path).unwrap().target;
            assert_eq!(target.function.name, route.function);
            assert_eq!(target.app.keys.current().is_ok(), target.function.needs.master_key, "{}", route.function);
        }
    }
}

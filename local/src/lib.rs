//! The whole API in one process: the gateway of [`gateway`] over the same functions that run in Lambda, on an embedded
//! DynamoDB engine. `cargo run` serves it; tests start as many as they like.

pub mod api;
pub mod courier;
mod data_dir;
pub mod engine;
mod error;
pub mod functions;
pub mod gateway;
pub mod jobs;
pub mod listen;
pub mod samples;
pub mod template;
#[cfg(test)]
mod testing;
pub mod verify;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use deliver_webhook::Deliverer;
use domain::Policy;
use expire_due::Announcer;
use platform::aws;
use platform::aws::{Credentials, Service};
use platform::clock::{Clock, SystemClock};
use platform::config::Config;
use platform::handler::App;
use platform::outbound::{Resolver, Sender, SystemResolver};
use platform::random::{Random, SystemRandom};
use platform::secrets::{AccessKeyText, MasterKey, MasterKeys};
use platform::store::{Store, StoreError, client, schema};
use publish_events::Publisher;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

pub use crate::data_dir::DataDir;
pub use crate::error::StartError;

use crate::courier::Courier;
use crate::courier::queue::LocalQueue;
use crate::engine::Engine;
use crate::gateway::{Gateway, Router, Target};
use crate::template::Template;

/// The name of the table.
pub const TABLE: &str = "multipartner";

/// How to run. The default is what tests want: any free port, nothing kept, system clock and randomness.
pub struct Options {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// Where to keep the data; `None` keeps nothing.
    pub data_dir: Option<PathBuf>,
    /// The operator's key; `None` takes one that derives from the master key: random, and kept as long as the data.
    pub operator_key: Option<AccessKeyText>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The policy; `None` takes the built-in one.
    pub policy: Option<Policy>,
    /// What links begin with; `None` takes the gateway's own address.
    pub public_base_url: Option<String>,
    /// The HTTP client below the functions' DynamoDB client, where tests inject faults; `None` takes the functions' own.
    pub http_client: Option<SharedHttpClient>,
    /// Whether webhooks may go to `http://127.0.0.1:<port>`.
    pub loopback_endpoints: bool,
    /// How names of webhook endpoints are resolved; `None` asks the system.
    pub resolver: Option<Arc<dyn Resolver>>,
    /// Another engine instead of the embedded one.
    pub engine_endpoint: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            data_dir: None,
            operator_key: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            policy: None,
            public_base_url: None,
            http_client: None,
            loopback_endpoints: false,
            resolver: None,
            engine_endpoint: None,
        }
    }
}

/// The API, running. Dropping it cuts everything off; [`Local::stop`] lets running requests finish.
pub struct Local {
    base_url: String,
    operator_key: AccessKeyText,
    client: Client,
    app: Arc<App>,
    announcer: Arc<Announcer>,
    courier: Arc<Courier>,
    stop: oneshot::Sender<()>,
    // A set and not a handle, because a set ends its task when it is dropped.
    server: JoinSet<()>,
    engine: Option<Engine>,
    _data_dir: Option<DataDir>,
}

/// Starts the API.
///
/// # Errors
/// [`StartError`], in words for the person who started it.
pub async fn start(options: Options) -> Result<Local, StartError> {
    let template = Template::built_in()?;
    let policy = match options.policy {
        Some(policy) => policy,
        None => Policy::built_in()?,
    };
    let address = SocketAddr::new(options.host, options.port);
    let listener = listen(address).await?;
    let reached = engine::reachable(&listener, address)?;
    let base_url = format!("http://{reached}");
    let data_dir = options.data_dir.as_deref().map(DataDir::open).transpose()?;
    let master_key = match &data_dir {
        Some(dir) => dir.master_key(options.random.as_ref())?,
        None => MasterKey::new(options.random.bytes()),
    };
    let master_keys = MasterKeys::new(BTreeMap::from([(MASTER_KEY_NUMBER, master_key)]));
    // Derived, so that a kept folder keeps its operator key, too.
    let operator_key = match options.operator_key {
        Some(key) => key,
        None => master_keys.access_key(MASTER_KEY_NUMBER, b"local operator")?,
    };
    let engine = match &options.engine_endpoint {
        Some(_) => None,
        None => Some(Engine::start(ANY_PORT, data_dir.as_ref().map(DataDir::database).as_deref()).await?),
    };
    let endpoint = engine.as_ref().map(|engine| engine.endpoint().to_owned()).or(options.engine_endpoint);
    let config = Config {
        master_keys,
        operator_key_hash: Some(operator_key.hash()),
        public_base_url: Some(options.public_base_url.unwrap_or_else(|| base_url.clone())),
        loopback_endpoints: options.loopback_endpoints,
        ..table_config(endpoint)
    };
    // The table is made, and tests look into it, past any injected fault.
    let client = client::connect(&config.dynamodb, aws::http_client());
    schema::create_table(&client, TABLE).await?;

    let faulty = options.http_client.map(|http| client::connect(&config.dynamodb, http));
    let function_client = faulty.unwrap_or_else(|| client.clone());
    let resolver: Arc<dyn Resolver> = options.resolver.unwrap_or_else(|| Arc::new(SystemResolver));
    let app = |config: &Config, client: &Client| {
        let (clock, random) = (Arc::clone(&options.clock), Arc::clone(&options.random));
        App::new(config, client.clone(), policy.clone(), clock, random).with_resolver(Arc::clone(&resolver))
    };
    let (clock, random) = (&options.clock, &options.random);
    let store = || Store::new(function_client.clone(), TABLE.to_owned(), Arc::clone(clock), Arc::clone(random));
    let queue = Arc::new(LocalQueue::new(Arc::clone(clock)));
    let announcer = Announcer { store: store(), policy: policy.clone(), clock: Arc::clone(clock) };
    let publisher =
        Publisher { store: store(), queue: queue.clone(), clock: Arc::clone(clock), random: Arc::clone(random) };
    let deliverer = |sender| Deliverer {
        store: store(),
        queue: queue.clone(),
        sender,
        keys: config.master_keys.clone(),
        policy: policy.clone(),
        clock: Arc::clone(clock),
        random: Arc::clone(random),
        loopback: config.loopback(),
    };
    // The API also works on a machine without root certificates. Then deliveries wait in the queue.
    let sender = Sender::new(Arc::clone(&resolver), config.loopback())
        .inspect_err(|error| tracing::warn!(%error, "webhooks cannot be sent"));
    let courier = Arc::new(Courier {
        publisher: Arc::new(publisher),
        deliverer: sender.ok().map(|sender| Arc::new(deliverer(sender))),
        queue,
        committed: Arc::new(Notify::new()),
    });
    let gateway = Gateway {
        router: route(&template, &config, |config| Arc::new(app(config, &function_client)))?,
        port: reached.port(),
        function_timeout: template.timeout,
        clock: Arc::clone(&options.clock),
        random: Arc::clone(&options.random),
        committed: Arc::clone(&courier.committed),
    };
    let (stop, stopped) = oneshot::channel();
    let mut server = JoinSet::new();
    server.spawn(gateway::serve(Arc::new(gateway), listener, stopped));
    let app = Arc::new(app(&config, &function_client));
    let announcer = Arc::new(announcer);
    Ok(Local { base_url, operator_key, client, app, announcer, courier, stop, server, engine, _data_dir: data_dir })
}

impl Local {
    /// `http://address:port` of the gateway.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The operator's key.
    pub fn operator_key(&self) -> &AccessKeyText {
        &self.operator_key
    }

    /// A client for the table, without injected faults.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn table(&self) -> &'static str {
        TABLE
    }

    /// What functions work with, including injected faults and master keys, for tests that read the store. No function shares
    /// its caches.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// What `expire-due` works with.
    pub fn announcer(&self) -> &Arc<Announcer> {
        &self.announcer
    }

    /// Publishes and delivers webhooks. It does nothing until it is called.
    pub fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }

    /// Runs the jobs every minute, publishes and delivers beside the gateway, until the set is dropped. What a process before
    /// this one left unfinished in a kept folder goes on.
    ///
    /// # Errors
    /// [`StoreError`] when the table can't be read.
    pub async fn work(&self) -> Result<JoinSet<()>, StoreError> {
        self.courier.rebuild().await?;
        let mut working = JoinSet::new();
        jobs::every_minute(self, &mut working);
        self.courier.run(&mut working);
        Ok(working)
    }

    /// Takes no more requests, lets the running ones finish, and stops.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        while self.server.join_next().await.is_some() {}
        if let Some(engine) = self.engine.take() {
            engine.stop().await;
        }
    }
}

/// There is one master key here, the first.
const MASTER_KEY_NUMBER: u32 = 1;

/// A free port of this machine only.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How to reach the table of an engine that checks no signatures.
pub fn table_config(endpoint: Option<String>) -> Config {
    Config {
        table: TABLE.to_owned(),
        dynamodb: Service {
            region: "us-east-1".to_owned(),
            endpoint,
            credentials: Credentials { id: "local".to_owned(), secret: "local".into(), token: None },
        },
        master_keys: MasterKeys::default(),
        operator_key_hash: None,
        public_base_url: None,
        queue: None,
        loopback_endpoints: false,
    }
}

/// The router over the template's routes. Each function has its own state and, unless it says that it derives secrets, no
/// master key: as in Lambda, where nothing is shared but the table.
fn route(
    template: &Template,
    config: &Config,
    app: impl Fn(&Config) -> Arc<App>,
) -> Result<Router<Target>, StartError> {
    let without_keys = Config { master_keys: MasterKeys::default(), ..config.clone() };
    let mut apps: HashMap<&str, Arc<App>> = HashMap::new();
    let linked = functions::link(template, functions::FUNCTIONS)?;
    let routes = linked.into_iter().map(|(route, function)| {
        let own = apps
            .entry(function.name)
            .or_insert_with(|| app(if function.needs.master_key { config } else { &without_keys }));
        (route.method.as_str(), route.path.as_str(), Target { function, app: Arc::clone(own) })
    });
    Ok(Router::new(routes))
}

/// Listens on an address.
async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(address),
        _ => StartError::Listen(address, error),
    })
}

#[cfg(test)]
mod tests;

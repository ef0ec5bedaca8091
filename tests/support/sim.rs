//! The system as a simulation: the real gateway, functions, job and SDK with an engine in this process, without sockets.
//! On a paused runtime (`#[tokio::test(start_paused = true)]`) a run repeats exactly from its seeds.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::random::SeededRandom;
use aws_sdk_dynamodb::Client;
use domain::{Policy, Timestamp};
use expire_due::Announcer;
use http_body_util::{BodyExt, Full};
use local::functions::{FUNCTIONS, link};
use local::gateway::{Gateway, Router, Target};
use local::template::Template;
use local::{TABLE, table_config};
use platform::clock::Clock;
use platform::config::Config;
use platform::handler::App;
use platform::identity::Settings;
use platform::lambda::{Function, Invocation, JobError, invoke, run_job};
use platform::secrets::{AccessKeyText, MasterKey, MasterKeys};
use platform::store::{Store, client, schema};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::engine::Engine;
use crate::faults::Faults;
use crate::here::link_policy;
use crate::receiver::Names;
use crate::{Answer, Call, contract};

/// The only master key. Tests search for it where it must not be.
pub const MASTER_KEY: [u8; 32] = *b"this master key is a test's own.";
/// The start of every link.
pub const BASE_URL: &str = "http://sim.example";
const START: &str = "2026-11-22T12:00:00.000Z";

/// A clock that follows the runtime's virtual time and can also be set.
#[derive(Debug)]
pub struct SimClock {
    began: Instant,
    at: AtomicI64,
}

impl SimClock {
    fn at(now: Timestamp) -> Self {
        Self { began: Instant::now(), at: AtomicI64::new(now.millis()) }
    }

    /// Moves the clock forward, or backward if `ms` is negative.
    pub fn advance_millis(&self, ms: i64) {
        self.at.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn advance_days(&self, days: i64) {
        self.advance_millis(days * 86_400_000);
    }

    pub fn set(&self, now: Timestamp) {
        self.advance_millis(now.millis() - self.now().millis());
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.at.load(Ordering::SeqCst) + elapsed)
    }
}

#[derive(Clone, Debug, Default)]
pub struct SimOptions {
    /// The seed of the system's random numbers.
    pub seed: u64,
    /// `None` for [`link_policy`].
    pub policy: Option<Policy>,
    /// The identity providers, and the address of the deployment, to which they send people back. Without one it is [`BASE_URL`].
    pub sign_in: (Settings, Option<&'static str>),
    /// The maximum lag of indexes.
    pub index_lag: Option<Duration>,
}

/// The master keys with these numbers. The first is [`MASTER_KEY`].
fn master_keys(known: &[u32], current: u32) -> MasterKeys {
    let key = |number: &u32| {
        let mut bytes = MASTER_KEY;
        bytes[31] = bytes[31].wrapping_add(u8::try_from(number - 1).expect("a small number"));
        (*number, MasterKey::new(bytes))
    };
    MasterKeys::new(known.iter().map(key).collect()).with_current(current).expect("a known key")
}

/// One deployment: a gateway and its functions. Several deployments may share a table.
pub struct Sim {
    /// Injected faults of the table.
    pub faults: Faults,
    pub clock: Arc<SimClock>,
    pub engine: Engine,
    gateway: Gateway,
    announcer: Arc<Announcer>,
    apps: HashMap<&'static str, Arc<App>>,
    operator_key: AccessKeyText,
    policy: Policy,
}

impl Sim {
    /// A deployment with an empty table.
    pub async fn start(options: SimOptions) -> Self {
        let engine = options.index_lag.map_or_else(Engine::default, |lag| Engine::lagging(options.seed, lag));
        let faults = Faults::over_engine(engine.clone());
        let table = client::connect(&table_config().dynamodb, faults.http_client());
        schema::create_table(&table, TABLE).await.expect("the table is made");
        faults.take();
        let policy = options.policy.unwrap_or_else(link_policy);
        let now = Timestamp::parse(START).expect("a time");
        Self::assemble(engine, faults, policy, now, options.seed, (master_keys(&[1], 1), options.sign_in))
    }

    /// Another deployment with the same table, whose clock differs by `skew_ms`.
    pub fn second(&self, seed: u64, skew_ms: i64) -> Self {
        let (engine, faults, policy) = (self.engine.clone(), self.faults.clone(), self.policy.clone());
        let now = self.clock.now().plus_millis(skew_ms);
        Self::assemble(engine, faults, policy, now, seed, (master_keys(&[1], 1), Default::default()))
    }

    /// Another deployment with the same table, which knows the master keys with these numbers and uses one of them.
    pub fn with_master_keys(&self, seed: u64, known: &[u32], current: u32) -> Self {
        let (engine, faults, policy) = (self.engine.clone(), self.faults.clone(), self.policy.clone());
        Self::assemble(
            engine,
            faults,
            policy,
            self.clock.now(),
            seed,
            (master_keys(known, current), Default::default()),
        )
    }

    fn assemble(
        engine: Engine,
        faults: Faults,
        policy: Policy,
        now: Timestamp,
        seed: u64,
        (master_keys, (sign_in, address)): (MasterKeys, (Settings, Option<&str>)),
    ) -> Self {
        let operator_key = master_keys.access_key(1, b"operator").expect("a key");
        let with_keys = Config {
            master_keys,
            operator_key_hash: Some(operator_key.hash()),
            public_base_url: Some(address.unwrap_or(BASE_URL).to_owned()),
            sign_in,
            ..table_config()
        };
        let without_keys = Config { master_keys: MasterKeys::default(), ..with_keys.clone() };
        let clock = Arc::new(SimClock::at(now));
        let random = Arc::new(SeededRandom::new(seed));
        let table: Client = client::connect(&with_keys.dynamodb, faults.http_client());
        let app = |config: &Config| {
            let app = App::new(config, table.clone(), policy.clone(), clock.clone(), random.clone());
            Arc::new(app.with_resolver(Arc::new(Names)))
        };
        let template = Template::built_in().expect("the template");
        let mut apps: HashMap<&'static str, Arc<App>> = HashMap::new();
        let routes = link(&template, FUNCTIONS).expect("the template fits").into_iter().map(|(route, function)| {
            let config = if function.needs.master_key { &with_keys } else { &without_keys };
            let own = apps.entry(function.name).or_insert_with(|| app(config));
            (route.method.as_str(), route.path.as_str(), Target { function, app: Arc::clone(own) })
        });
        let gateway = Gateway {
            router: Router::new(routes),
            port: 80,
            function_timeout: template.timeout,
            clock: clock.clone(),
            random: random.clone(),
            committed: Arc::default(),
        };
        let store = Store::new(table.clone(), TABLE.to_owned(), clock.clone(), random);
        let announcer = Arc::new(Announcer { store, policy: policy.clone(), clock: clock.clone() });
        Self { faults, clock, engine, gateway, announcer, apps, operator_key, policy }
    }

    pub fn operator_key(&self) -> &str {
        self.operator_key.expose_secret()
    }

    /// What the function that issues keys works with.
    pub fn app(&self) -> &App {
        &self.apps["administer"]
    }

    pub async fn send(&self, call: &Call) -> Answer {
        let mut request = http::Request::builder().method(call.method.as_str()).uri(&call.path);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let body = Full::from(call.body.clone().unwrap_or_default());
        let answer = self.gateway.answer(request.body(body).expect("a request"), Ipv4Addr::LOCALHOST.into()).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes().to_vec();
        let answer = Answer(local::api::Answer::new(head.status.as_u16(), head.headers, body));
        contract::assert_fits(call, &answer);
        answer
    }

    /// Gives an event to a function, without the gateway.
    ///
    /// # Panics
    /// If no route leads to the function.
    pub async fn invoke(&self, function: &Function, event: &[u8], remaining: Duration) -> Answer {
        let app = self.apps.get(function.name).expect("a function with routes");
        let invocation = Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining };
        let answer = Answer::of(invoke(Arc::clone(app), function, event, &invocation).await);
        contract::assert_event_fits(function, event, &answer);
        answer
    }

    /// Runs the job `expire-due` once.
    ///
    /// # Errors
    /// The job's own, if it must be called again.
    pub async fn expire_due(&self) -> Result<Value, JobError> {
        let invocation = Invocation { id: "job".to_owned(), remaining: Duration::from_secs(60) };
        run_job(Arc::clone(&self.announcer), &expire_due::JOB, b"{}".to_vec(), invocation).await
    }

    /// All items of the table, without faults.
    pub fn items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut scan = json!({"TableName": TABLE, "ConsistentRead": true});
        loop {
            let mut answer = self.raw("Scan", &scan);
            items.extend(answer["Items"].as_array_mut().map(std::mem::take).unwrap_or_default());
            match answer["LastEvaluatedKey"].take() {
                Value::Null => return items,
                next => scan["ExclusiveStartKey"] = next,
            }
        }
    }

    /// Sends a request to the table without faults.
    pub fn raw(&self, operation: &str, request: &Value) -> Value {
        let (status, answer) = self.engine.call(operation, request);
        assert_eq!(status, 200, "{operation} {request}: {answer}");
        answer
    }
}

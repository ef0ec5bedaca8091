//! Invokes functions with events as the gateway makes them. The functions share only the table.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::HEXLOWER;
use deliver_webhook::Deliverer;
use domain::{Policy, Timestamp};
use expire_due::Announcer;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use local::courier::QUEUE_BATCH;
use local::engine::Engine;
use local::functions::FUNCTIONS;
use local::gateway::Router;
use local::gateway::event::Arrival;
use local::identity_provider::IdentityProvider;
use local::{TABLE, table_config, template};
use platform::clock::Clock;
use platform::config::{Config, Needs, QueueConfig};
use platform::handler::App;
use platform::lambda::{Invocation, JobError, confirm_master_keys, invoke, run_job};
use platform::outbound::{Resolver, Sender};
use platform::queue::sqs::Sqs;
use platform::secrets::{AccessKeyText, MasterKey, MasterKeys};
use platform::store::{Item, Store, client, keys, schema};
use publish_events::Publisher;
use serde_json::{Value, json};

use super::lambda_events::{self, Change};
use super::mailbox::Mailbox;
use super::{MASTER_KEY, OPERATOR_KEY, Sample, TIME};
use crate::provider::Redirect;
use crate::signed_in::own_page;
use crate::{Answer, Call, ManualClock, SeededRandom};

/// The gateway's host and the client's address in events.
const HOST: &str = "sample.execute-api.eu-west-1.amazonaws.com";
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
/// The address of the function that signs in. It is the one that `sam local` has.
const SIGN_IN_ADDRESS: &str = "http://127.0.0.1:3000";
/// An invocation's remaining time.
const PATIENCE: Duration = Duration::from_secs(10);

/// The queue's URL. [`Mailbox`] answers its requests.
const QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/WebhookQueue";

/// The name of every job, and what it needs.
pub const JOBS: [(&str, Needs); 3] = [
    (expire_due::JOB.name, expire_due::JOB.needs),
    (publish_events::JOB.name, publish_events::JOB.needs),
    (deliver_webhook::JOB.name, deliver_webhook::JOB.needs),
];

/// Resolves no name, so that nothing is sent to another machine.
struct NoNames;

impl Resolver for NoNames {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async { Err(io::Error::other("this resolver knows no names")) }.boxed()
    }
}

/// A response and its route.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The route, `METHOD /path/{parameter}`.
    pub route: String,
    pub answer: Answer,
}

/// A request and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The route, `METHOD /path/{parameter}`.
    pub route: String,
    pub call: Call,
    pub answer: Answer,
}

/// The functions and their table and queue.
pub struct Stage {
    clock: Arc<ManualClock>,
    apps: BTreeMap<&'static str, Arc<App>>,
    announcer: Arc<Announcer>,
    publisher: Arc<Publisher>,
    deliverer: Arc<Deliverer>,
    router: Router<String>,
    /// The name of each route's event in the template.
    names: BTreeMap<String, String>,
    samples: Mutex<Vec<Sample>>,
    exchanges: Mutex<Vec<Exchange>>,
    operator_key: AccessKeyText,
    mailbox: Mailbox,
    provider: IdentityProvider,
    /// A client that `around` does not wrap.
    table: Client,
}

/// Wraps the HTTP clients below a function's SDK clients, for the table and for the queue.
pub type Around<'a> = &'a dyn Fn(&'static str, SharedHttpClient) -> SharedHttpClient;

/// Makes what the functions and jobs of a stage work with.
struct Workshop<'a> {
    around: Option<Around<'a>>,
    config: Config,
    engine: Engine,
    clock: Arc<ManualClock>,
    mailbox: Mailbox,
}

/// What one function or job is made of.
struct Parts {
    config: Config,
    client: Client,
    policy: Policy,
    random: Arc<SeededRandom>,
}

impl Workshop<'_> {
    /// `seed` belongs to one function: with the same randomness, two functions would send different transactions under the
    /// same token.
    fn parts(&self, name: &'static str, needs: Needs, seed: u64) -> Parts {
        let master_key = MasterKey::parse(MASTER_KEY).expect("a master key");
        let config = Config {
            master_keys: MasterKeys::new(needs.master_key.then_some((1, master_key)).into_iter().collect()),
            queue: needs.queue.then(|| QueueConfig { sqs: self.config.dynamodb.clone(), url: QUEUE_URL.to_owned() }),
            loopback_endpoints: needs.endpoints,
            ..self.config.clone()
        };
        let client = client::connect(&config.dynamodb, self.http(name, self.engine.http_client()));
        let policy = Policy::built_in().expect("a policy");
        Parts { config, client, policy, random: Arc::new(SeededRandom::new(seed)) }
    }

    fn http(&self, name: &'static str, http: SharedHttpClient) -> SharedHttpClient {
        self.around.map_or(http.clone(), |around| around(name, http))
    }

    fn queue(&self, name: &'static str, config: &Config) -> Arc<Sqs> {
        let http = self.http(name, SharedHttpClient::new(self.mailbox.clone()));
        Arc::new(config.connect_queue(http).expect("a queue"))
    }

    fn store(&self, parts: &Parts) -> Store {
        Store::new(parts.client.clone(), TABLE.to_owned(), self.clock.clone(), parts.random.clone())
    }

    fn app(&self, name: &'static str, needs: Needs, seed: u64) -> Arc<App> {
        let Parts { mut config, client, policy, random } = self.parts(name, needs, seed);
        // The identity provider sends people back only to this machine.
        config.public_base_url = (name == sign_in::FUNCTION.name).then(|| SIGN_IN_ADDRESS.to_owned());
        Arc::new(App::new(&config, client, policy, self.clock.clone(), random).with_resolver(Arc::new(NoNames)))
    }

    fn announcer(&self, seed: u64) -> Arc<Announcer> {
        let parts = self.parts(expire_due::JOB.name, expire_due::JOB.needs, seed);
        Arc::new(Announcer { store: self.store(&parts), policy: parts.policy, clock: self.clock.clone() })
    }

    fn publisher(&self, seed: u64) -> Arc<Publisher> {
        let parts = self.parts(publish_events::JOB.name, publish_events::JOB.needs, seed);
        Arc::new(Publisher {
            store: self.store(&parts),
            queue: self.queue(publish_events::JOB.name, &parts.config),
            clock: self.clock.clone(),
            random: parts.random,
        })
    }

    fn deliverer(&self, seed: u64) -> Arc<Deliverer> {
        let parts = self.parts(deliver_webhook::JOB.name, deliver_webhook::JOB.needs, seed);
        let loopback = parts.config.loopback();
        Arc::new(Deliverer {
            store: self.store(&parts),
            queue: self.queue(deliver_webhook::JOB.name, &parts.config),
            sender: Sender::new(Arc::new(NoNames), loopback).expect("a sender"),
            keys: parts.config.master_keys,
            policy: parts.policy,
            clock: self.clock.clone(),
            random: parts.random,
            loopback,
        })
    }
}

impl Stage {
    /// Starts with an empty table. `around` may record or change requests to table and queue.
    ///
    /// # Panics
    /// If an operation fails, here and in the other functions.
    pub async fn start(around: Option<Around<'_>>) -> Self {
        let engine = Engine::memory().expect("an engine");
        let clock = Arc::new(ManualClock::at(Timestamp::parse(TIME).expect("a time")));
        let operator_key = AccessKeyText::from_bytes(&OPERATOR_KEY);
        let table = engine.client();
        schema::create_table(&table, TABLE).await.expect("a table");
        let provider = IdentityProvider::start(0, clock.clone(), Arc::new(SeededRandom::new(20))).await;
        let provider = provider.expect("the provider starts");
        let sign_in = provider.settings().expect("settings");
        let config = Config { operator_key_hash: Some(operator_key.hash()), sign_in, ..table_config() };
        let mailbox = Mailbox::default();
        let workshop = Workshop { around, config, engine, clock: clock.clone(), mailbox: mailbox.clone() };
        let apps = FUNCTIONS.iter().zip(1..).map(|(function, seed)| {
            let app = workshop.app(function.name, function.needs, seed);
            (function.name, app)
        });
        let (names, router) = routes();
        Self {
            apps: apps.collect(),
            announcer: workshop.announcer(10),
            publisher: workshop.publisher(11),
            deliverer: workshop.deliverer(12),
            clock,
            router,
            names,
            samples: Mutex::default(),
            exchanges: Mutex::default(),
            operator_key,
            mailbox,
            provider,
            table,
        }
    }

    /// Signs in an administrator of a customer, from the page of an invitation. Returns the value of the session's cookie.
    pub async fn sign_in(&self, tenant_id: &str, invitation_id: &str) -> String {
        let page = |call| own_page(call, SIGN_IN_ADDRESS);
        let body = json!({"tenant_id": tenant_id, "cloud": "public", "invitation_id": invitation_id});
        let began = self.send(&page(Call::post("/v1/sign-in", &body))).await.answer;
        let url = began.expect(200)["authorize_url"].as_str().expect("an address").to_owned();
        let redirect = Redirect::parse(&self.provider.sign_in(&url, "global_administrator").expect("a redirect"));
        let create =
            page(Call::post("/v1/sessions", &redirect.body("public"))).header("cookie", first_cookie(&began).0);
        let created = self.send(&create).await.answer;
        created.expect(201);
        first_cookie(&created).1
    }

    /// Signs out again.
    pub async fn sign_out(&self, session: &str) {
        let call = own_page(Call::delete("/v1/sessions/current"), SIGN_IN_ADDRESS);
        self.send(&call.header("cookie", format!("session-3000={session}"))).await.answer.expect(200);
    }

    /// The response as a deployment sends it, whose identity provider is another one.
    fn published(&self, answer: &Answer) -> Answer {
        let local = form_urlencoded::byte_serialize(SIGN_IN_ADDRESS.as_bytes()).collect::<String>();
        let own = form_urlencoded::byte_serialize(format!("https://{HOST}").as_bytes()).collect::<String>();
        let provider = self.provider.url();
        let host = provider.strip_prefix("http://").expect("an address on this machine");
        let text = String::from_utf8_lossy(&answer.body)
            .replace(&format!("{provider}/public"), "https://login.microsoftonline.com")
            .replace(&format!("{provider}/us_gov"), "https://login.microsoftonline.us")
            .replace(host, "login.microsoftonline.com");
        let body = text.replace(&local, &own).into_bytes();
        Answer(local::api::Answer::new(answer.status, answer.headers.clone(), body))
    }

    pub fn operator_key(&self) -> &str {
        self.operator_key.expose_secret()
    }

    /// The hash of the operator's key, as in the environment of functions.
    pub fn operator_key_hash(&self) -> String {
        HEXLOWER.encode(&self.operator_key.hash())
    }

    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The first event of each route and schedule, in order.
    pub fn samples(&self) -> Vec<Sample> {
        self.kept().clone()
    }

    /// Every request and its response, in order.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().expect("exchanges").clone()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().expect("samples")
    }

    /// Invokes the function of a call's route.
    pub async fn send(&self, call: &Call) -> Answered {
        let (path, _) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let found = self.router.find(call.method.as_str(), path).unwrap_or_else(|| panic!("no route: {path}"));
        let text = self.event(call, found.key, &found.parameters);
        let answer = self.invoke(found.target, text.as_bytes()).await;
        let exchange = Exchange { route: found.key.to_owned(), call: call.clone(), answer: self.published(&answer) };
        self.exchanges.lock().expect("exchanges").push(exchange);
        let name = &self.names[found.key];
        let mut samples = self.kept();
        if !samples.iter().any(|sample| sample.function == *found.target && sample.name == *name) {
            let (function, name, status) = (found.target.clone(), name.clone(), answer.status);
            samples.push(Sample { function, name, text, status });
        }
        Answered { route: found.key.to_owned(), answer }
    }

    /// Invokes a function with an event.
    pub async fn invoke(&self, function: &str, event: &[u8]) -> Answer {
        let function = FUNCTIONS.iter().find(|known| known.name == function).expect("a function");
        let app = Arc::clone(&self.apps[function.name]);
        let invocation = Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining: PATIENCE };
        Answer::of(invoke(app, function, event, &invocation).await)
    }

    /// Compares the master keys of every function that has them with the table, as each does when it starts, twice: as the
    /// first process of the deployment, and as a later one.
    pub async fn confirm_master_keys(&self) {
        let of_apps = self.apps.values().map(|app| (&app.store, &app.keys));
        for (store, keys) in of_apps.chain([(&self.deliverer.store, &self.deliverer.keys)]) {
            for number in keys.numbers() {
                self.delete_item(&keys::master_key(number)).await;
            }
            for _ in 0..2 {
                confirm_master_keys(store, keys, self.clock.now()).await.expect("the same keys");
            }
        }
    }

    /// Runs a job with an event. Returns its report.
    pub async fn run(&self, job: &str, event: &[u8]) -> Value {
        self.try_run(job, event).await.expect("a report")
    }

    /// Runs a job with an event. Returns its report, or why it must be called again.
    pub async fn try_run(&self, job: &str, event: &[u8]) -> Result<Value, JobError> {
        let invocation = Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining: 6 * PATIENCE };
        let event = event.to_vec();
        match job {
            "expire-due" => run_job(Arc::clone(&self.announcer), &expire_due::JOB, event, invocation).await,
            "publish-events" => run_job(Arc::clone(&self.publisher), &publish_events::JOB, event, invocation).await,
            "deliver-webhook" => run_job(Arc::clone(&self.deliverer), &deliver_webhook::JOB, event, invocation).await,
            other => panic!("there is no job {other}"),
        }
    }

    /// Runs a job with an event and keeps the event as a sample.
    async fn show(&self, job: &str, name: &str, event: &Value) -> Value {
        let text = pretty(event);
        let report = self.run(job, text.as_bytes()).await;
        self.kept().push(Sample { function: job.to_owned(), name: name.to_owned(), text, status: 200 });
        report
    }

    /// Runs a job as its schedule does, and keeps the event as a sample.
    pub async fn on_schedule(&self, job: &str, name: &str) -> Value {
        self.show(job, name, &lambda_events::of_schedule()).await
    }

    /// Publishes changes from the table's stream, and keeps the event as a sample.
    pub async fn on_stream(&self, name: &str, changes: &[Change]) -> Value {
        self.show("publish-events", name, &lambda_events::of_stream(changes, self.clock.now())).await
    }

    /// Delivers a batch of the queue, and keeps the event as a sample.
    pub async fn on_queue(&self, name: &str) -> Value {
        let batch = lambda_events::of_queue(&self.mailbox.take(QUEUE_BATCH), self.clock.now());
        let report = self.show("deliver-webhook", name, &batch).await;
        self.put_back(&batch, &report);
        report
    }

    /// Publishes the outbox, as the stream would.
    pub async fn publish(&self) -> Value {
        let changes: Vec<_> = self.waiting().await.into_iter().map(Change::Insert).collect();
        let batch = lambda_events::of_stream(&changes, self.clock.now());
        self.run("publish-events", batch.to_string().as_bytes()).await
    }

    /// Delivers one batch of the queue. Failed messages return to the queue.
    pub async fn deliver(&self) -> Value {
        let batch = lambda_events::of_queue(&self.mailbox.take(QUEUE_BATCH), self.clock.now());
        let report = self.run("deliver-webhook", batch.to_string().as_bytes()).await;
        self.put_back(&batch, &report);
        report
    }

    fn put_back(&self, batch: &Value, report: &Value) {
        let failed = report["batchItemFailures"].as_array().expect("failures");
        let failed: Vec<_> = failed.iter().map(|failure| &failure["itemIdentifier"]).collect();
        let records = batch["Records"].as_array().expect("records").iter();
        for record in records.filter(|record| failed.contains(&&record["messageId"])) {
            self.mailbox.put(record["body"].as_str().expect("a string").to_owned());
        }
    }

    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Every item in the outbox, oldest first.
    pub async fn waiting(&self) -> Vec<Item> {
        let mut waiting = Vec::new();
        for shard in 0..keys::SHARDS {
            let query = self.table.query().table_name(TABLE).index_name(keys::GSI3);
            let query = query.key_condition_expression("gsi3pk = :shard");
            let query = query.expression_attribute_values(":shard", AttributeValue::S(keys::outbox_shard(shard)));
            waiting.extend(query.send().await.expect("a page").items.unwrap_or_default());
        }
        let part = |item: &Item, name: &str| item[name].as_s().expect("a string").clone();
        waiting.sort_by_key(|item| [keys::GSI3_SK, keys::PK, keys::SK].map(|name| part(item, name)));
        waiting
    }

    /// Reads an item from the table.
    pub async fn item(&self, key: &keys::Key) -> Option<Item> {
        let call = self.table.get_item().table_name(TABLE).consistent_read(true);
        let call =
            call.key(keys::PK, AttributeValue::S(key.pk.clone())).key(keys::SK, AttributeValue::S(key.sk.clone()));
        call.send().await.expect("an answer").item
    }

    /// Deletes an item without a function.
    async fn delete_item(&self, key: &keys::Key) {
        let call = self.table.delete_item().table_name(TABLE);
        let call =
            call.key(keys::PK, AttributeValue::S(key.pk.clone())).key(keys::SK, AttributeValue::S(key.sk.clone()));
        call.send().await.expect("an answer");
    }

    /// Writes an item without a function.
    pub async fn put_item(&self, item: Item) {
        self.table.put_item().table_name(TABLE).set_item(Some(item)).send().await.expect("an answer");
    }

    fn event(&self, call: &Call, route_key: &str, parameters: &[(&str, String)]) -> String {
        let mut request = http::Request::builder().method(call.method.as_str()).uri(&call.path).header("host", HOST);
        for (name, value) in
            call.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain([("user-agent", "sample")])
        {
            request = request.header(name, value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let body = call.body.as_deref().unwrap_or_default();
        let at = self.clock.now();
        let arrival =
            Arrival { head: &head, body, route_key, parameters, peer: PEER, port: 443, id: "JKJaXmPLvHcESHA=", at };
        let mut event = arrival.event();
        event["headers"]["x-forwarded-proto"] = json!("https");
        pretty(&event)
    }
}

fn routes() -> (BTreeMap<String, String>, Router<String>) {
    let template = template::Template::built_in().expect("a template");
    let document = template::document().expect("a template");
    let mut names = BTreeMap::new();
    for function in document["Resources"].as_object().expect("resources").values() {
        for (name, event) in function["Properties"]["Events"].as_object().into_iter().flatten() {
            let of = |name: &str| event["Properties"][name].as_str().unwrap_or_default().to_owned();
            names.insert(format!("{} {}", of("Method"), of("Path")), kebab_case(name));
        }
    }
    let routes = template.routes.iter().map(|r| (r.method.as_str(), r.path.as_str(), r.function.clone()));
    (names, Router::new(routes))
}

/// The first cookie that a response sets: name and value, and the value alone.
fn first_cookie(answer: &Answer) -> (String, String) {
    let cookie = answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
    let value = cookie.split_once('=').expect("a value").1.to_owned();
    (cookie, value)
}

fn kebab_case(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON") + "\n"
}

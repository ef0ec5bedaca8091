//! Functions, called one by one with events as the gateway makes them, over a fresh engine and with nothing shared but the
//! table.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use data_encoding::HEXLOWER;
use local::engine::Engine;
use local::functions::FUNCTIONS;
use local::gateway::Router;
use local::gateway::event::Arrival;
use local::jobs::SCHEDULED;
use local::{TABLE, table_config, template};
use serde_json::{Value, json};
use shared::app::App;
use shared::auth::{AccessKeyText, MasterKeys, Secret};
use shared::config::Config;
use shared::domain::{Clock, Timestamp};
use shared::lambda::{Invocation, invoke, run_job};
use shared::random::SeededRandom;
use shared::store::{client, schema};

use super::{MASTER_KEY, OPERATOR_KEY, Sample, TIME};
use crate::{Answer, Call, ManualClock};

/// Where the gateway is said to be, and where requests are said to come from.
const HOST: &str = "sample.execute-api.eu-west-1.amazonaws.com";
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer, and who gave it.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The route, `METHOD /path/{parameter}`.
    pub route: String,
    /// The answer.
    pub answer: Answer,
}

/// Where the story plays.
pub struct Stage {
    clock: Arc<ManualClock>,
    apps: BTreeMap<&'static str, Arc<App>>,
    router: Router<String>,
    /// The template's name of each route's event.
    names: BTreeMap<String, String>,
    samples: Mutex<Vec<Sample>>,
    operator_key: AccessKeyText,
    _engine: Engine,
}

/// Makes the HTTP client that is below a function's SDK client.
pub type HttpClientOf<'a> = &'a dyn Fn(&'static str) -> SharedHttpClient;

impl Stage {
    /// Everything set up and nothing in the table. `http` watches or changes what functions send to the table.
    ///
    /// # Panics
    /// When it can't be set up, here and below.
    pub async fn start(http: Option<HttpClientOf<'_>>) -> Self {
        let engine = Engine::start(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("an engine");
        let clock = Arc::new(ManualClock::at(Timestamp::parse(TIME).expect("a time")));
        let operator_key = AccessKeyText::from_bytes(&OPERATOR_KEY);
        let table = table_config(Some(engine.endpoint().to_owned()));
        schema::create_table(&client::connect(&table, client::http_client()), TABLE).await.expect("a table");
        let master_key = Secret::parse_master(MASTER_KEY).expect("a master key");
        let config = Config { operator_key_hash: Some(operator_key.hash()), ..table };
        // Each with randomness of its own, or they would send different transactions under the same token.
        let seed =
            |name: &str| FUNCTIONS.iter().position(|function| function.name == name).map_or(0, |at| at as u64 + 1);
        let app = |name, needs_master_key: bool| {
            let keys = needs_master_key.then(|| (1, master_key.clone())).into_iter().collect();
            let config = Config { master_keys: MasterKeys::new(keys), ..config.clone() };
            let client = client::connect(&config, http.map_or_else(client::http_client, |http| http(name)));
            let policy = shared::domain::Policy::built_in().expect("a policy");
            Arc::new(App::new(&config, client, policy, clock.clone(), Arc::new(SeededRandom::new(seed(name)))))
        };
        let mut apps = BTreeMap::new();
        FUNCTIONS
            .iter()
            .for_each(|function| drop(apps.insert(function.name, app(function.name, function.needs_master_key))));
        SCHEDULED.iter().for_each(|job| drop(apps.insert(job.name, app(job.name, job.needs_master_key))));
        let (names, router) = routes();
        Self { clock, apps, router, names, samples: Mutex::default(), operator_key, _engine: engine }
    }

    /// The operator's key.
    pub fn operator_key(&self) -> &str {
        self.operator_key.reveal()
    }

    /// The hash of the operator's key, as deployments are told it.
    pub fn operator_key_hash(&self) -> String {
        HEXLOWER.encode(&self.operator_key.hash())
    }

    /// The clock.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The first event of each route and schedule, in the order in which they came.
    pub fn samples(&self) -> Vec<Sample> {
        self.kept().clone()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().expect("samples")
    }

    /// Sends a call through its function.
    pub async fn send(&self, call: &Call) -> Answered {
        let (path, _) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let found = self.router.find(call.method.as_str(), path).unwrap_or_else(|| panic!("no route: {path}"));
        let text = self.event(call, found.key, &found.parameters);
        let answer = self.invoke(found.target, text.as_bytes()).await;
        let name = &self.names[found.key];
        let mut samples = self.kept();
        if !samples.iter().any(|sample| sample.function == *found.target && sample.name == *name) {
            let (function, name, status) = (found.target.clone(), name.clone(), answer.status);
            samples.push(Sample { function, name, text, status });
        }
        Answered { route: found.key.to_owned(), answer }
    }

    /// Gives an event to a function.
    pub async fn invoke(&self, function: &str, event: &[u8]) -> Answer {
        let function = FUNCTIONS.iter().find(|known| known.name == function).expect("a function");
        let app = Arc::clone(&self.apps[function.name]);
        let invocation = Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining: PATIENCE };
        Answer::of(invoke(app, function, event, &invocation).await)
    }

    /// Runs a job as its schedule does; its report.
    pub async fn run(&self, job: &str, event: &[u8]) -> Value {
        let job = SCHEDULED.iter().find(|known| known.name == job).expect("a job");
        let app = Arc::clone(&self.apps[job.name]);
        let invocation = Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining: 6 * PATIENCE };
        run_job(app, job, event.to_vec(), invocation).await.expect("a report")
    }

    /// Runs a job by a sample of what its schedule sends.
    pub async fn on_schedule(&self, job: &str, name: &str) -> Value {
        let text = pretty(&json!({
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": "000000000000",
            "time": TIME,
            "region": "eu-west-1",
            "resources": ["arn:aws:scheduler:eu-west-1:000000000000:schedule/default/sample"],
            "detail": "{}",
        }));
        let report = self.run(job, text.as_bytes()).await;
        self.kept().push(Sample { function: job.to_owned(), name: name.to_owned(), text, status: 200 });
        report
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

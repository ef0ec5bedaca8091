//! An HTTP client for the SDK that records every request to the table and injects faults: conflicts, throttling, errors,
//! lost and late responses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::rng::Rng;

/// The operation of every command's write.
pub const TRANSACT: &str = "TransactWriteItems";

/// A fault of one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The transaction is cancelled, with these reasons at these positions and `None` elsewhere.
    Cancelled(Vec<(usize, &'static str)>),
    /// The table returns this error.
    Error(&'static str),
    /// A proxy returns this status without JSON.
    Bare(u16),
    /// The connection is lost before the request arrives.
    LostBefore,
    /// A `BatchGetItem` leaves the keys unprocessed whose partitions begin with one of these.
    Unprocessed(&'static [&'static str]),
    /// The request succeeds, and the response is lost.
    LostAfter,
    /// The request succeeds, and half of the response arrives. An error response is lost completely.
    CutAfter,
    /// There is no response, and the request has no effect.
    StalledBefore,
    /// There is no response, and the request succeeds.
    StalledAfter,
}

/// A request, as a plan sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// `GetItem`, `Query`, `TransactWriteItems`, …
    pub operation: &'a str,
    /// The number of this request among those of its operation since the plan started, from 1.
    pub number: usize,
    pub request: &'a Value,
}

/// A request and its outcome.
#[derive(Clone, Debug)]
pub struct Record {
    /// `GetItem`, `Query`, `TransactWriteItems`, …
    pub operation: String,
    pub request: Value,
    /// The injected fault.
    pub fault: Option<Fault>,
    /// The table's status and JSON, if the request arrived.
    pub answer: Option<(u16, Value)>,
}

impl Record {
    /// Whether the request succeeded.
    pub fn done(&self) -> bool {
        self.answer.as_ref().is_some_and(|(status, _)| *status == 200)
    }
}

type Plan = Box<dyn FnMut(Seen<'_>) -> Option<Fault> + Send>;
type Sabotage = Box<dyn FnMut(&str, &mut Value) + Send>;

enum Backend {
    Http(SharedHttpClient),
    Engine(Engine),
}

#[derive(Default)]
struct State {
    plan: Option<Plan>,
    sabotage: Option<Sabotage>,
    counts: BTreeMap<String, usize>,
    records: Vec<Record>,
    latency: Option<(Rng, u64)>,
    contention: Option<Contention>,
    measure: bool,
}

/// Transactions that overlap in time on an item conflict, as in DynamoDB. The embedded engine runs one after the other.
struct Contention {
    rng: Rng,
    /// How long a request travels, and how long a transaction holds its items, on average.
    travel: Duration,
    hold: Duration,
    held: BTreeSet<(String, String)>,
}

impl Contention {
    /// From 70 % to 130 % of a time.
    fn about(&mut self, time: Duration) -> Duration {
        time * u32::try_from(70 + self.rng.below(61)).unwrap_or(100) / 100
    }
}

/// The keys of the items that a transaction writes or checks.
fn keys_of(request: &Value) -> Vec<(String, String)> {
    let operations = request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let key = |operation: &Value| {
        let key = operation.get("Key").or(operation.get("Item")).unwrap_or(operation);
        let part = |name: &str| key[name]["S"].as_str().unwrap_or_default().to_owned();
        (part("pk"), part("sk"))
    };
    operations.flat_map(|operation| operation.values().map(key).collect::<Vec<_>>()).collect()
}

struct Inner {
    backend: Backend,
    state: Mutex<State>,
}

#[derive(Clone)]
pub struct Faults(Arc<Inner>);

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

impl Faults {
    pub fn over_http(client: SharedHttpClient) -> Self {
        Self::over(Backend::Http(client))
    }

    pub fn over_engine(engine: Engine) -> Self {
        Self::over(Backend::Engine(engine))
    }

    fn over(backend: Backend) -> Self {
        Self(Arc::new(Inner { backend, state: Mutex::default() }))
    }

    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the plan that chooses the faults. Counts restart at 1.
    pub fn plan(&self, plan: impl FnMut(Seen<'_>) -> Option<Fault> + Send + 'static) {
        let mut state = self.state();
        state.plan = Some(Box::new(plan));
        state.counts.clear();
    }

    /// Injects these faults into the first requests of an operation, one each.
    pub fn script(&self, operation: &'static str, faults: Vec<Fault>) {
        self.plan(move |seen| (seen.operation == operation).then(|| faults.get(seen.number - 1).cloned()).flatten());
    }

    /// Injects this fault into every request of an operation.
    pub fn always(&self, operation: &'static str, fault: Fault) {
        self.plan(move |seen| (seen.operation == operation).then(|| fault.clone()));
    }

    /// Injects transient faults into this percentage of requests, chosen by the seed.
    pub fn random(&self, seed: u64, percent: u64) {
        let mut rng = Rng::new(seed);
        self.plan(move |seen| {
            let writes = seen.request["TransactItems"].as_array().map_or(0, Vec::len);
            rng.chance(percent).then(|| passing_fault(&mut rng, writes))
        });
    }

    /// Stops injecting faults.
    pub fn none(&self) {
        self.state().plan = None;
    }

    /// Changes requests, to show that a check detects it.
    pub fn sabotage(&self, sabotage: impl FnMut(&str, &mut Value) + Send + 'static) {
        self.state().sabotage = Some(Box::new(sabotage));
    }

    /// Delays every request and response by up to `longest`. The seed determines the delays, and so the order of parallel requests.
    pub fn latency(&self, seed: u64, longest: Duration) {
        self.state().latency = Some((Rng::new(seed), u64::try_from(longest.as_micros()).unwrap_or_default()));
    }

    /// Makes overlapping transactions conflict. Every request travels for about `travel`, and a transaction holds each of its
    /// items for about `hold`.
    pub fn contention(&self, seed: u64, travel: Duration, hold: Duration) {
        let (rng, held) = (Rng::new(seed), BTreeSet::new());
        self.state().contention = Some(Contention { rng, travel, hold, held });
    }

    /// Lets a request travel. A transaction then takes its items, or conflicts with those that hold some of them.
    async fn take_items(&self, request: &Value) -> Option<Fault> {
        let travel = self.state().contention.as_mut().map(|contention| contention.about(contention.travel))?;
        tokio::time::sleep(travel).await;
        let keys = keys_of(request);
        if keys.is_empty() {
            return None;
        }
        let hold = {
            let mut state = self.state();
            let contention = state.contention.as_mut()?;
            let taken: Vec<_> = (0..keys.len()).filter(|at| contention.held.contains(&keys[*at])).collect();
            if !taken.is_empty() {
                return Some(Fault::Cancelled(taken.into_iter().map(|at| (at, "TransactionConflict")).collect()));
            }
            contention.held.extend(keys);
            contention.about(contention.hold)
        };
        tokio::time::sleep(hold).await;
        None
    }

    fn release_items(&self, request: &Value) {
        if let Some(contention) = &mut self.state().contention {
            for key in keys_of(request) {
                contention.held.remove(&key);
            }
        }
    }

    /// Asks the table for the consumed capacity of every request.
    pub fn measure(&self) {
        self.state().measure = true;
    }

    /// The requests since the last call of this function.
    pub fn take(&self) -> Vec<Record> {
        std::mem::take(&mut self.state().records)
    }

    async fn pause(&self) {
        let pause = self.state().latency.as_mut().map(|(rng, longest)| Duration::from_micros(rng.below(*longest + 1)));
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }

    async fn answer(
        &self,
        http: HttpRequest,
        connector: Option<SharedHttpConnector>,
    ) -> Result<HttpResponse, ConnectorError> {
        let target = http.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
        let operation = target.map_or_else(String::new, |(_, operation)| operation.to_owned());
        let mut request: Value = serde_json::from_slice(http.body().bytes().unwrap_or_default()).unwrap_or_default();
        let fault = self.decide(&operation, &mut request);
        self.pause().await;
        let conflict = self.take_items(&request).await;
        let holds_items = conflict.is_none();
        let fault = fault.or(conflict);
        let answer = match &fault {
            None | Some(Fault::LostAfter | Fault::CutAfter | Fault::StalledAfter) => {
                Some(self.ask(http, connector, &operation, &request).await?)
            }
            Some(Fault::Unprocessed(starts)) => {
                let (processed, left) = split(&request, starts);
                let mut answer = (200, json!({"Responses": {}}));
                if let Some(request) = processed {
                    answer = self.ask(http, connector, &operation, &request).await?;
                }
                answer.1["UnprocessedKeys"] = left;
                Some(answer)
            }
            Some(_) => None,
        };
        if holds_items {
            self.release_items(&request);
        }
        let writes = request["TransactItems"].as_array().map_or(0, Vec::len);
        self.state().records.push(Record { operation, request, fault: fault.clone(), answer: answer.clone() });
        self.pause().await;
        match (fault, answer) {
            (None | Some(Fault::Unprocessed(_)), Some((status, body))) => Ok(response(status, body.to_string())),
            (Some(Fault::CutAfter), Some((200, body))) => {
                let body = body.to_string();
                Ok(response(200, body[..body.len() / 2].to_owned()))
            }
            (Some(Fault::Cancelled(reasons)), _) => Ok(response(400, cancelled(&reasons, writes).to_string())),
            (Some(Fault::Error(code)), _) => Ok(response(status_of(code), error(code).to_string())),
            (Some(Fault::Bare(status)), _) => Ok(response(status, "<html>busy</html>".to_owned())),
            (Some(Fault::StalledBefore | Fault::StalledAfter), _) => std::future::pending().await,
            _ => Err(ConnectorError::io("the connection is lost".into())),
        }
    }

    fn decide(&self, operation: &str, request: &mut Value) -> Option<Fault> {
        let mut state = self.state();
        if let Some(sabotage) = &mut state.sabotage {
            sabotage(operation, request);
        }
        if state.measure {
            request["ReturnConsumedCapacity"] = json!("INDEXES");
        }
        let count = state.counts.entry(operation.to_owned()).or_default();
        *count += 1;
        let number = *count;
        state.plan.as_mut().and_then(|plan| plan(Seen { operation, number, request }))
    }

    async fn ask(
        &self,
        mut http: HttpRequest,
        connector: Option<SharedHttpConnector>,
        operation: &str,
        request: &Value,
    ) -> Result<(u16, Value), ConnectorError> {
        match (&self.0.backend, connector) {
            (Backend::Engine(engine), _) => Ok(engine.call(operation, request)),
            (Backend::Http(_), None) => unreachable!("a real client has a connector"),
            (Backend::Http(_), Some(connector)) => {
                let body = request.to_string();
                http.headers_mut().insert("content-length", body.len().to_string());
                *http.body_mut() = SdkBody::from(body);
                let response = connector.call(http).await?;
                let status = response.status().as_u16();
                let body = response.into_body().collect().await.map_err(ConnectorError::io)?.to_bytes();
                Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
            }
        }
    }
}

/// A `BatchGetItem` without the keys whose partitions begin with one of these, if it has others, and those keys.
fn split(request: &Value, starts: &[&str]) -> (Option<Value>, Value) {
    let (mut processed, mut left) = (request.clone(), request["RequestItems"].clone());
    let is_left = |key: &Value| {
        let partition = key["pk"]["S"].as_str().unwrap_or_default();
        starts.iter().any(|start| partition.starts_with(start))
    };
    let mut is_any = false;
    for table in processed["RequestItems"].as_object_mut().into_iter().flat_map(|tables| tables.values_mut()) {
        if let Some(keys) = table["Keys"].as_array_mut() {
            keys.retain(|key| !is_left(key));
            is_any |= !keys.is_empty();
        }
    }
    if let Some(tables) = left.as_object_mut() {
        for table in tables.values_mut() {
            if let Some(keys) = table["Keys"].as_array_mut() {
                keys.retain(is_left);
            }
        }
        tables.retain(|_, table| table["Keys"].as_array().is_some_and(|keys| !keys.is_empty()));
    }
    (is_any.then_some(processed), left)
}

fn passing_fault(rng: &mut Rng, writes: usize) -> Fault {
    if writes == 0 {
        let faults = [Fault::Error("ThrottlingException"), Fault::Error("InternalServerError"), Fault::LostAfter];
        return rng.pick(&faults).clone();
    }
    let position = usize::try_from(rng.below(writes as u64)).unwrap_or_default();
    match rng.below(12) {
        0..=3 => Fault::Cancelled(vec![(position, "TransactionConflict")]),
        4 => Fault::Cancelled(vec![(position, "ThrottlingError")]),
        5 => Fault::Error("TransactionInProgressException"),
        6 => Fault::Error("InternalServerError"),
        7 => Fault::LostBefore,
        8 | 9 => Fault::LostAfter,
        10 => Fault::StalledBefore,
        _ => Fault::StalledAfter,
    }
}

fn status_of(code: &str) -> u16 {
    match code {
        "InternalServerError" => 500,
        "ServiceUnavailable" => 503,
        _ => 400,
    }
}

fn error(code: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "injected"})
}

fn cancelled(reasons: &[(usize, &'static str)], writes: usize) -> Value {
    let code = |at: usize| reasons.iter().find(|(position, _)| *position == at).map_or("None", |(_, code)| *code);
    let list: Vec<Value> = (0..writes)
        .map(|at| match code(at) {
            "None" => json!({"Code": "None"}),
            code => json!({"Code": code, "Message": "injected"}),
        })
        .collect();
    let mut body = error("TransactionCanceledException");
    body["CancellationReasons"] = json!(list);
    body
}

fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}

impl HttpClient for Faults {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = match &self.0.backend {
            Backend::Http(client) => Some(client.http_connector(settings, components)),
            Backend::Engine(_) => None,
        };
        SharedHttpConnector::new(Connector { faults: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Connector {
    faults: Faults,
    inner: Option<SharedHttpConnector>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (faults, inner) = (self.faults.clone(), self.inner.clone());
        HttpConnectorFuture::new(async move { faults.answer(request, inner).await })
    }
}

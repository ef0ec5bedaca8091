//! The pure path of four commands, for `.ci/instructions`: it parses the event, verifies key or signature, decides, builds the
//! transaction, sends it, and builds the response. The functions and the SDK are the real ones. DynamoDB's responses are
//! recorded once from the embedded engine and replayed afterwards, so that the engine's work does not count.
//!
//! `instructions RUNS` prints the names of the commands. For each of them it calls [`measured`] and [`done`] once.

mod replay;

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use local::Options;
use local::api::{Api, Call};
use local::engine::Engine;
use platform::handler::App;
use platform::lambda::{Function, Invocation, invoke};
use serde_json::{Map, Value, json};
use tests::here::{function_of, link_policy};
use tests::parties::link;
use tests::{Customer, ManualClock, Partner, SeededRandom};
use tokio::runtime::Runtime;

use replay::Replay;

const NOW: &str = "2026-11-22T12:00:00.000Z";
const BY_KEY: &str = "POST /v1/partners/{partner_id}/invitations";
const BY_WEBHOOK: &str = "POST /v1/webhooks/{partner_id}/invitations";
const ACCEPT: &str = "POST /v1/invitations/{invitation_id}/accept";
const REGISTER: &str = "POST /v1/partners/{partner_id}/subscriptions";

/// A command: its route, and two requests. The first fills the caches, the second is measured.
struct Command {
    name: &'static str,
    route: &'static str,
    requests: [Call; 2],
}

fn main() -> std::io::Result<()> {
    let runs = std::env::args().nth(1).and_then(|runs| runs.parse().ok()).unwrap_or(1);
    // One thread, so that a run takes the same steps each time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let engine = Engine::memory().expect("an engine");
    let replay = Replay::over(engine.http_client());
    let clock = Arc::new(ManualClock::at(Timestamp::parse(NOW).expect("a time")));
    let options = Options {
        http_client: Some(replay.http_client()),
        engine: Some(engine),
        random: Arc::new(SeededRandom::new(1)),
        policy: Some(link_policy()),
        clock,
        ..Options::default()
    };
    let local = runtime.block_on(local::start(options)).expect("the local system starts");
    for command in runtime.block_on(commands(&local)) {
        let function = function_of(command.route).expect("a function");
        let [warm, event] = command.requests.map(|call| event(&call, command.route));
        let run = |event: &[u8]| runtime.block_on(answer(Arc::clone(local.app()), function, event));
        run(&warm);
        replay.record();
        run(&event);
        replay.replay();
        measured(&runtime, &replay, local.app(), function, &event, runs);
        replay.pass();
        done(command.name);
    }
    Ok(())
}

/// What is counted. `.ci/instructions` finds it by its name.
#[inline(never)]
fn measured(
    runtime: &Runtime,
    replay: &Replay,
    app: &Arc<App>,
    function: &'static Function,
    event: &[u8],
    runs: usize,
) {
    for _ in 0..runs {
        replay.rewind();
        runtime.block_on(answer(Arc::clone(app), function, event));
    }
}

/// Ends what is counted for a command. `.ci/instructions` finds it by its name too.
#[inline(never)]
fn done(name: &str) {
    println!("{name}");
}

async fn answer(app: Arc<App>, function: &'static Function, event: &[u8]) {
    let invocation =
        Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining: Duration::from_secs(10) };
    let answer = invoke(app, function, event, &invocation).await;
    assert!((200..300).contains(&answer.status_code), "{answer:?}");
}

/// The event by which the gateway calls a function.
fn event(call: &Call, route: &str) -> Vec<u8> {
    let headers: Map<String, Value> = call.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let parameters = route.split(' ').next_back().unwrap_or_default().split('/').zip(call.path.split('/'));
    let named =
        |(name, value): (&str, &str)| Some((name.strip_prefix('{')?.strip_suffix('}')?.to_owned(), json!(value)));
    let parameters: Map<String, Value> = parameters.filter_map(named).collect();
    let body = String::from_utf8(call.body.clone().unwrap_or_default()).expect("text");
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": call.path, "rawQueryString": "", "isBase64Encoded": false,
        "headers": headers, "pathParameters": parameters, "body": body,
        "requestContext": {
            "http": {"method": call.method, "path": call.path}, "routeKey": route, "stage": "$default",
            "requestId": "JKJaXmPLvHcESHA=", "domainName": "sample.execute-api.eu-west-1.amazonaws.com",
        },
    });
    event.to_string().into_bytes()
}

/// Sends the calls of the preparation.
struct Operator<'a> {
    api: Api,
    key: &'a str,
}

impl Operator<'_> {
    async fn send(&self, call: Call) -> Value {
        let answer = self.api.send(&call).await.expect("an answer");
        assert!((200..300).contains(&answer.status), "{}", answer.json());
        answer.json().clone()
    }

    async fn customer(&self, number: u64) -> Customer {
        let tenant_id = format!("c0c0c0c0-0000-4000-8000-{number:012}");
        let body = json!({"tenant_id": tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
        self.send(Call::post("/v1/customers", &body).key(self.key)).await;
        Customer { tenant_id, key: String::new() }
    }

    async fn partner(&self) -> Partner {
        let tenant_id = "d0d0d0d0-0000-4000-8000-000000000001".to_owned();
        let body = json!({"tenant_id": tenant_id, "name": "Northwind", "cloud": "public", "market": "US"});
        let enrolled = self.send(Call::post("/v1/partners", &body).key(self.key)).await;
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let partner_id = text(&enrolled["partner"]["partner_id"]);
        let body =
            json!({"principal": {"kind": "partner", "id": partner_id}, "roles": ["global_admin"], "name": "test"});
        let issued = self.send(Call::post("/v1/keys", &body).key(self.key)).await;
        Partner { partner_id, tenant_id, key: text(&issued["key"]), signing_secret: text(&enrolled["signing_secret"]) }
    }
}

async fn commands(local: &local::Local) -> Vec<Command> {
    let api = Api::new(local.base_url()).expect("a client");
    let operator = Operator { api, key: local.operator_key().expose_secret() };
    let partner = operator.partner().await;
    let mut customers = Vec::new();
    for number in 0..8 {
        customers.push(operator.customer(number).await);
    }
    let body = |customer: &Customer| {
        let roles = ["helpdesk_administrator", "license_administrator", "directory_readers", "user_administrator"];
        json!({
            "customer_tenant_id": customer.tenant_id, "message": "We would like to offer you our services. ".repeat(4),
            "delegated_admin": {"roles": roles, "duration": "P365D"},
        })
    };
    let by_key = |at: usize| partner.create(&body(&customers[at])).idempotency_key(format!("invitation-{at}"));
    let seconds = Timestamp::parse(NOW).expect("a time").seconds();
    let by_webhook = |at: usize| {
        let envelope = json!({"type": "invitation.create", "timestamp": NOW, "data": body(&customers[at])});
        partner.webhook("/invitations", &format!("message-{at}"), seconds, envelope.to_string().as_bytes())
    };
    let mut accepts = Vec::new();
    for at in 4..6 {
        let (id, token) = link(&operator.send(by_key(at)).await);
        accepts.push(tests::parties::accept_by_link(&id, &token, &json!("as_requested")));
    }
    let (id, token) = link(&operator.send(by_key(6)).await);
    operator.send(tests::parties::accept_by_link(&id, &token, &json!("as_requested"))).await;
    let register = |at: usize| partner.register(&tests::parties::registration(&format!("sold-{at}"), &customers[6]));
    let command = |name, route, requests| Command { name, route, requests };
    let accepts = accepts.try_into().expect("two requests");
    vec![
        command("create by key", BY_KEY, [by_key(0), by_key(1)]),
        command("create by webhook", BY_WEBHOOK, [by_webhook(2), by_webhook(3)]),
        command("accept by link", ACCEPT, accepts),
        command("register by key", REGISTER, [register(0), register(1)]),
    ]
}

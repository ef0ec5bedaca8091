//! Makes functions do everything that they can do with table and queue: the sample story, then repeated, rejected and late
//! requests, and webhooks.

use std::collections::HashMap;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use local::samples::tenants::{CONTOSO, NORTHWIND};
use platform::clock::Clock;
use platform::store::Item;
use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, decline_by_link, link, preview, registration};
use tests::sample_events::{Stage, TIME, play};
use tests::signed_in::own_page;
use tests::{Call, Customer, Partner, Receiver, Reply};
use tokio::sync::OnceCell;

use crate::calls::{Calls, Watch};

static CALLS: OnceCell<Calls> = OnceCell::const_new();

/// Plays everything once. Returns the calls of each function.
pub async fn calls() -> &'static Calls {
    CALLS.get_or_init(play_all).await
}

async fn play_all() -> Calls {
    let watch = Watch::default();
    let around = |function, http: SharedHttpClient| watch.around(function, http);
    play(&Stage::start(Some(&around)).await).await;
    let stage = Stage::start(Some(&around)).await;
    stage.confirm_master_keys().await;
    let contoso = customer(&stage, CONTOSO.tenant_id).await;
    let northwind = partner(&stage, NORTHWIND.tenant_id).await;
    repeat(&stage, &northwind, &contoso).await;
    other_callers(&stage, &northwind, &contoso).await;
    signed_in(&stage, &northwind, &contoso).await;
    late(&stage, &northwind, &contoso).await;
    webhooks(&stage, &northwind, &contoso).await;
    watch.calls()
}

async fn expect(stage: &Stage, status: u16, call: &Call) -> Value {
    stage.send(call).await.answer.expect(status)
}

async fn operator(stage: &Stage, status: u16, method: &str, path: &str, body: Value) -> Value {
    expect(stage, status, &Call::new(method, path).key(stage.operator_key()).json(&body)).await
}

async fn key(stage: &Stage, principal: Value, roles: &[&str]) -> String {
    let body = json!({"principal": principal, "roles": roles, "name": "test"});
    operator(stage, 201, "POST", "/v1/keys", body).await["key"].as_str().expect("a key").to_owned()
}

async fn customer(stage: &Stage, tenant_id: &str) -> Customer {
    let body = json!({"tenant_id": tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
    operator(stage, 201, "POST", "/v1/customers", body).await;
    let key = key(stage, json!({"kind": "customer", "id": tenant_id}), &["global_admin"]).await;
    Customer { tenant_id: tenant_id.into(), key }
}

async fn partner(stage: &Stage, tenant_id: &str) -> Partner {
    let body = json!({"tenant_id": tenant_id, "name": "Northwind", "cloud": "public", "market": "US"});
    let enrolled = operator(stage, 201, "POST", "/v1/partners", body).await;
    let part = |part: &Value| part.as_str().expect("a string").to_owned();
    let (partner_id, signing_secret) = (part(&enrolled["partner"]["partner_id"]), part(&enrolled["signing_secret"]));
    let key = key(stage, json!({"kind": "partner", "id": partner_id}), &["global_admin"]).await;
    Partner { partner_id, tenant_id: tenant_id.into(), key, signing_secret }
}

/// Repeats requests, which then read what exists.
async fn repeat(stage: &Stage, partner: &Partner, customer: &Customer) {
    // The first operator's key is not in the table, so only the partner is read.
    let endpoints = Call::new("GET", format!("/v1/partners/{}/endpoints", partner.partner_id));
    expect(stage, 200, &endpoints.key(stage.operator_key())).await;
    let body = json!({"tenant_id": customer.tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
    operator(stage, 200, "POST", "/v1/customers", body).await;
    let body = json!({"tenant_id": partner.tenant_id, "name": "Northwind", "cloud": "public", "market": "US"});
    operator(stage, 200, "POST", "/v1/partners", body).await;
    let create = partner.asks(customer, &Value::Null, "once");
    let (id, token) = link(&expect(stage, 201, &create).await);
    expect(stage, 201, &create).await;
    expect(stage, 409, &partner.asks(customer, &Value::Null, "twice")).await;
    expect(stage, 404, &preview(&id, "wrong")).await;
    expect(stage, 200, &accept_by_link(&id, &token, &Value::Null)).await;
    expect(stage, 200, &accept_by_link(&id, &token, &Value::Null)).await;
    expect(stage, 409, &decline_by_link(&id, &token)).await;
    expect(stage, 409, &partner.cancel(&id)).await;
    expect(stage, 409, &partner.renew(&id)).await;
    let register = partner.register(&registration("one", customer));
    expect(stage, 201, &register).await;
    expect(stage, 200, &register).await;
    expect(stage, 201, &create).await;
    expect(stage, 200, &partner.end(customer)).await;
    expect(stage, 200, &partner.end(customer)).await;
    expect(stage, 403, &partner.register(&registration("two", customer))).await;
    let batch = ["one", "two"].map(|id| registration(id, customer));
    expect(stage, 200, &partner.register_batch(&batch)).await;
    expect(stage, 200, &register).await;
    let path = format!("/v1/customers/{}", customer.tenant_id);
    operator(stage, 409, "PATCH", &path, json!({"cloud": "us_gov"})).await;
    let path = format!("/v1/partners/{}", partner.partner_id);
    operator(stage, 409, "PATCH", &path, json!({"market": "FR"})).await;
}

/// Calls with a session on a route of each function that has routes of customers.
async fn signed_in(stage: &Stage, partner: &Partner, customer: &Customer) {
    let (id, _) =
        link(&expect(stage, 201, &partner.asks(customer, &asking(&["directory_readers"], "P30D"), "session")).await);
    let first = stage.sign_in(&customer.tenant_id, &id).await;
    let session = stage.sign_in(&customer.tenant_id, &id).await;
    let with = |mut call: Call| {
        call.headers.retain(|(name, _)| name != "authorization");
        own_page(call, "").header("cookie", format!("__Host-Http-session={session}"))
    };
    for path in ["", "/endpoints", &format!("/invitations/{id}")] {
        expect(stage, 200, &with(customer.call("GET", path))).await;
    }
    expect(stage, 200, &with(customer.accept(&id, &json!("as_requested")))).await;
    expect(stage, 200, &with(customer.end(partner))).await;
    for session in [&first, &session] {
        stage.sign_out(session).await;
    }
}

/// Calls by every kind of caller, known and unknown.
async fn other_callers(stage: &Stage, partner: &Partner, customer: &Customer) {
    let second = key(stage, json!({"kind": "operator"}), &[]).await;
    let calls = [
        Call::get("/v1/customers").key(&second),
        Call::get(format!("/v1/partners/{}/events?subject={}", partner.partner_id, customer.tenant_id)).key(&second),
        Call::get(format!("/v1/partners/{}/events?after=", partner.partner_id)).key(&second),
        Call::get(format!("/v1/customers/{}/events", customer.tenant_id)).key(&second),
        Call::get("/v1/events?after=").key(&second),
        Call::get("/v1/keys").key(&second),
    ];
    for call in calls {
        expect(stage, 200, &call).await;
    }
    let unknown =
        Partner { signing_secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into(), ..partner.clone() };
    let now = stage.clock().now().seconds();
    let data = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": null});
    let body = json!({"type": "invitation.create", "timestamp": TIME, "data": data}).to_string();
    expect(stage, 401, &unknown.webhook("/invitations", "forged", now, body.as_bytes())).await;
    expect(stage, 401, &unknown.webhook("/subscriptions", "forged", now, body.as_bytes())).await;
    let stranger = json!({"customer_tenant_id": "00000000-0000-4000-8000-000000000009", "delegated_admin": null});
    let create = partner.create(&stranger).idempotency_key("stranger");
    expect(stage, 422, &create).await;
    expect(stage, 404, &partner.call("GET", "/subscriptions/none")).await;
    let grant = format!("/grants/grt_{}", "a".repeat(26));
    expect(stage, 404, &partner.call("DELETE", &grant)).await;
}

/// Lets grants end and invitations expire, and runs the job that announces it.
async fn late(stage: &Stage, partner: &Partner, customer: &Customer) {
    let wants = asking(&["directory_readers"], "P60D");
    // The relationship has ended before, so only the customer's key starts it again.
    let (id, token) = link(&expect(stage, 201, &partner.asks(customer, &wants, "granted")).await);
    expect(stage, 403, &accept_by_link(&id, &token, &json!("as_requested"))).await;
    let accepted = expect(stage, 200, &customer.accept(&id, &json!("as_requested"))).await;
    let grant = format!("/grants/{}", accepted["grant"]["grant_id"].as_str().expect("an id"));
    let (open, token) = link(&expect(stage, 201, &partner.asks(customer, &wants, "open")).await);
    stage.clock().advance_days(31);
    expect(stage, 410, &accept_by_link(&open, &token, &json!("as_requested"))).await;
    stage.run("expire-due", b"{}").await;
    // Each renewal reads the invitation before either writes, so one of them has to start again.
    let renewals = ["one", "two"].map(|message| partner.renew(&open).json(&json!({"message": message})));
    futures_util::future::join(expect(stage, 200, &renewals[0]), expect(stage, 200, &renewals[1])).await;
    stage.clock().advance_days(30);
    stage.run("expire-due", b"{}").await;
    stage.run("expire-due", b"{}").await;
    expect(stage, 200, &customer.call("DELETE", &grant)).await;
    expect(stage, 200, &customer.end(partner)).await;
    let (id, _) = link(&expect(stage, 201, &partner.asks(customer, &wants, "again")).await);
    expect(stage, 200, &customer.accept(&id, &json!("as_requested"))).await;
    expect(stage, 200, &partner.end(customer)).await;
    stage.clock().advance_days(61);
    stage.run("expire-due", b"{}").await;
}

/// Endpoints of both kinds of owners: one that works, and one that fails until it is disabled.
async fn webhooks(stage: &Stage, partner: &Partner, customer: &Customer) {
    stage.publish().await;
    let receiver = Receiver::start().await;
    let path = endpoint(stage, &|method, path| partner.call(method, path), receiver.url()).await;
    activate(stage, &receiver, &path, &|method, path| partner.call(method, path)).await;
    expect(stage, 409, &partner.call("POST", "/endpoints").json(&json!({"url": receiver.url()}))).await;
    let gone = Receiver::start().await;
    let path = endpoint(stage, &|method, path| customer.call(method, path), gone.url()).await;
    activate(stage, &gone, &path, &|method, path| customer.call(method, path)).await;
    fail(stage, &gone, &path, customer).await;
    operator(stage, 200, "DELETE", &format!("/v1/customers/{}{path}", customer.tenant_id), json!({})).await;
    poison(stage).await;
}

/// Creates an endpoint twice. Returns its path below its owner.
async fn endpoint(stage: &Stage, call: &impl Fn(&str, &str) -> Call, url: &str) -> String {
    let create = call("POST", "/endpoints").json(&json!({"url": url})).idempotency_key("endpoint");
    expect(stage, 201, &create).await;
    let created = expect(stage, 201, &create).await;
    format!("/endpoints/{}", created["endpoint"]["endpoint_id"].as_str().expect("an id"))
}

/// Checks that the challenge is answered, and that events before it arrive.
async fn activate(stage: &Stage, receiver: &Receiver, path: &str, call: &impl Fn(&str, &str) -> Call) {
    settle(stage).await;
    assert_eq!(receiver.of_type("endpoint.challenge").len(), 1);
    assert_eq!(receiver.of_type("endpoint.created").len(), 1, "the event before the challenge is sent after it");
    let found = expect(stage, 200, &call("GET", path)).await;
    assert_eq!(found["endpoint"]["state"], "active");
    expect(stage, 202, &call("POST", &format!("{path}/test"))).await;
    // The stream brings nothing, so that the sweep must find the message.
    stage.clock().advance_millis(180_000);
    stage.run("publish-events", b"{}").await;
    settle(stage).await;
    assert_eq!(receiver.of_type("endpoint.test").len(), 1, "the sweep found it");
}

/// Publishes and delivers until there is nothing to publish.
async fn settle(stage: &Stage) {
    while !stage.waiting().await.is_empty() {
        stage.publish().await;
        stage.deliver().await;
        stage.deliver().await;
    }
    stage.deliver().await;
}

/// Lets an endpoint fail, recover and return 410. Then what did not arrive is resent.
async fn fail(stage: &Stage, receiver: &Receiver, path: &str, owner: &Customer) {
    for status in [500, 204, 410] {
        receiver.answer(move |_, _| Reply::status(status));
        let change = json!({"description": format!("answers {status}")});
        expect(stage, 200, &owner.call("PATCH", path).json(&change)).await;
        settle(stage).await;
        stage.clock().advance_days(1);
        stage.deliver().await;
    }
    let found = expect(stage, 200, &owner.call("GET", path)).await;
    assert_eq!(found["endpoint"]["state"], "disabled");
    settle(stage).await;
    expect(stage, 200, &owner.call("PATCH", path).json(&json!({"state": "active"}))).await;
    let since = json!({"since": "2026-01-01T00:00:00Z"});
    let resent = expect(stage, 202, &owner.call("POST", &format!("{path}/resend")).json(&since)).await;
    assert!(resent["resent"].as_u64() > Some(0), "{resent}");
    receiver.answer(|_, _| Reply::status(204));
    settle(stage).await;
    let found = expect(stage, 200, &owner.call("GET", path)).await;
    assert_eq!(found["endpoint"]["state"], "active");
}

/// Records that can't be published and messages that can't be delivered.
async fn poison(stage: &Stage) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item = [("pk", "EVENTS#INVITATION#none"), ("sk", "0000000001"), ("gsi3pk", "OUTBOX#1"), ("gsi3sk", "2026")];
    let item: Item = item.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect::<HashMap<_, _>>();
    stage.put_item(item).await;
    stage.publish().await;
    assert_eq!(stage.waiting().await, Vec::<Item>::new());
    let nameless = json!({"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1"}}]});
    stage.run("publish-events", nameless.to_string().as_bytes()).await;
    stage.mailbox().take(usize::MAX);
    stage.mailbox().put("no ticket".to_owned());
    assert_eq!(stage.deliver().await, json!({"batchItemFailures": []}));
}

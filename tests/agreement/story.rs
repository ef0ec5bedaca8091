//! Everything that functions do with the table: the sample story, and what only happens when something is repeated,
//! refused or late.

use aws_sdk_dynamodb::config::SharedHttpClient;
use serde_json::{Value, json};
use shared::domain::Clock;
use tests::parties::{accept_by_link, asking, decline_by_link, link, preview, registration};
use tests::sample_events::{Stage, TIME, play};
use tests::{Call, Customer, Partner};

use crate::calls::{Calls, Watch};

/// Plays it all; every call to the table, by function.
pub async fn calls() -> Calls {
    let watch = Watch::default();
    let http = |function| -> SharedHttpClient { watch.http_client(function) };
    play(&Stage::start(Some(&http)).await).await;
    let stage = Stage::start(Some(&http)).await;
    let contoso = customer(&stage, "c0c0c0c0-0000-4000-8000-000000000001").await;
    let northwind = partner(&stage, "90070000-0000-4000-8000-000000000003").await;
    repeat(&stage, &northwind, &contoso).await;
    as_others(&stage, &northwind, &contoso).await;
    late(&stage, &northwind, &contoso).await;
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
    let part = |part: &Value| part.as_str().expect("a text").to_owned();
    let (partner_id, signing_secret) = (part(&enrolled["partner"]["partner_id"]), part(&enrolled["signing_secret"]));
    let key = key(stage, json!({"kind": "partner", "id": partner_id}), &["global_admin"]).await;
    Partner { partner_id, tenant_id: tenant_id.into(), key, signing_secret }
}

/// Everything twice: what was done already is looked up.
async fn repeat(stage: &Stage, partner: &Partner, customer: &Customer) {
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
    expect(stage, 200, &register).await;
}

/// Callers of every kind, known and unknown.
async fn as_others(stage: &Stage, partner: &Partner, customer: &Customer) {
    let second = key(stage, json!({"kind": "operator"}), &[]).await;
    let calls = [
        Call::get("/v1/customers").key(&second),
        Call::get(format!("/v1/partners/{}/events?subject={}", partner.partner_id, customer.tenant_id)).key(&second),
        Call::get(format!("/v1/partners/{}/events?after=", partner.partner_id)).key(&second),
        Call::get(format!("/v1/customers/{}/events", customer.tenant_id)).key(&second),
        Call::get("/v1/events?after=").key(&second),
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

/// Time passes: grants end, invitations run out, and the job tells of it.
async fn late(stage: &Stage, partner: &Partner, customer: &Customer) {
    let wants = asking(&["directory_readers"], "P60D");
    let (id, token) = link(&expect(stage, 201, &partner.asks(customer, &wants, "granted")).await);
    let accepted = expect(stage, 200, &accept_by_link(&id, &token, &json!("as_requested"))).await;
    let grant = format!("/grants/{}", accepted["grant"]["grant_id"].as_str().expect("an id"));
    let (open, token) = link(&expect(stage, 201, &partner.asks(customer, &wants, "open")).await);
    stage.clock().advance_days(31);
    expect(stage, 410, &accept_by_link(&open, &token, &json!("as_requested"))).await;
    stage.run("expire-due", b"{}").await;
    expect(stage, 200, &partner.renew(&open)).await;
    stage.clock().advance_days(30);
    stage.run("expire-due", b"{}").await;
    stage.run("expire-due", b"{}").await;
    expect(stage, 200, &customer.call("DELETE", &grant)).await;
    expect(stage, 200, &customer.end(partner)).await;
    let (id, token) = link(&expect(stage, 201, &partner.asks(customer, &wants, "again")).await);
    expect(stage, 200, &accept_by_link(&id, &token, &json!("as_requested"))).await;
    expect(stage, 200, &partner.end(customer)).await;
    stage.clock().advance_days(61);
    stage.run("expire-due", b"{}").await;
}

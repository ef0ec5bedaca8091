//! The story of the sample events: Northwind and Fabrikam start to work with Contoso, and end the relationships.

use domain::{EndpointId, PartnerId, TenantId, WebhookId};
use local::samples::tenants;
use platform::clock::Clock;
use platform::store::{Item, keys};
use serde_json::{Value, json};

use super::Stage;
use super::lambda_events::Change;
use crate::parties::{accept_by_link, asking, decline_by_link, link, preview, registration};
use crate::{Call, Customer, Partner};

const CONTOSO: &str = tenants::CONTOSO.tenant_id;
const NORTHWIND: &str = tenants::NORTHWIND.tenant_id;
const FABRIKAM: &str = tenants::FABRIKAM.tenant_id;

/// Calls every route at least once. Each call succeeds, except on routes that reject all requests.
///
/// # Panics
/// If a response is not the expected one.
pub async fn play(stage: &Stage) {
    let contoso = customer(stage).await;
    let northwind = partner(stage, NORTHWIND, "Northwind").await;
    let fabrikam = partner(stage, FABRIKAM, "Fabrikam").await;
    rename(stage, &northwind).await;
    let relationship = begin(stage, &northwind, &contoso).await;
    let grant = widen(stage, &northwind, &contoso).await;
    answer_in_other_ways(stage, &northwind, &contoso).await;
    register(stage, &northwind, &contoso).await;
    let other_grant = second_partner(stage, &fabrikam, &contoso).await;
    sign_in(stage, &relationship).await;
    look_around(stage, &northwind, &contoso, &relationship).await;
    look_at_grants(stage, (&northwind, &grant), (&contoso, &other_grant)).await;
    webhooks(stage, &northwind, &contoso).await;
    let earlier = json!({"ends_at": stage.clock().now().plus_days(1)});
    let narrow = |call: Call| call.json(&earlier);
    expect(stage, 200, &narrow(northwind.call("PATCH", &format!("/grants/{grant}")))).await;
    expect(stage, 200, &narrow(contoso.call("PATCH", &format!("/grants/{other_grant}")))).await;
    expect(stage, 200, &northwind.call("DELETE", &format!("/grants/{grant}"))).await;
    expect(stage, 200, &contoso.call("DELETE", &format!("/grants/{other_grant}"))).await;
    // The end cancels what is open.
    let wants = asking(&["directory_readers"], "P30D");
    expect(stage, 201, &fabrikam.asks(&contoso, &wants, "sample-invitation-7")).await;
    expect(stage, 200, &northwind.end(&contoso)).await;
    expect(stage, 200, &contoso.end(&fabrikam)).await;
    close(stage, &northwind).await;
    stage.on_schedule("expire-due", "every-five-minutes").await;
}

async fn expect(stage: &Stage, status: u16, call: &Call) -> Value {
    stage.send(call).await.answer.expect(status)
}

fn operator(stage: &Stage, method: &str, path: &str) -> Call {
    Call::new(method, path).key(stage.operator_key())
}

async fn key(stage: &Stage, principal: Value, name: &str) -> (String, String) {
    let body = json!({"principal": principal, "roles": ["global_admin"], "name": name});
    let call = operator(stage, "POST", "/v1/keys").json(&body).idempotency_key(format!("sample-key-{name}"));
    let issued = expect(stage, 201, &call).await;
    let part = |part: &str| issued[part].as_str().expect("a string").to_owned();
    (part("key_id"), part("key"))
}

async fn customer(stage: &Stage) -> Customer {
    let body = json!({"tenant_id": CONTOSO, "name": "Contoso", "domain": "contoso.example", "cloud": "public", "market": "US"});
    expect(stage, 201, &operator(stage, "POST", "/v1/customers").json(&body)).await;
    let (_, key) = key(stage, json!({"kind": "customer", "id": CONTOSO}), "contoso").await;
    Customer { tenant_id: CONTOSO.into(), key }
}

async fn partner(stage: &Stage, tenant_id: &str, name: &str) -> Partner {
    let body = json!({"tenant_id": tenant_id, "name": name, "cloud": "public", "market": "US"});
    let enrolled = expect(stage, 201, &operator(stage, "POST", "/v1/partners").json(&body)).await;
    let partner_id = PartnerId::from_tenant(&TenantId::parse(tenant_id).expect("an id")).to_string();
    assert_eq!(enrolled["partner"]["partner_id"], partner_id);
    let signing_secret = enrolled["signing_secret"].as_str().expect("a secret").to_owned();
    let (_, key) = key(stage, json!({"kind": "partner", "id": partner_id}), &name.to_ascii_lowercase()).await;
    Partner { partner_id, tenant_id: tenant_id.into(), key, signing_secret }
}

async fn rename(stage: &Stage, northwind: &Partner) {
    let contoso = json!({"name": "Contoso Ltd"});
    expect(stage, 200, &operator(stage, "PATCH", &format!("/v1/customers/{CONTOSO}")).json(&contoso)).await;
    let path = format!("/v1/partners/{}", northwind.partner_id);
    expect(stage, 200, &operator(stage, "PATCH", &path).json(&json!({"name": "Northwind Traders"}))).await;
}

/// Invites by key, previews and accepts by link. Returns the invitation's id.
async fn begin(stage: &Stage, partner: &Partner, contoso: &Customer) -> String {
    let created = expect(stage, 201, &partner.asks(contoso, &Value::Null, "sample-invitation-1")).await;
    let (id, token) = link(&created);
    expect(stage, 200, &preview(&id, &token)).await;
    expect(stage, 200, &accept_by_link(&id, &token, &Value::Null)).await;
    id
}

/// Requests delegated administration by webhook, accepts by key. Returns the grant's id.
async fn widen(stage: &Stage, partner: &Partner, contoso: &Customer) -> String {
    let data = json!({
        "customer_tenant_id": contoso.tenant_id,
        "delegated_admin": asking(&["helpdesk_administrator", "directory_readers"], "P365D"),
    });
    let created = expect(stage, 201, &webhook(stage, partner, "/invitations", "invitation.create", &data)).await;
    let (id, _) = link(&created);
    expect(stage, 200, &contoso.call("GET", &format!("/invitations/{id}"))).await;
    let accepted = expect(stage, 200, &contoso.accept(&id, &asking(&["directory_readers"], "P90D"))).await;
    accepted["grant"]["grant_id"].as_str().expect("a grant").to_owned()
}

fn webhook(stage: &Stage, partner: &Partner, path: &str, kind: &str, data: &Value) -> Call {
    let now = stage.clock().now();
    let body = json!({"type": kind, "timestamp": super::TIME, "data": data}).to_string();
    partner.webhook(path, &format!("sample-{}", kind.replace('.', "-")), now.seconds(), body.as_bytes())
}

async fn answer_in_other_ways(stage: &Stage, partner: &Partner, contoso: &Customer) {
    let wants = asking(&["directory_readers"], "P30D");
    let created = expect(stage, 201, &partner.asks(contoso, &wants, "sample-invitation-3")).await;
    let (id, _) = link(&created);
    let renewed = expect(
        stage,
        200,
        &partner.renew(&id).json(&json!({"expires_in_days": 14, "message": "Please have another look."})),
    )
    .await;
    let (_, token) = link(&renewed);
    expect(stage, 200, &decline_by_link(&id, &token)).await;
    let created = expect(stage, 201, &partner.asks(contoso, &wants, "sample-invitation-4")).await;
    let reason = json!({"reason": "We have what we need."});
    let (declined, _) = link(&created);
    expect(stage, 200, &contoso.decline(&declined).json(&reason)).await;
    expect(stage, 200, &operator(stage, "POST", &format!("/v1/invitations/{declined}/erase"))).await;
    let created = expect(stage, 201, &partner.asks(contoso, &wants, "sample-invitation-5")).await;
    expect(stage, 200, &partner.cancel(&link(&created).0)).await;
}

async fn register(stage: &Stage, partner: &Partner, contoso: &Customer) {
    expect(stage, 201, &partner.register(&registration("sample-subscription-1", contoso))).await;
    let data = registration("sample-subscription-2", contoso);
    expect(stage, 201, &webhook(stage, partner, "/subscriptions", "subscription.register", &data)).await;
    let batch = ["sample-subscription-2", "sample-subscription-3"].map(|id| registration(id, contoso));
    expect(stage, 200, &partner.register_batch(&batch)).await;
}

/// Adds a second partner, whose relationship existed before. Returns its grant's id.
async fn second_partner(stage: &Stage, partner: &Partner, contoso: &Customer) -> String {
    let import = operator(stage, "PUT", &format!("/v1/partners/{}/customers/{CONTOSO}", partner.partner_id));
    let body = json!({"since": "2021-03-01T00:00:00Z", "external_reference": "customer 4711"});
    expect(stage, 201, &import.json(&body)).await;
    let wants = asking(&["directory_readers"], "P30D");
    let created = expect(stage, 201, &partner.asks(contoso, &wants, "sample-invitation-6")).await;
    let (id, _) = link(&created);
    let accepted = expect(stage, 200, &contoso.accept(&id, &json!("as_requested"))).await;
    accepted["grant"]["grant_id"].as_str().expect("a grant").to_owned()
}

/// Contoso's administrator signs in, and out again.
async fn sign_in(stage: &Stage, invitation: &str) {
    let session = stage.sign_in(CONTOSO, invitation).await;
    stage.sign_out(&session).await;
    let path = format!("/v1/customers/{CONTOSO}/sessions");
    expect(stage, 200, &operator(stage, "DELETE", &path)).await;
}

async fn look_around(stage: &Stage, partner: &Partner, contoso: &Customer, invitation: &str) {
    let subscription = "/subscriptions/sample-subscription-1";
    let invitation = format!("/invitations/{invitation}");
    for path in
        ["/invitations?state=declined", "/customers?limit=10", "/subscriptions", "/events", subscription, &invitation]
    {
        expect(stage, 200, &partner.call("GET", path)).await;
    }
    expect(stage, 200, &partner.call("GET", "")).await;
    expect(stage, 200, &partner.call("GET", &format!("/customers/{CONTOSO}"))).await;
    let of_partner = format!("/partners/{}", partner.partner_id);
    for path in ["", "/partners", &of_partner, "/invitations", "/subscriptions", "/events?after="] {
        expect(stage, 200, &contoso.call("GET", path)).await;
    }
    let keys = format!("/v1/keys?principal={}", partner.partner_id);
    let (key_id, _) = key(stage, json!({"kind": "partner", "id": partner.partner_id}), "northwind").await;
    for path in ["/v1/customers", "/v1/partners", &keys, &format!("/v1/keys/{key_id}"), "/v1/events"] {
        expect(stage, 200, &operator(stage, "GET", path)).await;
    }
    expect(stage, 200, &Call::get("/v1/me").key(&partner.key)).await;
    for method in ["PUT", "PATCH", "DELETE"] {
        expect(stage, 405, &partner.call(method, subscription)).await;
    }
    for path in ["/v1/policy", "/openapi.json", "/docs"] {
        expect(stage, 200, &Call::get(path)).await;
    }
    let partner_page = format!("/p/{}", partner.partner_id);
    let pages =
        [&format!("/i{}", invitation.trim_start_matches("/invitations")), &format!("/c/{CONTOSO}"), &partner_page];
    let others = ["/signed-in/public".to_owned(), "/assets/page.css".to_owned()];
    for path in pages.into_iter().chain(&others) {
        for method in ["GET", "HEAD"] {
            assert_eq!(stage.send(&Call::new(method, path.as_str())).await.answer.status, 200, "{method} {path}");
        }
    }
}

async fn look_at_grants(stage: &Stage, (partner, held): (&Partner, &str), (customer, given): (&Customer, &str)) {
    let soon = format!("/grants?state=active&ends_before={}", stage.clock().now().plus_days(180));
    for path in [soon.as_str(), &format!("/grants/{held}")] {
        expect(stage, 200, &partner.call("GET", path)).await;
    }
    for path in ["/grants?limit=10", &format!("/grants/{given}")] {
        expect(stage, 200, &customer.call("GET", path)).await;
    }
}

/// Both owners have an endpoint. Stream, queue and sweep send messages there.
async fn webhooks(stage: &Stage, partner: &Partner, contoso: &Customer) {
    // Earlier events are published before there is an endpoint.
    stage.publish().await;
    let of_partner = |method: &str, path: &str| partner.call(method, &format!("/endpoints{path}"));
    let of_customer = |method: &str, path: &str| contoso.call(method, &format!("/endpoints{path}"));
    let first = endpoint(stage, &of_partner("POST", ""), "https://hooks.northwind.example/multipartner").await;
    let messages = messages(stage, &first, &of_partner).await;
    let second = endpoint(stage, &of_customer("POST", ""), "https://contoso.example:8443/hooks").await;
    commit(stage, messages).await;
    stage.on_queue("queued").await;
    let (path, since) = (format!("/{second}"), json!({"since": super::TIME}));
    expect(stage, 202, &of_customer("POST", &format!("{path}/test"))).await;
    expect(stage, 202, &of_customer("POST", &format!("{path}/resend")).json(&since)).await;
    manage(stage, &first, &of_partner).await;
    manage(stage, &second, &of_customer).await;
    stage.on_schedule("publish-events", "every-minute").await;
}

/// Creates an endpoint. Returns its id.
async fn endpoint(stage: &Stage, create: &Call, url: &str) -> String {
    let body = json!({"url": url, "event_types": ["relationship.ended", "endpoint.created", "endpoint.disabled"], "description": "Events"});
    let create = create.clone().json(&body).idempotency_key("sample-endpoint");
    let created = expect(stage, 201, &create).await;
    created["endpoint"]["endpoint_id"].as_str().expect("an id").to_owned()
}

/// A message to an endpoint, and its delivery's item before the message was resent.
struct Messages {
    bytes: Item,
    before: Item,
}

/// Requests another challenge, and resends the message about the endpoint's creation.
async fn messages(stage: &Stage, endpoint: &str, call: &impl Fn(&str, &str) -> Call) -> Messages {
    expect(stage, 202, &call("POST", &format!("/{endpoint}/test"))).await;
    stage.publish().await;
    let resend = call("POST", &format!("/{endpoint}/resend"));
    expect(stage, 202, &resend.clone().json(&json!({"since": super::TIME}))).await;
    let listed = expect(stage, 200, &call("GET", &format!("/{endpoint}/deliveries?limit=5"))).await;
    let mut items = listed["items"].as_array().expect("items").iter();
    let event = items.find(|delivery| delivery["purpose"] == "event").expect("the event of its creation");
    let id = event["event_id"].as_str().expect("an id");
    let (webhook, endpoint) = (WebhookId::parse(id).expect("an id"), EndpointId::parse(endpoint).expect("an id"));
    let before = stage.item(&keys::delivery(&webhook, &endpoint)).await.expect("a delivery");
    let bytes = stage.item(&keys::message(&webhook)).await.expect("a message");
    expect(stage, 202, &resend.json(&json!({"event_id": id}))).await;
    Messages { bytes, before }
}

/// Publishes a batch of the stream: a new event, a delivery that is due again, and an expired message.
async fn commit(stage: &Stage, messages: Messages) {
    let is_delivery = |item: &Item| item.get(keys::PK) == messages.before.get(keys::PK);
    let waiting = stage.waiting().await.into_iter();
    let changes = waiting.map(|item| match is_delivery(&item) {
        true => Change::Modify(messages.before.clone(), item),
        false => Change::Insert(item),
    });
    let mut changes: Vec<_> = changes.collect();
    changes.push(Change::Expire(messages.bytes));
    stage.on_stream("committed", &changes).await;
}

/// Calls the routes of an existing endpoint.
async fn manage(stage: &Stage, endpoint: &str, call: &impl Fn(&str, &str) -> Call) {
    let path = format!("/{endpoint}");
    for path in ["?limit=10", &path, &format!("{path}/deliveries?limit=5")] {
        expect(stage, 200, &call("GET", path)).await;
    }
    expect(stage, 200, &call("PATCH", &path).json(&json!({"event_types": null, "description": "All events"}))).await;
    expect(stage, 200, &call("POST", &format!("{path}/rotate")).json(&json!({"grace_hours": 24}))).await;
    expect(stage, 200, &call("DELETE", &path)).await;
}

async fn close(stage: &Stage, partner: &Partner) {
    let path = |rest: &str| format!("/v1/partners/{}{rest}", partner.partner_id);
    let rotate = operator(stage, "POST", &path("/signing-secret/rotate")).json(&json!({"grace_hours": 24}));
    expect(stage, 200, &rotate).await;
    expect(stage, 200, &operator(stage, "POST", &path("/suspend"))).await;
    expect(stage, 200, &operator(stage, "POST", &path("/resume"))).await;
    let (key_id, _) = key(stage, json!({"kind": "partner", "id": partner.partner_id}), "spare").await;
    expect(stage, 200, &operator(stage, "DELETE", &format!("/v1/keys/{key_id}"))).await;
}

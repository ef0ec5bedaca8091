//! The cost of each command and each read when warm: requests to the table, and write units without indexes.

use std::time::Instant;

use local::engine::Engine;
use local::identity_provider::IdentityProvider;
use local::identity_provider::tamper::Endpoint;
use platform::store::keys::SHARDS;
use serde_json::{Value, json};
use tests::here::{Table, policy_with, size_of};
use tests::meter::{Asked, Meter};
use tests::parties::{link, preview};
use tests::provider::{Redirect, with_provider};
use tests::signed_in::own_page;
use tests::{Answer, Call, Customer, Partner, World};

/// The maximum numbers of round trips and of write units.
type Bar = (usize, u64);

struct Row {
    name: &'static str,
    bar: Bar,
    trips: Vec<String>,
    /// Write units as the engine counts them.
    counted: f64,
    /// Write units by the DynamoDB documentation: 2 per started KB of every item in a transaction.
    computed: u64,
    /// Each item that a write touched, and the larger of its sizes before and after.
    sizes: Vec<(String, usize)>,
}

/// Runs commands and records their costs.
struct Measure {
    world: World,
    meter: Meter,
    provider: IdentityProvider,
    rows: Vec<Row>,
}

impl Measure {
    async fn start() -> Option<Self> {
        let engine = Engine::memory().unwrap();
        let meter = Meter::over(engine.http_client());
        let client = meter.http_client();
        // All calls run twice in one day, which would exceed the default limit.
        let policy = policy_with(|file| file["versions"][0]["limits"]["invitations_per_pair_and_day"] = json!(100));
        let change = |options: &mut local::Options| {
            options.http_client = Some(client);
            options.engine = Some(engine);
            options.policy = Some(policy);
        };
        let (world, provider) = with_provider(change).await?;
        Some(Self { world, meter, provider, rows: Vec::new() })
    }

    /// Sends a call that must return this status, and records its cost under this name.
    async fn run(&mut self, name: &'static str, bar: Bar, call: Call, status: u16) -> Value {
        self.send(name, bar, call, status).await.json()
    }

    /// As [`Self::run`], with the whole response.
    async fn send(&mut self, name: &'static str, bar: Bar, call: Call, status: u16) -> Answer {
        self.world.tick();
        let before = self.world.table().await;
        self.meter.take();
        let answer = self.world.send(&call).await;
        answer.expect(status);
        let asked = self.meter.take();
        let after = self.world.table().await;
        self.rows.push(row(name, bar, &asked, &before, &after));
        answer
    }

    /// Lets time pass until the functions have nothing in their caches, as after their start.
    fn forget(&self) {
        if let Some((_, clock)) = self.world.here() {
            clock.advance_millis(30_000);
        }
    }

    async fn operator(&mut self, name: &'static str, bar: Bar, call: Call, status: u16) -> Value {
        let key = self.world.operator_key().to_owned();
        self.run(name, bar, call.key(&key), status).await
    }
}

fn row(name: &'static str, bar: Bar, asked: &[Asked], before: &Table, after: &Table) -> Row {
    let writes = asked.iter().filter(|asked| asked.writes());
    let (mut computed, mut sizes) = (0, Vec::new());
    for (kind, key) in writes.clone().flat_map(Asked::touched) {
        let size = [before, after].iter().filter_map(|table| table.get(&key)).map(size_of).max().unwrap_or_default();
        computed += 2 * u64::try_from(size.div_ceil(1024).max(1)).expect("a size");
        let what = if key.0.starts_with("EVENTS#") { "EVENT" } else { kind_of(&key) };
        sizes.push((format!("{kind} {what}"), size));
    }
    let counted = writes.map(|asked| asked.units).sum();
    let trips = asked.iter().map(|asked| format!("{}{}", asked.operation, if asked.done { "" } else { "!" })).collect();
    Row { name, bar, trips, counted, computed, sizes }
}

fn kind_of((pk, sk): &(String, String)) -> &str {
    let word = pk.split('#').next().unwrap_or_default();
    match word {
        "CUSTOMER" if sk.contains("#GRANT#") => "GRANT",
        "CUSTOMER" => "RELATIONSHIP",
        word => word,
    }
}

/// A typical invitation: 4 roles, a message of 200 bytes and an email address.
fn invitation(customer: &str) -> Value {
    let roles = ["helpdesk_administrator", "license_administrator", "user_administrator", "billing_administrator"];
    json!({
        "customer_tenant_id": customer,
        "delegated_admin": {"roles": roles, "duration": "P365D", "auto_extend": false},
        "message": "We would like to offer you our services. ".repeat(5)[..200].trim_end().to_owned() + ".",
        "contact_email": "sales.team@northwind.example", "expires_in_days": 30,
    })
}

fn acceptance(role: Option<&str>) -> Value {
    let mut body = json!({
        "accepted_by": {"name": "Alexandra Montgomery", "email": "alexandra.montgomery@contoso.example"},
        "delegated_admin": "as_requested",
    });
    if let Some(role) = role {
        body["accepted_by"]["role"] = json!(role);
    } else {
        body["version"] = json!(1);
    }
    body
}

const NO_WRITE: u64 = 0;
/// An item and its event.
const TWO_ITEMS: u64 = 4;
const THREE_ITEMS: u64 = 6;
/// 40 subscriptions with their events, and two checks.
const BATCH: u64 = 40 * TWO_ITEMS + 4;

/// All commands and reads, with the same partner and customer in both runs. In the second run, all functions have them
/// in their caches.
async fn story(measure: &mut Measure, partner: &Partner, customer: &Customer) -> String {
    enrol(measure).await;
    register_customer(measure).await;
    by_link(measure, partner, customer).await;
    closing(measure, partner, customer).await;
    selling(measure, partner, customer).await;
    selling_much(measure).await;
    reading(measure, partner, customer).await;
    signing_in(measure, customer).await;
    ending(measure, partner, customer).await;
    administering(measure, partner, customer).await
}

async fn register_customer(measure: &mut Measure) -> Customer {
    let tenant_id = measure.world.tenant_id();
    let body = json!({
        "tenant_id": tenant_id, "name": "Contoso Incorporated", "domain": "contoso.example", "cloud": "public", "market": "US",
    });
    measure.operator("register customer", (2, TWO_ITEMS), Call::post("/v1/customers", &body), 201).await;
    let key = measure.world.issue_key(json!({"kind": "customer", "id": tenant_id}), &["global_admin"]).await;
    Customer { tenant_id, key }
}

async fn enrol(measure: &mut Measure) -> Partner {
    let tenant_id = measure.world.tenant_id();
    let body = json!({"tenant_id": tenant_id, "name": "Northwind Traders Ltd", "cloud": "public", "market": "US"});
    let enrolled = measure.operator("enrol", (2, THREE_ITEMS), Call::post("/v1/partners", &body), 201).await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let partner_id = text(&enrolled["partner"]["partner_id"]);
    let body = json!({"principal": {"kind": "partner", "id": partner_id}, "roles": ["global_admin"], "name": "Back office key"});
    let issued = measure.operator("issue key", (2, TWO_ITEMS), Call::post("/v1/keys", &body), 201).await;
    Partner { partner_id, tenant_id, key: text(&issued["key"]), signing_secret: text(&enrolled["signing_secret"]) }
}

async fn by_link(measure: &mut Measure, partner: &Partner, customer: &Customer) {
    // A link cannot start again a relationship that has ended, so each run has another customer here.
    let new = measure.world.customer().await;
    let create = partner.create(&invitation(&new.tenant_id)).idempotency_key(measure.world.unique());
    let created = measure.run("create", (1, 8), create, 201).await;
    let (id, token) = link(&created);
    measure.run("preview", (2, NO_WRITE), preview(&id, &token), 200).await;
    let mut body = acceptance(Some("global_admin"));
    body["token"] = json!(token);
    let accept = Call::post(format!("/v1/invitations/{id}/accept"), &body);
    measure.run("accept by link", (2, 10), accept.clone(), 200).await;
    measure.run("accept again", (1, NO_WRITE), accept, 200).await;
    // The new customer's name gets into the cache.
    measure.world.send(&partner.call("GET", "/customers")).await.expect(200);
    measure.world.relate(partner, customer).await;

    let create = partner.create(&invitation(&customer.tenant_id)).idempotency_key(measure.world.unique());
    let created = measure.run("create, kind grant", (2, 16), create, 201).await;
    let (id, _) = link(&created);
    let accept = customer.call("POST", &format!("/invitations/{id}/accept")).json(&acceptance(None));
    measure.run("accept by key, kind grant", (2, 10), accept, 200).await;
    let narrow = customer.call("PATCH", &format!("/grants/{}", id.replace("inv_", "grt_")));
    let narrow = narrow.json(&json!({"ends_at": measure.world.now().plus_days(1)}));
    measure.run("narrow grant", (3, THREE_ITEMS), narrow, 200).await;
    let grant = customer.call("DELETE", &format!("/grants/{}", id.replace("inv_", "grt_")));
    measure.run("end grant", (3, THREE_ITEMS), grant, 200).await;
}

async fn closing(measure: &mut Measure, partner: &Partner, customer: &Customer) {
    for name in ["decline by key", "decline by link", "cancel"] {
        let create = partner.create(&invitation(&customer.tenant_id)).idempotency_key(measure.world.unique());
        let (id, token) = link(&measure.world.send(&create).await.expect(201));
        let reason = json!({"reason": "We already have everything that we need."});
        if name == "cancel" {
            let renewed = measure.run("renew", (2, 8), partner.renew(&id), 200).await;
            assert_ne!(link(&renewed).1, token);
        }
        let call = match name {
            "decline by key" => customer.decline(&id).json(&reason),
            "decline by link" => Call::post(
                format!("/v1/invitations/{id}/decline"),
                &json!({"token": token, "reason": reason["reason"]}),
            ),
            _ => partner.cancel(&id),
        };
        measure.run(name, (2, THREE_ITEMS), call, 200).await;
    }
}

fn subscription(id: &str, customer: &Customer) -> Value {
    json!({
        "subscription_id": id, "customer_tenant_id": customer.tenant_id, "service": "microsoft_365",
        "offer_id": "CFQ7TTC0LH18:0001", "quantity": 25, "billing_cycle": "monthly", "term": "P1Y",
        "friendly_name": "Everybody in Seattle",
    })
}

async fn selling(measure: &mut Measure, partner: &Partner, customer: &Customer) {
    let subscription = |id: String| subscription(&id, customer);
    let id = format!("7f0f5e0c-1111-4000-8000-{:0>12}", measure.world.unique().replace('-', "0"));
    measure.run("register", (1, 8), partner.register(&subscription(id.clone())), 201).await;
    let refused = measure.run("register again", (1, 8), partner.register(&subscription(id)), 200).await;
    assert_eq!(refused["subscription"]["partner_of_record"], partner.partner_id);
    let body = json!({
        "type": "subscription.register", "timestamp": "2026-11-22T12:00:00Z", "data": subscription(measure.world.unique()),
    });
    let (now, unique) = (measure.world.now().seconds(), measure.world.unique());
    let call = partner.webhook("/subscriptions", &unique, now, body.to_string().as_bytes());
    // The secret was rotated after this function cached the partner. The next call needs one more read, once.
    let stale = partner.webhook("/subscriptions", "stale", now, b"{}");
    measure.world.send(&stale).await;
    measure.run("register by webhook", (1, 8), call, 201).await;
    let body = json!({
        "type": "invitation.create", "timestamp": "2026-11-22T12:00:00Z",
        "data": invitation(&measure.world.customer().await.tenant_id),
    });
    let unique = measure.world.unique();
    let call = partner.webhook("/invitations", &unique, now, body.to_string().as_bytes());
    let stale = partner.webhook("/invitations", "stale", now, b"{}");
    measure.world.send(&stale).await;
    measure.run("create by webhook", (1, 8), call, 201).await;
}

/// With a partner and a customer of their own, because lists of so many events have several pages.
async fn selling_much(measure: &mut Measure) {
    let (partner, customer) = (measure.world.partner().await, measure.world.customer().await);
    measure.world.relate(&partner, &customer).await;
    let subscription = |id: String| subscription(&id, &customer);
    measure.world.send(&partner.register(&subscription(measure.world.unique()))).await.expect(201);
    let all: Vec<_> = (0..40).map(|_| subscription(format!("batch-{:0>30}", measure.world.unique()))).collect();
    measure.run("register a batch of 40", (1, BATCH), partner.register_batch(&all), 200).await;
    // What is registered already is left out, and the rest is sent again. The refused try costs as much as one that writes.
    let mixed = [all[0].clone(), subscription(measure.world.unique())];
    measure.run("register a batch, half of it again", (2, 20), partner.register_batch(&mixed), 200).await;
}

async fn reading(measure: &mut Measure, partner: &Partner, customer: &Customer) {
    let page = (1, NO_WRITE);
    measure.run("GET me", (0, NO_WRITE), Call::get("/v1/me").key(&partner.key), 200).await;
    let invitations = measure.run("GET partner's invitations", page, partner.call("GET", "/invitations"), 200).await;
    let one = format!("/invitations/{}", invitations["items"][0]["invitation_id"].as_str().expect("an id"));
    measure.run("GET partner's invitation", page, partner.call("GET", &one), 200).await;
    measure
        .run("GET partner's invitations, filtered", page, partner.call("GET", "/invitations?state=accepted"), 200)
        .await;
    measure.run("GET partner's customers", page, partner.call("GET", "/customers"), 200).await;
    // The states depend on the relationships, which a second call reads.
    let two = (2, NO_WRITE);
    let grants = measure.run("GET partner's grants", two, partner.call("GET", "/grants"), 200).await;
    let one = format!("/grants/{}", grants["items"][0]["grant_id"].as_str().expect("an id"));
    measure.run("GET partner's grants, filtered", two, partner.call("GET", "/grants?state=ended"), 200).await;
    measure.run("GET customer's grants", two, customer.call("GET", "/grants"), 200).await;
    measure.run("GET partner's grant", two, partner.call("GET", &one), 200).await;
    let sold = measure.run("GET partner's subscriptions", page, partner.call("GET", "/subscriptions"), 200).await;
    let one = format!("/subscriptions/{}", sold["items"][0]["subscription_id"].as_str().expect("an id"));
    measure.run("GET partner's subscription", page, partner.call("GET", &one), 200).await;
    measure.run("GET partner's events", page, partner.call("GET", "/events"), 200).await;
    measure.run("GET partner's events, subject", page, partner.call("GET", "/events?subject=x"), 200).await;
    measure.run("GET partner's events, feed", page, partner.call("GET", "/events?after="), 200).await;
    measure.run("GET customer's partners", page, customer.call("GET", "/partners"), 200).await;
    measure.run("GET customer's invitations", page, customer.call("GET", "/invitations"), 200).await;
    measure.run("GET customer's subscriptions", page, customer.call("GET", "/subscriptions"), 200).await;
    measure.run("GET customer's events", page, customer.call("GET", "/events"), 200).await;
    // One query per shard, all at once.
    let shards = (usize::from(SHARDS), NO_WRITE);
    measure.operator("GET all customers", shards, Call::get("/v1/customers"), 200).await;
    measure.operator("GET all partners", shards, Call::get("/v1/partners"), 200).await;
    measure.operator("GET all keys", shards, Call::get("/v1/keys"), 200).await;
    measure.operator("GET all events", shards, Call::get("/v1/events"), 200).await;
}

/// A whole sign-in. The provider keeps its documents for an hour, and the first run has read them.
async fn signing_in(measure: &mut Measure, customer: &Customer) {
    let base = measure.world.base_url().to_owned();
    let page = |call| own_page(call, &base);
    let none = (0, NO_WRITE);
    measure.run("me, without key and session", none, Call::get("/v1/me"), 401).await;
    let body = json!({"tenant_id": customer.tenant_id, "cloud": "public"});
    let began = measure.send("start to sign in", none, page(Call::post("/v1/sign-in", &body)), 200).await;
    let url = began.json()["authorize_url"].as_str().expect("an address").to_owned();
    let redirect = Redirect::parse(&measure.provider.sign_in(&url, "global_administrator").expect("a redirect"));
    let finish = page(Call::post("/v1/sessions", &redirect.body("public"))).header("cookie", cookie(&began));
    let created = measure.send("finish signing in", (2, 2), finish, 201).await;
    let session = cookie(&created);
    let me = || page(Call::get("/v1/me")).header("cookie", session.as_str());
    measure.run("me, with a new session", (2, NO_WRITE), me(), 200).await;
    measure.run("me, with a session", none, me(), 200).await;
    let path = format!("/v1/customers/{}/partners", customer.tenant_id);
    measure
        .run(
            "customer's partners, with a session",
            (2, NO_WRITE),
            page(Call::get(path)).header("cookie", session.as_str()),
            200,
        )
        .await;
    let out = page(Call::delete("/v1/sessions/current")).header("cookie", session.as_str());
    measure.run("sign out", (2, 2), out, 200).await;
    let path = format!("/v1/customers/{}/sessions", customer.tenant_id);
    measure.operator("end a customer's sessions", (2, TWO_ITEMS), Call::delete(path), 200).await;
}

/// The first cookie that a response sets, as a browser sends it.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned()
}

async fn ending(measure: &mut Measure, partner: &Partner, customer: &Customer) {
    measure.run("end relationship", (2, TWO_ITEMS), partner.end(customer), 200).await;
    measure.run("end relationship again", (1, NO_WRITE), customer.end(partner), 200).await;
}

/// Returns the new signing secret.
async fn administering(measure: &mut Measure, partner: &Partner, customer: &Customer) -> String {
    let two = (2, TWO_ITEMS);
    let path = |rest: &str| format!("/v1/partners/{}{rest}", partner.partner_id);
    let name = json!({"name": format!("Northwind Traders {}", measure.world.unique())});
    measure.operator("rename partner", two, Call::new("PATCH", path("")).json(&name), 200).await;
    let call = Call::new("PATCH", format!("/v1/customers/{}", customer.tenant_id)).json(&name);
    measure.operator("rename customer", two, call, 200).await;
    let new = measure.world.customer().await;
    let body = json!({"since": "2020-02-29T12:00:00Z", "external_reference": "4711"});
    let import = measure.world.import_with(partner, &new, &body);
    measure.run("import relationship", (2, 8), import.clone(), 201).await;
    measure.run("import relationship again", (1, NO_WRITE), import, 200).await;
    let create = partner.create(&invitation(&new.tenant_id)).idempotency_key(measure.world.unique());
    let (id, _) = link(&measure.world.send(&create).await.expect(201));
    let erase = measure.world.erase(&id);
    measure.run("erase invitation", (2, TWO_ITEMS), erase.clone(), 200).await;
    measure.run("erase invitation again", (1, NO_WRITE), erase, 200).await;
    measure.operator("suspend", two, Call::new("POST", path("/suspend")), 200).await;
    measure.operator("resume", two, Call::new("POST", path("/resume")), 200).await;
    // Without a grace period, the next rotation does not have to wait and reads the new secret.
    let rotate = Call::post(path("/signing-secret/rotate"), &json!({"grace_hours": 0}));
    let rotated = measure.operator("rotate secret", two, rotate, 200).await;
    let key = measure.world.issue_key(json!({"kind": "partner", "id": partner.partner_id}), &["sales_agent"]).await;
    let me = measure.world.send(&Call::get("/v1/me").key(&key)).await.expect(200);
    let key_id = me["key_id"].as_str().expect("an id");
    measure.operator("revoke key", two, Call::delete(format!("/v1/keys/{key_id}")), 200).await;
    rotated["signing_secret"].as_str().expect("a secret").to_owned()
}

/// Requests to the provider: for its description, its keys, and the token.
fn requests(provider: &IdentityProvider) -> [usize; 3] {
    [Endpoint::Discovery, Endpoint::Keys, Endpoint::Token].map(|endpoint| provider.requests(endpoint))
}

#[tokio::test]
async fn a_whole_sign_in_needs_three_requests_to_the_provider_and_later_one() {
    let Some(mut measure) = Measure::start().await else { return };
    let customer = register_customer(&mut measure).await;
    let base = measure.world.base_url().to_owned();
    for (which, expected) in [("first", [1, 1, 1]), ("second", [0, 0, 1]), ("third", [0, 0, 1])] {
        let before = requests(&measure.provider);
        measure.meter.take();
        let began_at = Instant::now();
        let body = json!({"tenant_id": customer.tenant_id, "cloud": "public"});
        let began = measure.world.send(&own_page(Call::post("/v1/sign-in", &body), &base)).await;
        let url = began.expect(200)["authorize_url"].as_str().expect("an address").to_owned();
        let redirect = Redirect::parse(&measure.provider.sign_in(&url, "global_administrator").expect("a redirect"));
        let finish = own_page(Call::post("/v1/sessions", &redirect.body("public")), &base);
        measure.world.send(&finish.header("cookie", cookie(&began))).await.expect(201);
        let took = began_at.elapsed();
        let table: Vec<String> = measure.meter.take().into_iter().map(|asked| asked.operation).collect();
        let after = requests(&measure.provider);
        let made = [0, 1, 2].map(|at| after[at] - before[at]);
        println!("{which} sign-in: {took:?}; provider: {made:?} (description, keys, token); table: {table:?}");
        assert_eq!(made, expected, "{which}");
        assert_eq!(table, ["GetItem", "TransactWriteItems"], "{which}: the tenant, and the session");
    }
}

#[tokio::test]
async fn warm_commands_and_reads_stay_within_their_costs() {
    let Some(mut measure) = Measure::start().await else { return };
    let (mut partner, customer) = (enrol(&mut measure).await, register_customer(&mut measure).await);
    partner.signing_secret = story(&mut measure, &partner, &customer).await;
    measure.rows.clear();
    story(&mut measure, &partner, &customer).await;
    println!(
        "{:<36} {:>5} {:>3} {:>7} {:>8} {:>3}  requests; sizes of items",
        "", "trips", "bar", "engine", "computed", "bar"
    );
    for row in &measure.rows {
        let sizes: Vec<_> = row.sizes.iter().map(|(what, size)| format!("{what} {size}")).collect();
        let (trips, (most_trips, most_units)) = (row.trips.len(), row.bar);
        println!(
            "{:<36} {trips:>5} {most_trips:>3} {:>7} {:>8} {most_units:>3}  {}; {}",
            row.name,
            row.counted,
            row.computed,
            row.trips.join(" "),
            sizes.join(", "),
        );
    }
    for row in &measure.rows {
        assert!(row.trips.len() <= row.bar.0, "{}: {:?}", row.name, row.trips);
        let within = row.computed <= row.bar.1 && row.counted <= row.bar.1 as f64;
        assert!(within, "{}: {} units ({} computed), {:?}", row.name, row.counted, row.computed, row.sizes);
    }
}

/// The first requests of a function find nothing in its caches. Key and partner are one read.
#[tokio::test]
async fn the_first_command_after_a_start_makes_two_calls() {
    let Some(mut measure) = Measure::start().await else { return };
    let (partner, customer) = (measure.world.partner().await, measure.world.customer().await);
    measure.world.relate(&partner, &customer).await;
    measure.forget();
    let subscription = subscription(&measure.world.unique(), &customer);
    measure.run("register", (2, 8), partner.register(&subscription), 201).await;
    measure.forget();
    let create = partner.call("POST", "/invitations").json(&invitation(&measure.world.customer().await.tenant_id));
    let create = create.idempotency_key(measure.world.unique());
    measure.run("create", (2, 8), create, 201).await;
    for row in measure.rows {
        assert_eq!(row.trips, ["BatchGetItem", "TransactWriteItems"], "{}", row.name);
    }
}

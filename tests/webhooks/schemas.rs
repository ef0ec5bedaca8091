//! The schemas in `docs/events` describe exactly the messages that are sent. A scenario causes every event type, and the
//! messages to endpoints of a partner and of customers are compared with the schemas.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{ActorKind, BillingCycle, Cloud, Event, EventType, GrantId, PartnerStatus, Role, Term};
use jsonschema::{Registry, Validator};
use platform::clock::Clock;
use platform::deadline::Deadline;
use platform::handler::views::event_message;
use platform::store::{List, OpContext, PageRequest};
use serde_json::{Map, Value, json};
use tests::parties::{accept_by_link, asking, link, registration};
use tests::{Call, Customer, Partner, Receiver, Reply};
use tokio::sync::OnceCell;

use crate::common::Stage;

/// Types of messages that are not events.
const OTHERS: [&str; 2] = ["endpoint.challenge", "endpoint.test"];
/// Types that are never sent: their event is the first of its owner, which can't have an endpoint yet.
const NEVER_SENT: [&str; 1] = ["customer.registered"];
/// Replaces local receivers' addresses in examples.
const PUBLIC_ADDRESS: &str = "https://hooks.contoso.example/multipartner";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

// The scenario.

/// The result of the scenario.
struct Played {
    /// Every message that was received, sorted by time.
    arrived: Vec<Value>,
    /// The message of every event, received or not, in the same order.
    events: Vec<Value>,
    /// Types, each with the kinds of owners whose endpoints received it.
    heard: BTreeSet<(String, &'static str)>,
}

impl Played {
    /// The messages of a type, as received, or as stored if they are never sent.
    fn of_type(&self, kind: &str) -> Vec<&Value> {
        let from = if NEVER_SENT.contains(&kind) { &self.events } else { &self.arrived };
        from.iter().filter(|message| message["type"] == kind).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.arrived.iter().chain(&self.events)
    }
}

/// The scenario, which runs once for all tests.
async fn played() -> &'static Played {
    static PLAYED: OnceCell<Played> = OnceCell::const_new();
    PLAYED.get_or_init(play).await
}

async fn play() -> Played {
    let mut story = Story { stage: Stage::start().await, receivers: Vec::new() };
    let partner = story.stage.partner.clone();
    let customer = story.customer().await;
    story.endpoints(&Who::Partner(partner.clone())).await;
    story.endpoints(&Who::Customer(customer.clone())).await;
    story.corrections(&partner).await;
    story.invitations(&partner, &customer).await;
    story.grants(&partner, &customer).await;
    story.signed_in(&partner).await;
    story.operators(&partner, &customer).await;
    story.endpoints_that_fail(&partner).await;
    story.end().await
}

/// The owner of endpoints.
enum Who {
    Partner(Partner),
    Customer(Customer),
}

impl Who {
    fn name(&self) -> &'static str {
        match self {
            Self::Partner(_) => "partner",
            Self::Customer(_) => "customer",
        }
    }

    fn call(&self, method: &str, path: &str) -> Call {
        match self {
            Self::Partner(partner) => partner.call(method, path),
            Self::Customer(customer) => customer.call(method, path),
        }
    }
}

struct Story {
    stage: Stage,
    /// Receivers with the kind of their endpoint's owner.
    receivers: Vec<(&'static str, Receiver)>,
}

impl Story {
    /// Sends a call a millisecond after the previous one, and delivers its messages.
    async fn act(&self, call: Call) -> Value {
        self.stage.clock().advance_millis(1);
        let answer = self.stage.ask(call).await;
        assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
        self.stage.settle().await;
        answer.json()
    }

    async fn operator(&self, call: Call) -> Value {
        self.act(call.key(self.stage.world.operator_key())).await
    }

    /// Lets time pass, and delivers what became due.
    async fn wait(&self, ms: i64) {
        self.stage.settle_for(ms).await;
        let local = self.stage.world.here().expect("here").0;
        local::jobs::run_expire_due(local).await.expect("a report");
        self.stage.settle().await;
    }

    /// Creates a customer with an endpoint for all event types.
    async fn customer(&mut self) -> Customer {
        self.stage.clock().advance_millis(1);
        let customer = self.stage.world.customer().await;
        self.stage.clock().advance_millis(1);
        self.endpoint(&Who::Customer(customer.clone()), json!({})).await;
        customer
    }

    /// Creates an endpoint. Returns the index of its receiver, and its id.
    async fn endpoint(&mut self, who: &Who, mut body: Value) -> (usize, String) {
        let receiver = Receiver::start().await;
        body["url"] = json!(receiver.url());
        self.receivers.push((who.name(), receiver));
        // An endpoint also gets events from shortly before its creation.
        self.stage.clock().advance_millis(20_000);
        let created = self.act(who.call("POST", "/endpoints").json(&body)).await;
        (self.receivers.len() - 1, text(&created["endpoint"]["endpoint_id"]))
    }

    /// Everything that can happen to an endpoint. Another endpoint of the same owner receives the events.
    async fn endpoints(&mut self, who: &Who) {
        if matches!(who, Who::Partner(_)) {
            self.endpoint(who, json!({})).await;
        }
        let filter = json!({"event_types": ["invitation.accepted", "relationship.ended"], "description": "CRM"});
        let (at, id) = self.endpoint(who, filter).await;
        let path = |rest: &str| format!("/endpoints/{id}{rest}");
        let test = || who.call("POST", &path("/test"));
        self.act(test()).await;
        let elsewhere = Receiver::start().await;
        for change in [
            json!({"url": elsewhere.url(), "event_types": null, "description": "The new CRM"}),
            json!({"event_types": ["invitation.accepted"], "description": null}),
            json!({"state": "disabled"}),
            json!({"state": "active", "url": self.receivers[at].1.url()}),
        ] {
            self.act(who.call("PATCH", &path("")).json(&change)).await;
        }
        self.receivers.push((who.name(), elsewhere));
        self.act(who.call("POST", &path("/rotate")).json(&json!({"grace_hours": 1}))).await;
        self.receivers[at].1.answer(|_, _| Reply::status(410));
        self.act(test()).await;
        self.receivers[at].1.answer(|_, _| Reply::status(204));
        self.act(who.call("PATCH", &path("")).json(&json!({"state": "active"}))).await;
        self.receivers[at].1.answer(|_, _| Reply::status(500).header("webhook-delivery", "disable"));
        self.act(test()).await;
        self.act(who.call("DELETE", &path(""))).await;
    }

    /// Endpoints that are disabled after days: one that starts to fail, and one that never answered.
    async fn endpoints_that_fail(&mut self, partner: &Partner) {
        let who = Who::Partner(partner.clone());
        let (stops, _) = self.endpoint(&who, json!({"event_types": ["partner.updated"]})).await;
        self.receivers[stops].1.answer(|_, _| Reply::status(500));
        let silent = Receiver::start().await;
        silent.answer(|_, _| Reply::status(404));
        // No event of this type happens, because waiting deliveries would be checked every quarter of an hour.
        let body = json!({"url": silent.url(), "event_types": ["invitation.created"]});
        self.receivers.push((who.name(), silent));
        // An endpoint also gets events from shortly before its creation.
        self.stage.clock().advance_millis(20_000);
        self.act(who.call("POST", "/endpoints").json(&body)).await;
        for day in 0..6 {
            self.rename(&format!("/v1/partners/{}", partner.partner_id), &format!("Northwind {day}")).await;
            self.wait(DAY).await;
        }
    }

    /// Invites by key. Returns the invitation's id and its link's token.
    async fn invite(&self, partner: &Partner, customer: &Customer, admin: Value, days: u32) -> (String, String) {
        let tenant = &customer.tenant_id;
        let body = json!({"customer_tenant_id": tenant, "delegated_admin": admin, "expires_in_days": days});
        let key = self.stage.world.unique();
        link(&self.act(partner.create(&body).idempotency_key(key)).await)
    }

    /// Corrections that are possible only before the first invitation.
    async fn corrections(&mut self, partner: &Partner) {
        let customer = self.customer().await;
        let path = format!("/v1/customers/{}", customer.tenant_id);
        let correction = json!({"domain": "contoso.example", "market": "FR", "cloud": "us_gov"});
        self.operator(Call::new("PATCH", path.as_str()).json(&correction)).await;
        self.operator(Call::new("PATCH", path).json(&json!({"domain": null}))).await;
        let path = format!("/v1/partners/{}", partner.partner_id);
        for correction in
            [json!({"domain": "northwind.example", "market": "FR"}), json!({"domain": null, "market": "US"})]
        {
            self.operator(Call::new("PATCH", path.as_str()).json(&correction)).await;
        }
        self.stage.world.forget().await;
    }

    /// Every answer to an invitation, and a subscription.
    async fn invitations(&mut self, partner: &Partner, customer: &Customer) {
        let asked = asking(&["directory_readers", "global_reader"], "P90D");
        let (id, _) = self.invite(partner, customer, asked, 30).await;
        let (_, token) = link(&self.act(partner.renew(&id)).await);
        let narrowed = asking(&["global_reader"], "P30D");
        self.act(accept_by_link(&id, &token, &narrowed)).await;
        self.act(partner.register(&registration("azure-0001", customer))).await;
        let body = json!({"type": "subscription.register", "timestamp": "2026-11-22T12:00:00Z",
            "data": registration("azure-0002", customer)});
        self.webhook(partner, "/subscriptions", &body).await;

        let other = self.customer().await;
        let body = json!({"type": "invitation.create", "timestamp": "2026-11-22T12:00:00Z",
            "data": {"customer_tenant_id": other.tenant_id, "delegated_admin": null}});
        let (id, token) = link(&self.webhook(partner, "/invitations", &body).await);
        let no = json!({"token": token, "reason": "We have all that we need."});
        self.act(Call::post(format!("/v1/invitations/{id}/decline"), &no)).await;
        let (id, _) = self.invite(partner, &other, Value::Null, 30).await;
        self.act(other.decline(&id)).await;
        let (id, _) = self.invite(partner, &other, Value::Null, 30).await;
        self.act(partner.renew(&id).json(&json!({"message": "Please have another look."}))).await;
        self.act(partner.cancel(&id)).await;
        self.invite(partner, &other, Value::Null, 1).await;
        self.wait(DAY).await;
        let (id, _) = self.invite(partner, &other, Value::Null, 30).await;
        self.act(other.accept(&id, &Value::Null)).await;
        self.act(other.end(partner)).await;
    }

    /// Sends a signed webhook.
    async fn webhook(&self, partner: &Partner, path: &str, body: &Value) -> Value {
        let now = self.stage.clock().now().seconds();
        self.act(partner.webhook(path, &self.stage.world.unique(), now, body.to_string().as_bytes())).await
    }

    /// Grants that end in every way within one relationship, which then ends.
    async fn grants(&mut self, partner: &Partner, customer: &Customer) {
        for side in [Who::Partner(partner.clone()), Who::Customer(customer.clone())] {
            let grant = self.granted(partner, customer, "P40D", false).await;
            let narrower = json!({"ends_at": self.stage.clock().now().plus_days(20)});
            self.act(side.call("PATCH", &format!("/grants/{grant}")).json(&narrower)).await;
            self.act(side.call("DELETE", &format!("/grants/{grant}"))).await;
        }
        self.granted(partner, customer, "P40D", false).await;
        self.granted(partner, customer, "P10D", true).await;
        for days in [10, 23, 6, 1] {
            self.wait(days * DAY).await;
        }
        self.invite(partner, customer, asking(&["global_reader"], "P10D"), 30).await;
        self.act(partner.end(customer)).await;
    }

    /// What a customer's administrator who signed in can cause.
    async fn signed_in(&mut self, partner: &Partner) {
        let customer = self.customer().await;
        let browser = self.stage.world.signed_in(&customer).await.expect("a session");
        let receiver = Receiver::start().await;
        let created = self.act(browser.call("POST", "/endpoints").json(&json!({"url": receiver.url()}))).await;
        self.receivers.push(("customer", receiver));
        let path = format!("/endpoints/{}", text(&created["endpoint"]["endpoint_id"]));
        self.act(browser.call("PATCH", &path).json(&json!({"description": "CRM"}))).await;
        self.act(browser.call("DELETE", &path)).await;
        let (declined, _) = self.invite(partner, &customer, Value::Null, 30).await;
        self.act(browser.call("POST", &format!("/invitations/{declined}/decline"))).await;
        let (id, _) = self.invite(partner, &customer, asking(&["global_reader"], "P40D"), 30).await;
        let mut accept = customer.accept(&id, &json!("as_requested"));
        accept.headers.retain(|(name, _)| name != "authorization");
        let accepted = self.act(browser.send(accept)).await;
        let grant = format!("/grants/{}", text(&accepted["grant"]["grant_id"]));
        let narrower = json!({"ends_at": self.stage.clock().now().plus_days(20)});
        self.act(browser.call("PATCH", &grant).json(&narrower)).await;
        self.act(browser.call("DELETE", &grant)).await;
        self.act(browser.call("DELETE", &format!("/partners/{}", partner.partner_id))).await;
        self.operator(Call::delete(format!("/v1/customers/{}/sessions", customer.tenant_id))).await;
    }

    /// Gives the partner another grant. Returns its id.
    async fn granted(&self, partner: &Partner, customer: &Customer, duration: &str, extends: bool) -> String {
        let mut asked = asking(&["global_reader"], duration);
        asked["auto_extend"] = json!(extends);
        let (id, token) = self.invite(partner, customer, asked, 30).await;
        let accepted = self.act(accept_by_link(&id, &token, &json!("as_requested"))).await;
        text(&accepted["grant"]["grant_id"])
    }

    async fn rename(&self, path: &str, name: &str) {
        self.operator(Call::new("PATCH", path).json(&json!({"name": name}))).await;
    }

    /// The operator's commands for a partner and a customer, and a customer that becomes a partner.
    async fn operators(&mut self, partner: &Partner, customer: &Customer) {
        let of_partner = format!("/v1/partners/{}", partner.partner_id);
        self.rename(&of_partner, "Northwind Traders").await;
        self.rename(&format!("/v1/customers/{}", customer.tenant_id), "Contoso Group").await;
        for act in ["suspend", "resume"] {
            self.operator(Call::new("POST", format!("{of_partner}/{act}"))).await;
            self.stage.world.forget().await;
        }
        let rotate = Call::post(format!("{of_partner}/signing-secret/rotate"), &json!({"grace_hours": 24}));
        self.operator(rotate).await;
        for (principal, roles) in [
            (json!({"kind": "partner", "id": partner.partner_id}), json!(["global_admin", "sales_agent"])),
            (json!({"kind": "customer", "id": customer.tenant_id}), json!(["global_admin"])),
            (json!({"kind": "operator"}), json!([])),
        ] {
            let mut body = json!({"principal": principal, "roles": roles, "name": "CRM"});
            if principal["kind"] == "partner" {
                body["expires_at"] = json!(self.stage.clock().now().plus_days(365));
            }
            let issued = self.operator(Call::post("/v1/keys", &body)).await;
            self.operator(Call::delete(format!("/v1/keys/{}", text(&issued["key_id"])))).await;
        }
        let seller = self.customer().await;
        let body = json!({"tenant_id": seller.tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
        self.operator(Call::post("/v1/partners", &body)).await;
    }

    async fn end(self) -> Played {
        let sent: BTreeMap<String, Vec<u8>> = self.messages().await;
        let mut messages = Vec::new();
        let mut heard = BTreeSet::new();
        for (owner, receiver) in &self.receivers {
            for one in receiver.arrived() {
                let is_event = !OTHERS.contains(&one.kind().as_str());
                assert_eq!(sent.get(&one.id), is_event.then_some(&one.body), "a message is its event's");
                heard.insert((one.kind(), *owner));
                messages.push(one.json());
            }
        }
        let parse = |bytes: &Vec<u8>| serde_json::from_slice(bytes).expect("JSON");
        Played { arrived: in_order(messages), events: in_order(sent.values().map(parse).collect()), heard }
    }

    /// The message of every event in the table, by the event's id.
    async fn messages(&self) -> BTreeMap<String, Vec<u8>> {
        let app = self.stage.world.here().expect("here").0.app();
        let deadline = Deadline::within(Duration::from_secs(60));
        let attempt = OpContext { occurred_at: self.stage.clock().now(), deadline };
        let mut request = PageRequest { limit: 100, cursor: None, caller: "test".into() };
        let mut messages = BTreeMap::new();
        loop {
            let page = app.store.events(attempt, &List::Operator, &request, None).await.expect("a page");
            messages.extend(
                page.items
                    .iter()
                    .map(|event: &Event| (event.event_id().to_string(), event_message(event).expect("JSON"))),
            );
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                return messages;
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// Sorts by time, and within one millisecond in a stable order.
fn in_order(mut messages: Vec<Value>) -> Vec<Value> {
    messages.sort_by_cached_key(|message| (text(&message["timestamp"]), message.to_string()));
    messages
}

// The schemas.

/// The base URL of the files, which refer to each other by name.
const BASE: &str = "https://schemas.multipartner.example/";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events")
}

/// A place in a schema file: its name and a JSON pointer.
type Place = (String, String);

struct Schemas {
    files: BTreeMap<String, Value>,
    registry: Registry<'static>,
    validators: RefCell<HashMap<Place, Validator>>,
}

impl Schemas {
    fn load() -> Self {
        let mut files = BTreeMap::new();
        let mut registry = Registry::new();
        for entry in fs::read_dir(folder()).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
                let schema: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
                registry = registry.add(format!("{BASE}{name}"), schema.clone()).expect("a schema");
                files.insert(name, schema);
            }
        }
        let registry = registry.prepare().expect("valid references");
        Self { files, registry, validators: RefCell::default() }
    }

    fn types(&self) -> BTreeSet<&str> {
        self.files.keys().filter_map(|name| name.strip_suffix(".json")).filter(|name| *name != "common").collect()
    }

    fn at(&self, (file, pointer): &Place) -> &Value {
        self.files[file].pointer(pointer).unwrap_or_else(|| panic!("{file} has no {pointer}"))
    }

    /// The validation errors of a value for the schema at a place.
    fn faults(&self, place: &Place, value: &Value) -> Vec<String> {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(place.clone()).or_insert_with(|| {
            let schema = json!({"$ref": format!("{BASE}{}#{}", place.0, place.1)});
            jsonschema::options().with_registry(&self.registry).build(&schema).expect("a schema")
        });
        validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
    }

    fn fits(&self, kind: &str, message: &Value) -> bool {
        self.faults(&root(kind), message).is_empty()
    }

    /// Every schema that applies to a value, given some that do: referenced schemas, and matching alternatives. Notes the
    /// alternatives and which of them matched.
    fn applying(&self, places: &[Place], value: &Value, found: &mut Found) -> Vec<Place> {
        let mut all = Vec::new();
        let mut open = places.to_vec();
        while let Some(place) = open.pop() {
            let schema = self.at(&place);
            if let Some(target) = schema["$ref"].as_str() {
                let (file, pointer) = target.split_once('#').expect("a pointer");
                let file = if file.is_empty() { &place.0 } else { file };
                open.push((file.to_owned(), pointer.to_owned()));
            }
            for number in 0..schema["oneOf"].as_array().map_or(0, Vec::len) {
                let branch = (place.0.clone(), format!("{}/oneOf/{number}", place.1));
                let fits = self.faults(&branch, value).is_empty();
                *found.branches.entry(branch.clone()).or_default() |= fits;
                open.extend(fits.then_some(branch));
            }
            all.push(place);
        }
        all
    }
}

fn root(kind: &str) -> Place {
    (format!("{kind}.json"), String::new())
}

/// What a type's schema describes, and how much of it occurred in messages.
#[derive(Default)]
struct Found {
    /// Described members, by their paths.
    members: BTreeMap<String, Met>,
    /// Alternatives, and whether a message matched them.
    branches: BTreeMap<Place, bool>,
    /// Members without a description.
    undescribed: BTreeSet<String>,
}

#[derive(Default)]
struct Met {
    there: bool,
    missing: bool,
    required: bool,
}

impl Found {
    /// Compares a value with the schemas that apply to it.
    fn read(&mut self, schemas: &Schemas, path: &str, places: &[Place], value: &Value) {
        let places = schemas.applying(places, value, self);
        match value {
            Value::Object(members) => self.read_members(schemas, path, &places, members),
            Value::Array(items) => {
                let within = below(schemas, &places, "items");
                items.iter().for_each(|item| self.read(schemas, &format!("{path}[]"), &within, item));
            }
            _ => {}
        }
    }

    fn read_members(&mut self, schemas: &Schemas, path: &str, places: &[Place], members: &Map<String, Value>) {
        let mut described: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
        for place in below(schemas, places, "properties") {
            for name in schemas.at(&place).as_object().expect("members").keys() {
                described.entry(name).or_default().push((place.0.clone(), format!("{}/{name}", place.1)));
            }
        }
        let required: BTreeSet<&str> = places
            .iter()
            .filter_map(|place| schemas.at(place)["required"].as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for name in described.keys() {
            let met = self.members.entry(format!("{path}/{name}")).or_default();
            met.there |= members.contains_key(*name);
            met.missing |= !members.contains_key(*name);
            met.required |= required.contains(name);
        }
        for (name, value) in members {
            let path = format!("{path}/{name}");
            match described.get(name.as_str()) {
                Some(places) => self.read(schemas, &path, places, value),
                None => drop(self.undescribed.insert(path)),
            }
        }
    }

    /// What is described and never occurred, and what occurred and is not described.
    fn complaints(&self) -> Vec<String> {
        let undescribed = self.undescribed.iter().map(|path| format!("{path} is not described"));
        let never = self.members.iter().filter(|(_, met)| !met.there);
        let never = never.map(|(path, _)| format!("{path} is described and never occurs"));
        let always = self.members.iter().filter(|(_, met)| met.there && !met.missing && !met.required);
        let always = always.map(|(path, _)| format!("{path} always occurs and should be required"));
        let untaken = self.branches.iter().filter(|(_, taken)| !**taken);
        let untaken = untaken.map(|((file, pointer), _)| format!("no message matches {file}#{pointer}"));
        undescribed.chain(never).chain(always).chain(untaken).collect()
    }
}

/// The schemas under a keyword, if there is one.
fn below(schemas: &Schemas, places: &[Place], keyword: &str) -> Vec<Place> {
    let having = places.iter().filter(|place| schemas.at(place).get(keyword).is_some());
    having.map(|(file, pointer)| (file.clone(), format!("{pointer}/{keyword}"))).collect()
}

fn types() -> BTreeSet<&'static str> {
    EventType::ALL.iter().map(|event_type| event_type.as_str()).chain(OTHERS).collect()
}

#[test]
fn types_and_schemas_correspond() {
    let schemas = Schemas::load();
    assert_eq!(schemas.types(), types());
    for (name, schema) in &schemas.files {
        jsonschema::meta::validate(schema).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert!(schema["description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}");
        assert_eq!(schema["title"] == name.trim_end_matches(".json"), name != "common.json", "{name}");
    }
}

#[tokio::test]
async fn a_message_of_every_type_arrives() {
    let played = played().await;
    let arrived: BTreeSet<&str> = played.arrived.iter().filter_map(|message| message["type"].as_str()).collect();
    let expected: BTreeSet<&str> = types().into_iter().filter(|kind| !NEVER_SENT.contains(kind)).collect();
    assert_eq!(arrived, expected);
    assert!(NEVER_SENT.iter().all(|kind| !played.of_type(kind).is_empty()), "the feeds have these types");
}

#[tokio::test]
async fn every_message_is_valid_against_its_schema() {
    let schemas = Schemas::load();
    for message in played().await.all() {
        let faults = schemas.faults(&root(&text(&message["type"])), message);
        assert!(faults.is_empty(), "{faults:#?}\n{message:#}");
    }
}

/// The schemas allow additional properties, so a validator accepts undescribed members.
#[tokio::test]
async fn schemas_describe_exactly_the_members_that_occur() {
    let (schemas, played) = (Schemas::load(), played().await);
    let mut complaints = Vec::new();
    for kind in types() {
        let mut found = Found::default();
        for message in played.all().filter(|message| message["type"] == kind) {
            found.read(&schemas, "", &[root(kind)], message);
        }
        complaints.extend(found.complaints().into_iter().map(|complaint| format!("{kind}: {complaint}")));
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// The message with an invalid value in each place, one at a time.
fn invalid(message: &Value) -> Vec<Value> {
    let mut pointers = vec![String::new()];
    let mut leaves = Vec::new();
    while let Some(pointer) = pointers.pop() {
        match message.pointer(&pointer) {
            Some(Value::Object(members)) => pointers.extend(members.keys().map(|name| format!("{pointer}/{name}"))),
            _ => leaves.push(pointer),
        }
    }
    let spoil = |pointer: &String| {
        let mut spoilt = message.clone();
        *spoilt.pointer_mut(pointer).expect("a place") = json!(0.5);
        spoilt
    };
    leaves.iter().map(spoil).collect()
}

#[tokio::test]
async fn schemas_reject_invalid_values_and_accept_additional_members() {
    let (schemas, played) = (Schemas::load(), played().await);
    for kind in types() {
        let message = played.of_type(kind)[0];
        for spoilt in invalid(message) {
            assert!(!schemas.fits(kind, &spoilt), "{spoilt:#}");
        }
        let mut more = message.clone();
        for pointer in ["", "/data"] {
            more.pointer_mut(pointer).expect("a place")["added_later"] = json!({"x": 1});
        }
        assert!(schemas.fits(kind, &more), "an additional member is rejected: {more:#}");
    }
}

// Examples.

/// A message with a public address, as a deployment sends it.
fn published(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(url) = message.pointer_mut("/data/data/url") {
        *url = json!(PUBLIC_ADDRESS);
    }
    message
}

/// The file's text with this example. `examples` is the last member.
fn with_example(text: &str, example: &Value) -> String {
    let (schema, _) = text.split_once("\n  \"examples\":").expect("examples");
    let examples = serde_json::to_string_pretty(&json!([example])).expect("JSON").replace('\n', "\n  ");
    format!("{schema}\n  \"examples\": {examples}\n}}\n")
}

/// A message without ids, times and hashes, which depend on all earlier random numbers.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(text) => json!(kind_of(text)),
        other => other.clone(),
    }
}

fn kind_of(text: &str) -> &str {
    let is_time = text.ends_with('Z') && text.len() == 24;
    let is_tenant = text.len() == 36 && text.matches('-').count() == 4;
    match text.split_once('_') {
        Some((prefix, tail)) if tail.len() == 26 => prefix,
        _ if is_time => "a time",
        _ if is_tenant => "a tenant",
        _ if text.len() == 22 && !text.contains([' ', '.']) => "a digest",
        _ => text,
    }
}

/// `WRITE_EXAMPLES=1 cargo test -p tests --test webhooks schemas` updates the examples.
#[tokio::test]
async fn examples_have_the_form_of_current_messages() {
    let played = played().await;
    let write = std::env::var_os("WRITE_EXAMPLES").is_some();
    for kind in types() {
        let example = published(played.of_type(kind)[0]);
        let path = folder().join(format!("{kind}.json"));
        if write {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, with_example(&text, &example)).unwrap();
        }
    }
    let schemas = Schemas::load();
    for kind in types() {
        let examples = schemas.files[&root(kind).0]["examples"].clone();
        let expected = json!([published(played.of_type(kind)[0])]);
        assert_eq!(shape(&examples), shape(&expected), "{kind}: update with WRITE_EXAMPLES=1");
        assert!(schemas.fits(kind, &examples[0]), "{kind}");
    }
}

#[test]
fn enums_in_schemas_have_the_values_of_the_code() {
    let schemas = Schemas::load();
    let words = |name: &str| schemas.files["common.json"]["$defs"][name]["enum"].clone();
    assert_eq!(words("event_type"), json!(EventType::ALL));
    assert_eq!(words("role"), json!(Role::ALL));
    assert_eq!(words("cloud"), json!(Cloud::ALL));
    assert_eq!(words("partner_status"), json!(PartnerStatus::ALL));
    assert_eq!(words("billing_cycle"), json!(BillingCycle::ALL));
    assert_eq!(words("term"), json!(Term::ALL));
    for kind in ActorKind::ALL {
        let actor = &schemas.files["common.json"]["$defs"][format!("by_{kind}")];
        assert_eq!(actor["properties"]["kind"]["const"], kind.as_str());
    }
}

/// An id is base32. Its last character has only three bits.
#[test]
fn id_patterns_in_schemas_match_the_code() {
    let schemas = Schemas::load();
    let grant_id = ("common.json".to_owned(), "/$defs/grant_id".to_owned());
    for last in "abcdefghijklmnopqrstuvwxyz234567".chars() {
        for text in
            [format!("grt_{}{last}", "a".repeat(25)), format!("grt_{}{last}", "a".repeat(24)), format!("{last}")]
        {
            assert_eq!(schemas.faults(&grant_id, &json!(text)).is_empty(), GrantId::parse(&text).is_some(), "{text}");
        }
    }
}

/// The members of an object of a schema as the table writes them, with a question mark after optional ones.
fn listed(schema: &Value, part: &str) -> String {
    let part = &schema["properties"]["data"]["properties"][part];
    let names = part["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
    let is_required = |name: &String| part["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
    let names: BTreeSet<String> =
        names.map(|name| if is_required(name) { format!("`{name}`") } else { format!("`{name}`?") }).collect();
    Vec::from_iter(names).join(", ")
}

/// The cells of the table's rows, by type. The first cell is empty.
fn rows() -> BTreeMap<String, Vec<String>> {
    let readme = fs::read_to_string(folder().join("README.md")).expect("a README");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = readme.lines().filter(|line| line.starts_with("| [`")).map(cells);
    let linked = |row: &Vec<String>| {
        let kind = row[1].split('`').nth(1).expect("a type").to_owned();
        assert_eq!(row[1], format!("[`{kind}`]({kind}.json)"));
        kind
    };
    rows.map(|row| (linked(&row), row)).collect()
}

#[test]
fn the_table_of_types_lists_every_type_and_its_members() {
    let (schemas, rows) = (Schemas::load(), rows());
    assert!(rows.keys().eq(types()), "{:?}", rows.keys());
    let sorted = |cell: &str| Vec::from_iter(cell.split(", ").collect::<BTreeSet<_>>()).join(", ");
    for event_type in EventType::ALL.iter().map(|event_type| event_type.as_str()) {
        let schema = &schemas.files[&root(event_type).0];
        let said = ["subject", "data"].map(|part| listed(schema, part));
        assert_eq!([4, 5].map(|at| sorted(&rows[event_type][at]).replace('–', "")), said, "{event_type}");
    }
}

#[tokio::test]
async fn the_table_of_types_lists_the_owners_that_get_each_type() {
    let (heard, rows) = (&played().await.heard, rows());
    for event_type in EventType::ALL.iter().map(|event_type| event_type.as_str()) {
        for owner in ["partner", "customer"] {
            let really = heard.contains(&(event_type.to_owned(), owner));
            assert_eq!(rows[event_type][3].contains(owner), really, "{event_type}: {owner}");
        }
    }
}

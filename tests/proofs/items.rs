//! A route that reads a damaged item returns 500, without a panic, a leak or a write. An item of newer code is skipped.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::parties::{acceptance, asking, preview, registration};
use tests::{Browser, Call, Customer, Partner, World};

type Item = BTreeMap<String, AttributeValue>;

/// A kind of item, with its optional and its unread attributes.
struct Kind {
    name: &'static str,
    /// The prefix of its partition key, and a part of its sort key.
    key: (&'static str, &'static str),
    /// Attributes that may be absent, but must not have another type.
    optional: &'static [&'static str],
    /// Attributes that no read uses.
    unread: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind { name: "tenant", key: ("TENANT#", ""), optional: &["domain", "csp_partner"], unread: &[] },
    Kind { name: "partner", key: ("PARTNER#", ""), optional: &[], unread: &[] },
    Kind { name: "key", key: ("KEY#", ""), optional: &["revoked_at"], unread: &[] },
    Kind {
        name: "session",
        key: ("SESSION#", ""),
        optional: &["name", "email", "sign_out_url", "ended"],
        unread: &["ttl"],
    },
    Kind {
        name: "relationship",
        key: ("CUSTOMER#", "PARTNER#"),
        // The period is required: without it, an active relationship would read as one that never started.
        optional: &["open_invitation", "open_until", "ended"],
        unread: &["invited_20261122", "renewed_20261122"],
    },
    Kind {
        name: "grant",
        key: ("CUSTOMER#", "#GRANT#"),
        optional: &["ended", "fixed_end", "roles_left"],
        unread: &["grant_state"],
    },
    Kind {
        name: "invitation",
        key: ("INVITATION#", ""),
        optional: &[
            "message",
            "contact_email",
            // Without it, the texts are no longer verified. Reads do not use it.
            "salt",
            "external_reference",
            "asked",
            "granted",
            "reason",
            "cancel_reason",
            "renewal",
            "period",
            "since",
        ],
        unread: &["expiry_announced"],
    },
    Kind {
        name: "subscription",
        key: ("SUBSCRIPTION#", ""),
        optional: &["external_reference", "friendly_name", "started_on"],
        unread: &["event_seq", "event_hash"],
    },
    Kind {
        name: "event",
        key: ("EVENTS#INVITATION#", ""),
        optional: &["invitation", "grant_id", "subscription", "key_id", "creates", "texts"],
        unread: &["event_hash"],
    },
    Kind {
        name: "endpoint",
        key: ("ENDPOINTS#", "ENDPOINT#"),
        optional: &["event_types", "description", "failing", "failed", "resends"],
        unread: &[],
    },
    Kind {
        name: "delivery",
        key: ("DELIVERY#", "ep_"),
        optional: &["next_at", "period", "last_status", "failure", "latency", "excerpt"],
        unread: &["ttl"],
    },
];

/// Keys of indexes are not read, and the table itself enforces their type.
const INDEXED: &[&str] = &["pk", "sk", "gsi1pk", "gsi2pk", "gsi3pk", "gsi3sk", "gsi4pk", "listed"];

/// A system with one item of each kind.
struct Stage {
    world: World,
    partner: Partner,
    customer: Customer,
    invitation: (String, String),
    subscription: Value,
    create: Call,
    key_id: String,
    endpoint: String,
    message: String,
    browser: Browser,
}

impl Stage {
    async fn set() -> Option<Self> {
        let world = World::with_clock().await?;
        let (partner, customer) = (world.partner().await, world.customer().await);
        let message = "A message of the partner";
        let body = json!({
            "customer_tenant_id": customer.tenant_id, "message": message, "expires_in_days": 90,
            "delegated_admin": asking(&["global_reader"], "P700D"),
        });
        let create = partner.create(&body).idempotency_key("first");
        let invitation = tests::parties::link(&world.send(&create).await.expect(201));
        let accept = acceptance(&invitation.1, &json!("as_requested"));
        world.send(&Call::post(format!("/v1/invitations/{}/accept", invitation.0), &accept)).await.expect(200);
        let mut subscription = registration("sold-1", &customer);
        subscription["friendly_name"] = json!("A friendly name");
        world.send(&partner.register(&subscription)).await.expect(201);
        let me = world.send(&Call::get("/v1/me").key(&partner.key)).await.expect(200);
        let key_id = me["key_id"].as_str().expect("an id").to_owned();
        let (endpoint, message) = Self::endpoint(&world, &partner).await;
        let browser = world.signed_in(&customer).await?;
        Some(Self { world, partner, customer, invitation, subscription, create, key_id, endpoint, message, browser })
    }

    /// Creates an endpoint. Returns its id, and the id of an event that waits for delivery to it.
    async fn endpoint(world: &World, partner: &Partner) -> (String, String) {
        let body = json!({
            "url": "https://hooks.example.com/in", "description": "CRM", "event_types": ["endpoint.created"],
        });
        let created = world.send(&partner.call("POST", "/endpoints").json(&body)).await.expect(201);
        let id = created["endpoint"]["endpoint_id"].as_str().expect("an id").to_owned();
        // This publishes events, but sends no message.
        world.here().expect("the local system").0.courier().publish().await.expect("events are published");
        let deliveries = partner.call("GET", &format!("/endpoints/{id}/deliveries"));
        let deliveries = world.send(&deliveries).await.expect(200);
        let event = deliveries["items"].as_array().expect("items").iter().find(|one| one["purpose"] == "event");
        (id, event.expect("a delivery")["event_id"].as_str().expect("an id").to_owned())
    }

    /// The calls that read an item of a kind.
    fn readers(&self, kind: &str) -> Vec<Call> {
        let (partner, customer) = (&self.partner, &self.customer);
        let operator = |call: Call| call.key(self.world.operator_key());
        let at_partner = |rest: &str| format!("/v1/partners/{}{rest}", partner.partner_id);
        let name = json!({"name": "Another name"});
        let (id, token) = &self.invitation;
        let grant = format!("/grants/{}", id.replace("inv_", "grt_"));
        let by_operator = |path: &str| operator(Call::get(path));
        match kind {
            "tenant" => vec![
                by_operator("/v1/customers"),
                operator(Call::new("PATCH", format!("/v1/customers/{}", customer.tenant_id)).json(&name)),
                operator(Call::get(at_partner("/customers"))),
            ],
            "partner" => vec![
                by_operator("/v1/partners"),
                partner.call("GET", "/invitations"),
                customer.call("GET", "/partners"),
                preview(id, token),
                operator(Call::new("PATCH", at_partner("")).json(&name)),
                operator(Call::new("POST", at_partner("/suspend"))),
                operator(Call::post(at_partner("/signing-secret/rotate"), &json!({"grace_hours": 1}))),
                partner.webhook("/subscriptions", "x", self.world.now().seconds(), b"{}"),
                self.create.clone(),
            ],
            "key" => vec![
                Call::get("/v1/me").key(&partner.key),
                by_operator("/v1/keys"),
                partner.register(&self.subscription),
                operator(Call::delete(format!("/v1/keys/{}", self.key_id))),
            ],
            "session" => vec![self.browser.send(Call::get("/v1/me")), self.browser.call("GET", "/partners")],
            "relationship" => vec![
                partner.call("GET", "/customers"),
                customer.call("GET", "/partners"),
                partner.end(customer),
                customer.end(partner),
            ],
            "grant" => vec![
                partner.call("GET", "/customers"),
                customer.call("GET", "/partners"),
                partner.call("DELETE", &grant),
                customer.call("DELETE", &grant),
                partner.end(customer),
            ],
            "invitation" => vec![
                partner.call("GET", "/invitations"),
                partner.call("GET", &format!("/invitations/{id}")),
                customer.call("GET", "/invitations"),
                preview(id, token),
                customer.accept(id, &json!("as_requested")),
                customer.decline(id),
                partner.cancel(id),
                partner.renew(id),
                customer.call("DELETE", &grant),
                self.create.clone(),
            ],
            "subscription" => vec![
                partner.call("GET", "/subscriptions"),
                partner.call("GET", "/subscriptions/sold-1"),
                customer.call("GET", "/subscriptions"),
                partner.register(&self.subscription),
            ],
            "event" => vec![
                partner.call("GET", "/events"),
                partner.call("GET", "/events?after="),
                customer.call("GET", "/events"),
                by_operator("/v1/events"),
                by_operator("/v1/events?after="),
            ],
            "endpoint" => vec![
                partner.call("GET", "/endpoints"),
                partner.call("GET", &format!("/endpoints/{}", self.endpoint)),
                partner.call("GET", &format!("/endpoints/{}/deliveries", self.endpoint)),
                partner.call("PATCH", &format!("/endpoints/{}", self.endpoint)).json(&json!({"description": "x"})),
                partner.call("POST", &format!("/endpoints/{}/rotate", self.endpoint)).json(&json!({"grace_hours": 1})),
                partner.call("POST", &format!("/endpoints/{}/test", self.endpoint)),
                partner.call("DELETE", &format!("/endpoints/{}", self.endpoint)),
            ],
            "delivery" => {
                let resend = partner.call("POST", &format!("/endpoints/{}/resend", self.endpoint));
                vec![
                    partner.call("GET", &format!("/endpoints/{}/deliveries", self.endpoint)),
                    resend.json(&json!({"event_id": self.message})),
                ]
            }
            other => panic!("unknown kind: {other}"),
        }
    }

    async fn put(&self, item: &Item) {
        self.world.stop_checking();
        let (local, _) = self.world.here().expect("the local system");
        let item = item.clone().into_iter().collect();
        local.client().put_item().table_name(local.table()).set_item(Some(item)).send().await.expect("a damaged item");
    }

    /// The item of a kind that this stage's calls read.
    async fn item(&self, kind: &Kind) -> Item {
        let table = self.world.table().await;
        let own = [&self.partner.partner_id, &self.customer.tenant_id, &self.key_id, &self.invitation.0, &self.message];
        let is_it = |(pk, sk): &(String, String)| {
            let of_kind = pk.starts_with(kind.key.0) && sk.contains(kind.key.1);
            let whole = kind.name != "relationship" || !sk.contains("#GRANT#");
            let named =
                ["session", "subscription"].contains(&kind.name) || own.iter().any(|id| pk.ends_with(id.as_str()));
            of_kind && whole && named && (kind.name != "event" || sk.ends_with('2'))
        };
        table.iter().find(|(key, _)| is_it(key)).map(|(_, item)| item.clone()).expect("an item of the kind")
    }

    /// Every read of a damaged item returns 500, leaks nothing and writes nothing.
    async fn is_refused(&self, kind: &Kind, damage: &str, damaged: &Item) {
        self.put(damaged).await;
        // The feed holds events back for 12 s, and caches last 30 s.
        self.world.clock().advance_millis(30_000);
        let before = self.world.table().await;
        for call in self.readers(kind.name) {
            let answer = self.world.send(&call).await;
            let what = format!("{} {}, {} {damage}", call.method, call.path, kind.name);
            assert_eq!((answer.status, answer.code().as_str()), (500, "internal"), "{what}: {:?}", answer.json());
            answer.refused(500, "internal");
            // Every problem type contains the word `partner`.
            let text = String::from_utf8_lossy(&answer.body).replace("urn:multipartner", "");
            for (name, value) in damaged {
                let leaks = value.as_s().is_ok_and(|value| value.len() > 5 && text.contains(value.as_str()));
                assert!(!leaks, "{what}: the response contains {name}: {text}");
            }
        }
        assert!(self.world.table().await == before, "{} {damage}: something was written", kind.name);
    }

    /// Newer code wrote the item. A list omits it, and any other read returns a retryable error, since newer code can respond.
    async fn is_skipped(&self, kind: &Kind, newer: &Item) {
        self.put(newer).await;
        self.world.clock().advance_millis(30_000);
        let before = self.world.table().await;
        for call in self.readers(kind.name) {
            let answer = self.world.send(&call).await;
            let what = format!("{} {}, newer {}", call.method, call.path, kind.name);
            let is_list = call.method == "GET" && answer.status == 200;
            assert!(
                is_list || (answer.status, answer.code().as_str()) == (503, "deadline"),
                "{what}: {}",
                answer.status
            );
        }
        assert!(self.world.table().await == before, "newer {}: something was written", kind.name);
    }
}

/// The same attribute with a value of another type.
fn other_type(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::S(_) => AttributeValue::N("7".into()),
        _ => AttributeValue::S("\u{0}not this".into()),
    }
}

async fn damage_each(name: &str) {
    let Some(stage) = Stage::set().await else { return };
    let kind = KINDS.iter().find(|kind| kind.name == name).expect("a kind");
    let mut item = stage.item(kind).await;
    if name == "session" {
        // It must not end during the test.
        let end = stage.world.now().plus_days(1).millis();
        item.insert("expires_at".into(), AttributeValue::N(end.to_string()));
    }
    let mut tried = 0;
    for (attribute, value) in &item {
        if INDEXED.contains(&attribute.as_str()) || kind.unread.contains(&attribute.as_str()) {
            continue;
        }
        let mut damages = vec![("of another type", Some(other_type(value)))];
        if !kind.optional.contains(&attribute.as_str()) {
            damages.push(("missing", None));
        }
        match value {
            // Values of the right type that this attribute cannot have.
            AttributeValue::N(_) => damages.push(("negative and huge", Some(AttributeValue::N("-1e30".into())))),
            AttributeValue::B(_) => damages.push(("truncated", Some(AttributeValue::B(vec![1, 2, 3].into())))),
            AttributeValue::L(_) => {
                damages.push(("a list of another type", Some(AttributeValue::L(vec![AttributeValue::Bool(true)]))));
            }
            AttributeValue::M(_) => damages.push(("an empty map", Some(AttributeValue::M([].into())))),
            _ => {}
        }
        for (damage, value) in damages {
            let mut damaged = item.clone();
            match value {
                Some(value) => damaged.insert(attribute.clone(), value),
                None => damaged.remove(attribute),
            };
            stage.is_refused(kind, &format!("with {attribute} {damage}"), &damaged).await;
            tried += 1;
        }
    }
    let mut newer = item.clone();
    newer.insert("v".into(), AttributeValue::N("2".into()));
    stage.is_skipped(kind, &newer).await;
    stage.put(&item).await;
    stage.world.clock().advance_millis(30_000);
    // With the original item, all reads succeed: the damage caused the errors.
    for call in stage.readers(name).iter().filter(|call| call.method == "GET") {
        stage.world.send(call).await.expect(200);
    }
    println!("{name}: {} damages, {} readers", tried + 1, stage.readers(name).len());
}

macro_rules! each_kind {
    ($($test:ident: $kind:literal,)*) => {
        $(#[tokio::test]
        async fn $test() {
            damage_each($kind).await;
        })*

        #[test]
        fn every_kind_of_item_is_damaged() {
            assert!(KINDS.iter().map(|kind| kind.name).eq([$($kind),*]));
        }
    };
}

each_kind! {
    a_damaged_tenant_is_an_error_of_ours_and_says_nothing: "tenant",
    a_damaged_partner_is_an_error_of_ours_and_says_nothing: "partner",
    a_damaged_key_is_an_error_of_ours_and_says_nothing: "key",
    a_damaged_session_is_an_error_of_ours_and_says_nothing: "session",
    a_damaged_relationship_is_an_error_of_ours_and_says_nothing: "relationship",
    a_damaged_grant_is_an_error_of_ours_and_says_nothing: "grant",
    a_damaged_invitation_is_an_error_of_ours_and_says_nothing: "invitation",
    a_damaged_subscription_is_an_error_of_ours_and_says_nothing: "subscription",
    a_damaged_event_is_an_error_of_ours_and_says_nothing: "event",
    a_damaged_endpoint_is_an_error_of_ours_and_says_nothing: "endpoint",
    a_damaged_delivery_is_an_error_of_ours_and_says_nothing: "delivery",
}

//! Every change writes one event with actor, type, time and policy version. The audit detects every changed event.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD;
use domain::{EventType, Timestamp, digest};
use platform::store::{Audit, AuditError, Audited};
use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, decline_by_link, link, preview, registration};
use tests::{Answer, Call, World};

use crate::common::{audited, events_of, granted, run};

type Item = HashMap<String, AttributeValue>;

/// Sends calls and checks that each writes one event, and that a replay writes none.
struct Told<'a> {
    world: &'a World,
    known: BTreeSet<String>,
}

impl Told<'_> {
    async fn news(&mut self) -> Vec<Value> {
        let all = self.world.all(&Call::get("/v1/events?limit=100").key(self.world.operator_key())).await;
        all.into_iter().filter(|event| self.known.insert(event["event_id"].to_string())).collect()
    }

    /// `told` is the expected type, kind of actor, role and sequence. With `again`, the call is replayed.
    async fn once(&mut self, call: &Call, told: [&str; 4], again: bool) -> Answer {
        self.world.tick();
        let before = self.world.table().await.len();
        let answer = self.world.send(call).await;
        assert!(answer.status < 300, "{told:?}: {}", String::from_utf8_lossy(&answer.body));
        let news = self.news().await;
        assert_eq!(news.len(), 1, "{told:?}: {news:#?}");
        self.check(&news[0], told);
        let puts = self.world.table().await.len() - before;
        assert!(puts >= 1, "the event must be a new item");
        if again {
            self.world.tick();
            assert!(self.world.send(call).await.status < 300, "{told:?}");
            assert_eq!(self.news().await, [] as [Value; 0], "{told:?} again");
        }
        answer
    }

    fn check(&self, event: &Value, told: [&str; 4]) {
        let role = event["actor"]["role"].as_str().unwrap_or("-").to_owned();
        let sequence = event["sequence"].to_string();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let found = [text(&event["type"]), text(&event["actor"]["kind"]), role, sequence];
        assert_eq!(found, told.map(str::to_owned));
        assert_eq!(Timestamp::parse(event["occurred_at"].as_str().unwrap()), Some(self.world.now()), "{told:?}");
        assert_eq!(event["policy_version"], 2, "{told:?}");
        assert!(event["actor"]["id"].as_str().is_some_and(|id| !id.is_empty()), "{told:?}");
    }
}

#[tokio::test]
async fn every_change_writes_one_event_and_a_replay_none() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer, other) = (world.partner().await, world.customer().await, world.customer().await);
    let seller = world.further_key(&partner, &["sales_agent"]).await;
    let mut told = Told { world: &world, known: BTreeSet::new() };
    told.news().await;
    let operator = |call: Call| call.key(world.operator_key());
    let asked = asking(&["global_reader", "directory_readers"], "P40D");

    let create = seller.asks(&customer, &asked, "first");
    let (id, _) = link(&told.once(&create, ["invitation.created", "partner", "sales_agent", "1"], true).await.json());
    let renewed = told.once(&partner.renew(&id), ["invitation.renewed", "partner", "global_admin", "2"], false).await;
    let (_, token) = link(&renewed.json());
    // The event contains a hash of what the preview showed to the link's holder.
    let previewed = world.send(&preview(&id, &token)).await.expect(200);
    let accept = accept_by_link(&id, &token, &asked);
    told.once(&accept, ["invitation.accepted", "link", "-", "3"], true).await;
    let shown = json!({"invitation": previewed["invitation"], "partner": previewed["partner"]}).to_string();
    let salt = world.table().await[&(format!("INVITATION#{id}"), "INVITATION".to_owned())]["by_salt"].clone();
    let salt = salt.as_b().expect("bytes").as_ref().to_vec();
    let shown = BASE64URL_NOPAD.encode(&digest("shown", &[&salt, shown.as_bytes()])[..16]);
    assert_eq!(events_of(&world, &id).await[2]["data"]["shown"], json!(shown));

    let register = partner.register(&registration("a", &customer));
    told.once(&register, ["subscription.registered", "partner", "global_admin", "1"], true).await;
    let body = json!({"type": "subscription.register", "timestamp": "2026-11-22T12:00:00Z",
        "data": registration("b", &customer)});
    let webhook = partner.webhook("/subscriptions", "b", world.now().seconds(), body.to_string().as_bytes());
    told.once(&webhook, ["subscription.registered", "webhook", "sales_agent", "1"], true).await;

    world.clock().advance_days(10);
    told.news().await;
    assert_eq!(run(&world).await["announced"], 1);
    let news = told.news().await;
    assert_eq!(news.len(), 1);
    told.check(&news[0], ["grant.expiring", "system", "-", "1"]);
    let grant = seller.call("DELETE", &format!("/grants/{}", id.replace("inv_", "grt_")));
    told.once(&grant, ["grant.ended", "partner", "sales_agent", "2"], true).await;
    let more = partner.asks(&customer, &asked, "more");
    let (more, _) = link(&told.once(&more, ["invitation.created", "partner", "global_admin", "1"], true).await.json());
    told.once(&partner.cancel(&more), ["invitation.cancelled", "partner", "global_admin", "2"], true).await;
    let (no, token) = world.open(&partner, &customer, asked.clone()).await;
    told.news().await;
    told.once(&decline_by_link(&no, &token), ["invitation.declined", "link", "-", "2"], true).await;
    let (no, _) = world.open(&partner, &other, Value::Null).await;
    told.news().await;
    told.once(&other.decline(&no), ["invitation.declined", "customer", "global_admin", "2"], true).await;
    let (yes, _) = world.open(&partner, &other, Value::Null).await;
    told.news().await;
    let accept = other.accept(&yes, &Value::Null);
    told.once(&accept, ["invitation.accepted", "customer", "global_admin", "2"], true).await;
    told.once(&other.end(&partner), ["relationship.ended", "customer", "global_admin", "1"], true).await;
    told.once(&seller.end(&customer), ["relationship.ended", "partner", "sales_agent", "1"], true).await;

    let tenant = world.tenant_id();
    let body = json!({"tenant_id": tenant, "name": "Fourth", "cloud": "public", "market": "US"});
    let call = operator(Call::post("/v1/customers", &body));
    told.once(&call, ["customer.registered", "operator", "-", "1"], true).await;
    let rename = |path: String, name: &str| operator(Call::new("PATCH", path).json(&json!({"name": name})));
    let call = rename(format!("/v1/customers/{tenant}"), "Fifth");
    told.once(&call, ["customer.updated", "operator", "-", "2"], true).await;
    let body = json!({"tenant_id": world.tenant_id(), "name": "Sixth", "cloud": "public", "market": "US"});
    let enrolled = operator(Call::post("/v1/partners", &body));
    let enrolled = told.once(&enrolled, ["partner.enrolled", "operator", "-", "1"], true).await.json();
    let sixth = enrolled["partner"]["partner_id"].as_str().unwrap();
    let call = rename(format!("/v1/partners/{sixth}"), "Seventh");
    told.once(&call, ["partner.updated", "operator", "-", "2"], true).await;
    for (path, event, sequence) in [("suspend", "partner.suspended", "3"), ("resume", "partner.resumed", "4")] {
        let call = operator(Call::new("POST", format!("/v1/partners/{sixth}/{path}")));
        told.once(&call, [event, "operator", "-", sequence], true).await;
    }
    let rotate = Call::post(format!("/v1/partners/{sixth}/signing-secret/rotate"), &json!({"grace_hours": 1}));
    told.once(&operator(rotate), ["secret.rotated", "operator", "-", "5"], false).await;
    let body = json!({"principal": {"kind": "partner", "id": sixth}, "roles": ["sales_agent"], "name": "key"});
    let issue = operator(Call::post("/v1/keys", &body).idempotency_key("key"));
    let issued = told.once(&issue, ["key.issued", "operator", "-", "1"], true).await.json();
    let key = issued["key_id"].as_str().unwrap();
    let revoke = operator(Call::delete(format!("/v1/keys/{key}")));
    told.once(&revoke, ["key.revoked", "operator", "-", "2"], true).await;
    assert_eq!(audited(&world).await, told.known.len());
}

fn audit(items: &[Item]) -> Result<Audited, AuditError> {
    let mut audit = Audit::default();
    for item in items {
        audit.take(item);
    }
    audit.finish().sound()
}

/// Removes and copies each event, and changes and removes each of its attributes. The audit must fail every time, except if the
/// event is then of a type or version that only newer code knows: it must report the record as not checked.
#[tokio::test]
async fn a_changed_removed_added_or_moved_event_is_found() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let grant = granted(&world, &partner, &customer, "P40D", false).await;
    world.send(&partner.register(&registration("a", &customer))).await.expect(201);
    let (open, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    world.clock().advance_days(35);
    run(&world).await;
    world.send(&partner.renew(&open)).await.expect(200);
    world.send(&customer.call("DELETE", &format!("/grants/{grant}"))).await.expect(200);
    world.send(&customer.end(&partner)).await.expect(200);

    let items: Vec<Item> = world.table().await.into_values().map(|item| item.into_iter().collect()).collect();
    let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
    let is_event = |item: &Item| text(item, "pk").starts_with("EVENTS#");
    let events: Vec<usize> = (0..items.len()).filter(|at| is_event(&items[*at])).collect();
    let whole = audit(&items).unwrap();
    assert!(whole.events == events.len() && events.len() > 12, "{whole:?}");
    assert!(events.iter().all(|at| !items[*at].contains_key("ttl")), "events must not have a ttl");

    let mut tried = 0;
    let mut newer = 0;
    let mut found = |change: &str, items: Vec<Item>| {
        assert!(audit(&items).is_err(), "{change}");
        tried += 1;
    };
    let mut unchecked = |change: &str, partition: &str, items: Vec<Item>| {
        let record = partition.strip_prefix("EVENTS#").unwrap();
        // Without the event, another record may not be as its events left it: that is a fault.
        let is_told = audit(&items).is_ok_and(|audited| audited.unchecked.iter().any(|name| name == record));
        assert!(is_told || audit(&items).is_err(), "{change}");
        newer += 1;
    };
    for at in &events {
        let at = *at;
        let (name, mut less) = (format!("{} {}", text(&items[at], "pk"), text(&items[at], "sk")), items.clone());
        less.remove(at);
        found(&format!("{name} removed"), less);
        for attribute in items[at].keys().filter(|attribute| !attribute.starts_with("gsi3")) {
            let mut changed = items.clone();
            let value = match &items[at][attribute] {
                AttributeValue::N(number) => AttributeValue::N((number.parse::<i64>().unwrap() + 1).to_string()),
                AttributeValue::S(text) if text.starts_with('{') => AttributeValue::S(r#"{"forged":true}"#.into()),
                AttributeValue::S(text) => AttributeValue::S(format!("{text}1")),
                AttributeValue::B(_) => AttributeValue::B(vec![0; 32].into()),
                AttributeValue::M(_) => AttributeValue::M(HashMap::new()),
                other => panic!("add a change of {other:?}"),
            };
            changed[at].insert(attribute.clone(), value);
            match attribute.as_str() {
                "event_type" | "v" => {
                    let partition = text(&items[at], "pk");
                    unchecked(&format!("{name}: {attribute} changed"), &partition, changed);
                }
                _ => found(&format!("{name}: {attribute} changed"), changed),
            }
            // Required attributes must be present, and optional ones are part of the hash.
            let mut without = items.clone();
            without[at].remove(attribute);
            found(&format!("{name}: {attribute} removed"), without);
        }
        for other in EventType::ALL.iter().filter(|other| other.as_str() != text(&items[at], "event_type")) {
            let mut changed = items.clone();
            changed[at].insert("event_type".into(), AttributeValue::S(other.to_string()));
            found(&format!("{name}: as {other}"), changed);
        }
        for sequence in ["0000000000", "0000000099", "9999999999"] {
            let mut more = items.clone();
            let mut forged = items[at].clone();
            forged.insert("sk".into(), AttributeValue::S(sequence.into()));
            more.push(forged);
            found(&format!("{name} again as {sequence}"), more);
        }
        let mut elsewhere = items.clone();
        let mut copy = items[at].clone();
        let other = events.iter().find(|other| text(&items[**other], "pk") != text(&items[at], "pk")).unwrap();
        copy.insert("pk".into(), items[*other]["pk"].clone());
        elsewhere.push(copy);
        found(&format!("{name} copied to another aggregate"), elsewhere);
    }
    assert!(newer >= events.len(), "every event has a type");
    println!("{tried} changes of {} events", events.len());
}

/// The operator's tool detects an event that was deleted from the table.
#[tokio::test]
async fn the_verify_command_finds_it_too() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let id = world.relate(&partner, &customer).await;
    audited(&world).await;
    let (local, _) = world.here().unwrap();
    let key = |sk: &str| {
        let pk = AttributeValue::S(format!("EVENTS#INVITATION#{id}"));
        Some(HashMap::from([("pk".to_owned(), pk), ("sk".to_owned(), AttributeValue::S(sk.into()))]))
    };
    let (client, table) = (local.client(), local.table());
    client.delete_item().table_name(table).set_key(key("0000000001")).send().await.unwrap();
    let error = local::verify::audit(client, table).await.unwrap_err().to_string();
    assert!(error.contains(&format!("INVITATION#{id}: event 1 is missing")), "{error}");
}

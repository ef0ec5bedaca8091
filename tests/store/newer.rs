//! Items of the next version: during every deployment, and after a rollback, old and new code run over one table. Old code must
//! not fail because of them, and must not change or remove them.

use aws_sdk_dynamodb::types::AttributeValue;
use local::TABLE;
use serde_json::{Value, json};
use tests::rng::{Rng, from_env};
use tests::{Call, Customer, Partner, Receiver, Sim, SimOptions, World};

use crate::commands::{COMMANDS, Stage};

/// Changes every item of the table.
fn rewrite(sim: &Sim, change: impl Fn(&mut Value)) {
    for mut item in sim.items() {
        change(&mut item);
        sim.raw("PutItem", &json!({"TableName": TABLE, "Item": item}));
    }
}

fn version(number: u32) -> impl Fn(&mut Value) {
    move |item| item["v"] = json!({"N": number.to_string()})
}

#[tokio::test(start_paused = true)]
async fn every_command_ignores_unknown_attributes() {
    let stage = Stage::new(SimOptions::default()).await;
    for command in COMMANDS {
        let call = (command.ready)(&stage).await;
        rewrite(stage.world.sim(), |item| {
            item["of_the_next_version"] = json!({"M": {"list": {"L": [{"N": "1"}, {"NULL": true}]}}});
        });
        assert_eq!(stage.world.send(&call).await.status, command.status, "{}", command.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_meets_newer_items_is_never_an_internal_error_and_removes_none() {
    let stage = Stage::new(SimOptions::default()).await;
    let sim = stage.world.sim();
    for command in COMMANDS {
        let call = (command.ready)(&stage).await;
        rewrite(sim, version(2));
        let before = sim.items().len();
        let answer = stage.world.send(&call).await;
        let problem = answer.json();
        let is_fine = answer.status < 500 || (answer.status == 503 && problem["retryable"] == true);
        assert!(is_fine, "{}: {} {problem}", command.name, answer.status);
        let report = sim.expire_due().await.expect("the job skips newer items");
        assert_eq!(report["announced"], 0, "{}", command.name);
        assert!(sim.items().len() >= before, "{}", command.name);
        rewrite(sim, version(1));
    }
}

#[tokio::test(start_paused = true)]
async fn lists_omit_newer_items_and_show_the_others() {
    let stage = Stage::new(SimOptions::default()).await;
    let (world, sim) = (&stage.world, stage.world.sim());
    for command in COMMANDS {
        let call = (command.ready)(&stage).await;
        world.send(&call).await.expect(command.status);
    }
    let operator = |path: &str| Call::get(path).key(world.operator_key());
    let lists = || {
        ["/invitations", "/customers", "/grants", "/subscriptions", "/events", "/endpoints"]
            .map(|path| stage.partner.call("GET", path))
            .into_iter()
            .chain(["/v1/customers", "/v1/partners", "/v1/keys", "/v1/events"].map(operator))
    };
    let count = async |call: &Call| world.all(call).await.len();
    let mut whole = Vec::new();
    for list in lists() {
        whole.push(count(&list).await);
    }
    // Every second item is of the next version.
    let newer: std::collections::BTreeSet<String> = sim.items().iter().step_by(2).map(key).collect();
    rewrite(sim, |item| {
        if newer.contains(&key(item)) {
            version(2)(item);
        }
    });
    for (list, whole) in lists().zip(whole) {
        let left = count(&list).await;
        assert!(left < whole || whole < 3, "{}: {left} of {whole}", list.path);
        // A grant is shown only with its relationship, and every second item may be all of those.
        let needs_others = list.path.ends_with("/grants");
        assert!(left > 0 || whole < 4 || needs_others, "{}: {left} of {whole}", list.path);
    }
}

fn key(item: &Value) -> String {
    format!("{} / {}", item["pk"]["S"], item["sk"]["S"])
}

/// Readers interpret neither the type nor the data of an event.
#[tokio::test]
async fn an_event_of_an_unknown_type_is_shown_as_it_is_stored_in_lists_and_in_the_feed() {
    let Some(world) = World::with_clock().await else { return };
    let name = "customer.of_the_next_version";
    let (pk, _) = newer_event(&world, "event_type", AttributeValue::S(name.into())).await;
    let data = AttributeValue::S(r#"{"merged_with":["a",{"b":1.5}]}"#.into());
    set(&world, &pk, "event_data", data).await;
    world.tick();
    world.customer().await;
    world.clock().advance_millis(12_000);
    let tenant = pk.trim_start_matches("EVENTS#TENANT#");
    for path in
        ["/v1/events?limit=100", "/v1/events?limit=100&after=", &format!("/v1/customers/{tenant}/events?limit=100")]
    {
        let page = world.send(&Call::get(path).key(world.operator_key())).await.expect(200);
        let items = page["items"].as_array().expect("items");
        let shown = items.iter().find(|item| item["type"] == name).unwrap_or_else(|| panic!("{path}: {page}"));
        assert_eq!(shown["data"], json!({"merged_with": ["a", {"b": 1.5}]}));
        assert_eq!((&shown["sequence"], &shown["subject"]), (&json!(1), &json!({"customer_tenant_id": tenant})));
        assert!(items.len() > 2 || path.contains("customers"), "{path}: the others are shown too");
    }
}

/// Registers a customer, then makes its event one of the next version. Returns the key of the event.
async fn newer_event(world: &World, attribute: &str, value: AttributeValue) -> (String, String) {
    let tenant = world.customer().await.tenant_id;
    let pk = format!("EVENTS#TENANT#{tenant}");
    set(world, &pk, attribute, value).await;
    (pk, "0000000001".to_owned())
}

/// Sets an attribute of the first event in a partition.
async fn set(world: &World, pk: &str, attribute: &str, value: AttributeValue) {
    let (local, _) = world.here().expect("the local system");
    let update = local.client().update_item().table_name(local.table());
    let update = update.key("pk", AttributeValue::S(pk.to_owned())).key("sk", AttributeValue::S("0000000001".into()));
    let update = update.update_expression("SET #a = :v").expression_attribute_names("#a", attribute);
    update.expression_attribute_values(":v", value).send().await.expect("the event is changed");
}

#[tokio::test]
async fn a_newer_event_keeps_its_mark_and_the_others_are_published() {
    let Some(world) = World::with_clock().await else { return };
    let courier = world.here().expect("the local system").0.courier();
    for (attribute, value) in
        [("event_type", AttributeValue::S("customer.of_the_next_version".into())), ("v", AttributeValue::N("2".into()))]
    {
        let newer = newer_event(&world, attribute, value).await;
        let other = world.customer().await.tenant_id;
        // The stream's batch, then the scheduled run.
        courier.settle().await.expect("the outbox is readable");
        world.clock().advance_millis(600_000);
        courier.settle().await.expect("the outbox is readable");
        let table = world.table().await;
        assert!(table[&newer].contains_key("gsi3pk"), "{attribute}: the mark was removed");
        let other = (format!("EVENTS#TENANT#{other}"), "0000000001".to_owned());
        assert!(!table[&other].contains_key("gsi3pk"), "{attribute}: the other event was not published");
        assert!(!table.keys().any(|(pk, _)| pk.starts_with("POISON#")), "{attribute}");
    }
}

/// A system with a record of each kind, and an endpoint that gets every event.
struct Populated {
    world: World,
    partner: Partner,
    customer: Customer,
    receiver: Receiver,
}

async fn populated() -> Populated {
    let world = World::start_here(|options| options.loopback_endpoints = true).await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let receiver = Receiver::start().await;
    world.clock().advance_millis(20_000);
    let endpoint = partner.call("POST", "/endpoints").json(&json!({"url": receiver.url()}));
    world.send(&endpoint).await.expect(201);
    settle(&world).await;
    let asked = json!({"roles": ["directory_readers"], "duration": "P40D"});
    let (invitation, _) = world.open(&partner, &customer, asked).await;
    world.send(&customer.accept(&invitation, &json!("as_requested"))).await.expect(200);
    world.send(&partner.register(&tests::parties::registration("one", &customer))).await.expect(201);
    let other = world.customer().await;
    world.open(&partner, &other, Value::Null).await;
    Populated { world, partner, customer, receiver }
}

async fn settle(world: &World) {
    world.here().expect("the local system").0.courier().settle().await.expect("the outbox is readable");
}

type Attributes = std::collections::BTreeMap<String, AttributeValue>;

/// Changes an item as the next version may have written it. Returns whether this version must leave it as it is.
fn of_next_version(rng: &mut Rng, item: &mut Attributes) -> bool {
    let (newer, unknown) =
        (AttributeValue::N("2".into()), AttributeValue::M([("a".into(), AttributeValue::Null(true))].into()));
    match rng.below(6) {
        0 => item.insert("v".into(), newer),
        1 => {
            // A newer format gives attributes another meaning and another type.
            for (name, value) in item.iter_mut().filter(|(name, _)| !is_key(name)) {
                *value = if rng.chance(50) { AttributeValue::Bool(true) } else { AttributeValue::S(name.clone()) };
            }
            item.insert("v".into(), newer)
        }
        2 => {
            let kept: Vec<_> = item.keys().filter(|name| !is_key(name)).cloned().collect();
            item.retain(|name, _| !kept.contains(name) || rng.chance(50));
            item.insert("v".into(), newer)
        }
        3 if item.contains_key("event_type") => {
            item.insert("event_type".into(), AttributeValue::S("grant.of_the_next_version".into()))
        }
        4 => {
            item.insert("of_the_next_version".into(), unknown);
            return false;
        }
        _ => return false,
    };
    true
}

fn is_key(name: &str) -> bool {
    name == "pk" || name == "sk" || name.starts_with("gsi") || ["listed", "ending"].contains(&name)
}

/// Items of the next version are mixed in at random: every list and job of this version works, and leaves them as they are.
/// `SEED` and `SEEDS` repeat a run or make it longer.
#[tokio::test]
async fn lists_and_jobs_leave_random_items_of_the_next_version_as_they_are() {
    if World::with_clock().await.is_none() {
        return;
    }
    let first = from_env("SEED", 0);
    for seed in first..first + from_env("SEEDS", 3) {
        println!("seed {seed}");
        let Populated { world, partner, customer, receiver } = populated().await;
        let (local, _) = world.here().expect("the local system");
        let mut rng = Rng::new(seed);
        let mut newer = std::collections::BTreeMap::new();
        for (key, mut item) in world.table().await {
            if of_next_version(&mut rng, &mut item) {
                newer.insert(key, item.clone());
            }
            let put = local.client().put_item().table_name(local.table());
            put.set_item(Some(item.into_iter().collect())).send().await.expect("the item is changed");
        }
        // What was cached before is forgotten, and everything is due.
        world.clock().advance_days(41);
        let lists = ["", "/invitations", "/customers", "/subscriptions", "/events", "/events?after=", "/endpoints"];
        let of_partner = lists.map(|path| partner.call("GET", path));
        let of_customer =
            ["", "/partners", "/invitations", "/subscriptions", "/events"].map(|path| customer.call("GET", path));
        let of_operator = ["/v1/customers", "/v1/partners", "/v1/keys", "/v1/events", "/v1/events?after="]
            .map(|path| Call::get(path).key(world.operator_key()));
        for call in of_partner.into_iter().chain(of_customer).chain(of_operator) {
            let answer = world.send(&call).await;
            let is_fine = answer.status < 500 || (answer.status == 503 && answer.json()["retryable"] == true);
            assert!(is_fine, "seed {seed}: {}: {} {}", call.path, answer.status, answer.json());
        }
        local::jobs::run_expire_due(local).await.expect("the job skips newer items");
        settle(&world).await;
        receiver.take();
        let table = world.table().await;
        for (key, item) in newer {
            assert_eq!(table.get(&key), Some(&item), "seed {seed}: {key:?} was changed");
        }
        assert!(!table.keys().any(|(pk, _)| pk.starts_with("POISON#")), "seed {seed}: an item is no poison");
    }
}

#[tokio::test]
async fn the_feed_waits_an_hour_for_code_that_reads_a_newer_event_and_then_skips_it() {
    let Some(world) = World::with_clock().await else { return };
    let before = world.customer().await.tenant_id;
    world.tick();
    newer_event(&world, "v", AttributeValue::N("2".into())).await;
    world.tick();
    let after = world.customer().await.tenant_id;
    let feed = async |cursor: &str| {
        let call = Call::get(format!("/v1/events?after={cursor}&limit=100")).key(world.operator_key());
        world.send(&call).await.expect(200)
    };
    let tenants = |page: &Value| -> Vec<String> {
        let items =
            page["items"].as_array().expect("items").iter().filter(|item| item["type"] == "customer.registered");
        items.map(|item| item["subject"]["customer_tenant_id"].as_str().expect("an id").to_owned()).collect()
    };
    world.clock().advance_millis(12_000);
    let first = feed("").await;
    assert_eq!(tenants(&first), [before]);
    let cursor = first["next_cursor"].as_str().expect("a cursor").to_owned();
    let held = feed(&cursor).await;
    assert_eq!((&held["items"], &held["next_cursor"]), (&json!([]), &json!(cursor)));
    world.clock().advance_millis(3_600_000);
    assert_eq!(tenants(&feed(&cursor).await), [after]);
}

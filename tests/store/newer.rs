//! Items of the next version: during every deployment, and after a rollback, old and new code run over one table. Old code must
//! not fail because of them, and must not change or remove them.

use aws_sdk_dynamodb::types::AttributeValue;
use local::TABLE;
use serde_json::{Value, json};
use tests::{Call, Sim, SimOptions, World};

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

//! No partition takes the writes of the whole system. These tests count the write units of the keys that commands, publishing
//! and deliveries really write.

use std::collections::{BTreeMap, BTreeSet};

use platform::store::keys::{self, SHARDS};
use platform::store::schema::INDEXES;
use serde_json::{Value, json};
use tests::here::{Table, size_of};
use tests::{Call, Receiver, SimOptions, World};

use crate::commands::{COMMANDS, Stage};

/// What DynamoDB guarantees for one partition.
const UNITS_PER_SECOND: usize = 1_000;
const EVENTS_PER_SECOND: usize = 10_000;
/// The start of the partitions that many commands share. Every other partition must name a record.
const FAMILIES: &[&str] =
    &["OPERATOR#EVENT#", "OPERATOR#TENANT#", "OPERATOR#PARTNER#", "OPERATOR#KEY#", "DUE#", "OUTBOX#", "LATER#"];

/// The units that each partition of the indexes takes for the change from one table to another.
fn units(before: &Table, after: &Table) -> Vec<(String, usize)> {
    let mut all = Vec::new();
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for (_, pk, sk) in INDEXES {
        for key in &keys {
            let entry = |table: &Table| {
                let item = table.get(*key)?;
                let part = |name: &str| item.get(name)?.as_s().ok().cloned();
                Some((part(pk)?, part(sk)?, item.clone(), size_of(item).div_ceil(1024)))
            };
            match (entry(before), entry(after)) {
                (Some(a), Some(b)) if a == b => {}
                // An entry that stays is overwritten. One that moves is deleted and put.
                (Some(a), Some(b)) if (&a.0, &a.1) == (&b.0, &b.1) => all.push((a.0, a.3.max(b.3))),
                (a, b) => all.extend(a.into_iter().chain(b).map(|entry| (entry.0, entry.3))),
            }
        }
    }
    all
}

/// The family of a shared partition; `None` if the partition names a record.
fn family_of(partition: &str) -> Option<&'static str> {
    let family = FAMILIES.iter().find(|family| keys::parse_shard(family, partition).is_some());
    let names_a_record = partition.split('#').any(|part| part.len() >= 26);
    assert!(family.is_some() != names_a_record, "{partition} may be shared by all commands");
    family.copied()
}

#[derive(Default)]
struct Counts(BTreeMap<&'static str, (usize, &'static str)>);

impl Counts {
    /// Adds what one command caused, from its request to the last mark removed.
    fn add(&mut self, name: &'static str, steps: &[Table]) {
        let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
        for pair in steps.windows(2) {
            for (partition, units) in units(&pair[0], &pair[1]) {
                if let Some(family) = family_of(&partition) {
                    *sums.entry(family).or_default() += units;
                }
            }
        }
        for (family, units) in sums {
            let most = self.0.entry(family).or_default();
            *most = (*most).max((units, name));
        }
    }
}

#[tokio::test]
async fn no_partition_limits_the_system_below_10_000_events_a_second() {
    let Some(world) = World::with_options(|options| options.loopback_endpoints = true).await else { return };
    let partner = world.partner().await;
    let stage = Stage { world, partner };
    let (world, courier) = (&stage.world, stage.world.here().expect("here").0.courier());
    let mut counts = Counts::default();
    courier.settle().await.expect("nothing waits");
    for command in COMMANDS {
        let call = (command.ready)(&stage).await;
        courier.publish().await.expect("the outbox is readable");
        world.tick();
        let mut steps = vec![world.table().await];
        world.send(&call).await.expect(command.status);
        steps.push(world.table().await);
        courier.publish().await.expect("the outbox is readable");
        steps.push(world.table().await);
        counts.add(command.name, &steps);
    }
    deliver(&stage, &mut counts).await;
    for (family, (units, name)) in &counts.0 {
        let events = usize::from(SHARDS) * UNITS_PER_SECOND / units;
        println!("{family}: {SHARDS} shards, at most {units} units for one event ({name}): {events} events a second");
        assert!(events > EVENTS_PER_SECOND, "{family}: {name} costs {units} units");
    }
    assert_eq!(counts.0.len(), FAMILIES.len(), "a family was never written");
}

/// A delivery that succeeds: it is put, claimed and finished.
async fn deliver(stage: &Stage, counts: &mut Counts) {
    let (world, courier) = (&stage.world, stage.world.here().expect("here").0.courier());
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url(), "event_types": ["subscription.registered"]});
    world.clock().advance_millis(20_000);
    world.send(&stage.partner.call("POST", "/endpoints").json(&body)).await.expect(201);
    courier.settle().await.expect("the challenge is answered");
    let customer = world.customer().await;
    world.relate(&stage.partner, &customer).await;
    courier.settle().await.expect("the outbox is readable");
    let mut steps = vec![world.table().await];
    world.send(&stage.partner.register(&tests::parties::registration("sold-1", &customer))).await.expect(201);
    steps.push(world.table().await);
    while courier.publish().await.expect("the outbox is readable") > 0 {
        steps.push(world.table().await);
    }
    courier.deliver().await;
    steps.push(world.table().await);
    counts.add("a delivered event", &steps);
    // The claim of the delivery was overwritten before the table was read again.
    counts.0.entry("LATER#").or_default().0 += 1;
}

#[tokio::test(start_paused = true)]
async fn events_of_many_records_are_spread_evenly() {
    let world = World::simulated(SimOptions::default()).await;
    for _ in 0..200 {
        register(&world).await;
    }
    let items = world.sim().items();
    for (family, pk) in [("OPERATOR#EVENT#", "gsi4pk"), ("OPERATOR#TENANT#", "gsi1pk"), ("OUTBOX#", "gsi3pk")] {
        let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
        let partitions = items.iter().filter_map(|item| item[pk]["S"].as_str());
        for shard in partitions.filter_map(|partition| keys::parse_shard(family, partition)) {
            *counts.entry(shard).or_default() += 1;
        }
        // 200 over 32 is 6.25 each. The bounds are those of a fair hash, with five standard deviations.
        assert_eq!(counts.values().sum::<usize>(), 200, "{family}");
        assert!(counts.len() > 28 && counts.values().all(|count| *count <= 19), "{family}: {counts:?}");
    }
}

async fn register(world: &World) {
    let body = json!({"tenant_id": world.tenant_id(), "name": "Contoso Ltd", "cloud": "public", "market": "US"});
    world.send(&Call::post("/v1/customers", &body).key(world.operator_key())).await.expect(201);
}

/// Most of these customers are of one millisecond, in the same and in different shards.
#[tokio::test(start_paused = true)]
async fn pages_of_a_sharded_list_join_to_the_whole_list_in_order() {
    let world = World::simulated(SimOptions::default()).await;
    for at in 0..60 {
        register(&world).await;
        if at % 20 == 19 {
            world.sim().clock.advance_millis(1);
        }
    }
    world.sim().clock.advance_millis(12_000);
    let operator = |path: String| Call::get(path).key(world.operator_key());
    let id = |item: &Value| item["event_id"].as_str().or(item["tenant_id"].as_str()).expect("an id").to_owned();
    for list in ["events", "customers"] {
        let whole = world.send(&operator(format!("/v1/{list}?limit=100"))).await.expect(200);
        let whole: Vec<String> = whole["items"].as_array().expect("items").iter().map(id).collect();
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 60);
        for limit in [2, 7, 40] {
            let call = operator(format!("/v1/{list}?limit={limit}"));
            let first = world.send(&call).await.expect(200)["items"].as_array().map(Vec::len);
            assert_eq!(first, Some(limit), "a page is full while there are items");
            assert_eq!(world.all(&call).await.iter().map(id).collect::<Vec<_>>(), whole, "{list}, {limit}");
        }
    }
    let mut list = world.all(&operator("/v1/events?limit=100".into())).await;
    list.reverse();
    for limit in [2, 7, 100] {
        let (mut feed, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.send(&operator(format!("/v1/events?limit={limit}&after={cursor}"))).await.expect(200);
            let items = page["items"].as_array().expect("items").clone();
            if items.is_empty() {
                break;
            }
            feed.extend(items);
            page["next_cursor"].as_str().expect("a cursor").clone_into(&mut cursor);
        }
        assert_eq!(feed, list, "{limit}");
    }
}

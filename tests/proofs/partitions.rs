//! The write units that each command costs each partition, from the transactions that are really sent: those of the command, and
//! those by which its events are published, its webhooks delivered and its marks removed. `docs/scale.md` has the results.
//!
//! `cargo test --workspace --test proofs partitions -- --nocapture` prints all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use local::engine::Engine;
use platform::deadline::Deadline;
use platform::store::OpContext;
use platform::store::keys::{SHARDS, parse_shard};
use platform::store::schema::INDEXES;
use serde_json::json;
use tests::here::size_of;
use tests::meter::{Asked, Change, Item, Meter};
use tests::parties::registration;
use tests::{Call, Receiver, World};

#[expect(dead_code, reason = "the tests of the store use all of it")]
#[path = "../store/commands.rs"]
mod commands;

use commands::{COMMANDS, Stage};

/// Read when the test runs, so that a corrected document needs no new build.
fn scale() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scale.md")).expect("the document")
}

/// What DynamoDB guarantees for one partition.
const UNITS_PER_SECOND: u64 = 1_000;
const EVENTS_PER_SECOND: u64 = 10_000;
/// The list price of a million write units: 0.625 dollars. The document names its source.
const PRICE_TENTHS_OF_CENTS: u64 = 625;
/// The name of the table in the results. Indexes have their own.
const BASE: &str = "table";

/// The table or an index, and a partition key in it.
type Partition = (&'static str, String);
/// The table or an index, and what the partition keys of one kind begin with.
type Family = (&'static str, String);

/// The units that a change costs each partition. In a transaction the table counts twice, and each index once.
fn units(change: &Change) -> Vec<(Partition, u64)> {
    let size = |item: &Item| u64::try_from(size_of(item).div_ceil(1024)).expect("a size");
    let images = [&change.before, &change.after];
    let largest = images.into_iter().flatten().map(size).max().unwrap_or(1);
    let mut all = vec![((BASE, change.key.0.clone()), 2 * largest)];
    if change.before == change.after {
        return all;
    }
    for (index, pk, sk) in INDEXES {
        let entry = |image: &Option<Item>| {
            let item = image.as_ref()?;
            let part = |name: &str| item.get(name)?.as_s().ok().cloned();
            Some((part(pk)?, part(sk)?, size(item)))
        };
        match (entry(&change.before), entry(&change.after)) {
            // An entry that stays is overwritten. One that moves is deleted and put.
            (Some(a), Some(b)) if (&a.0, &a.1) == (&b.0, &b.1) => all.push(((index, a.0), a.2.max(b.2))),
            (a, b) => all.extend(a.into_iter().chain(b).map(|(pk, _, units)| ((*index, pk), units))),
        }
    }
    all
}

/// The kind of a partition key: its words in upper case, before the first id or number.
fn family(partition: &str) -> String {
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|char| char.is_ascii_uppercase() || char == '_');
    partition.split('#').take_while(is_word).map(|word| format!("{word}#")).collect()
}

/// Whether partitions of this kind take the writes of many records, spread by a hash.
fn is_sharded(family: &str, partition: &str) -> bool {
    let is = family != "MASTER_KEY#" && parse_shard(family, partition).is_some();
    let names_a_record = partition.split('#').any(|part| part.len() >= 26);
    // Ids of subscriptions may be short. The operator has few keys, and a system has few master keys.
    let is_short = ["SUBSCRIPTION#", "EVENTS#SUBSCRIPTION#", "KEYS#", "MASTER_KEY#"].contains(&family);
    assert!(is || names_a_record || is_short, "{partition} may take the writes of the whole system");
    is
}

#[derive(Clone, Debug)]
struct Hottest {
    units: u64,
    command: &'static str,
    is_sharded: bool,
}

/// The most units that one command costs one partition of each kind.
#[derive(Default)]
struct Results(BTreeMap<Family, Hottest>);

impl Results {
    /// Adds what a command caused. For sharded kinds, the units of all shards count as if one partition took them.
    fn add(&mut self, command: &'static str, asked: &[Asked]) {
        let mut sums: BTreeMap<Partition, u64> = BTreeMap::new();
        for ((place, partition), units) in asked.iter().flat_map(|asked| &asked.changes).flat_map(units) {
            let family = family(&partition);
            let key = if is_sharded(&family, &partition) { family } else { partition };
            *sums.entry((place, key)).or_default() += units;
        }
        let hottest = sums.iter().max_by_key(|(_, units)| **units).expect("a command writes");
        println!("{command}: hottest partition {} {}, {} units", hottest.0.0, family(&hottest.0.1), hottest.1);
        for ((place, key), units) in sums {
            let family = family(&key);
            let is_sharded = family == key;
            let hottest = Hottest { units, command, is_sharded };
            let known = self.0.entry((place, family)).or_insert_with(|| hottest.clone());
            if known.units < units {
                *known = hottest;
            }
        }
    }

    /// The rows of the table in the document.
    fn rows(&self) -> BTreeSet<String> {
        let row = |((place, family), hottest): (&Family, &Hottest)| {
            let Hottest { units, command, is_sharded } = hottest;
            let partitions = if *is_sharded { u64::from(SHARDS) } else { 1 };
            let spread = if *is_sharded { format!("{SHARDS} shards") } else { "one record".to_owned() };
            let rate = partitions * UNITS_PER_SECOND / units;
            format!("| {place} | `{family}` | {spread} | {command} | {units} | {rate} |")
        };
        self.0.iter().map(row).collect()
    }
}

/// The units of one command: of the table and of its indexes while the request runs, and of both when its events are published,
/// its webhooks delivered and its marks removed.
#[derive(Clone, Copy)]
struct Total {
    table: u64,
    indexes: u64,
    later: u64,
}

impl Total {
    fn new(request: &[Asked], later: &[Asked]) -> Self {
        let sum = |asked: &[Asked], is_table: Option<bool>| {
            let all = asked.iter().flat_map(|asked| &asked.changes).flat_map(units);
            let wanted = all.filter(|((place, _), _)| is_table.is_none_or(|wanted| (*place == BASE) == wanted));
            wanted.map(|(_, units)| units).sum()
        };
        Self { table: sum(request, Some(true)), indexes: sum(request, Some(false)), later: sum(later, None) }
    }

    /// The row of the table in the document. A price in millionths of a dollar for a unit is one in dollars for a million.
    fn row(self, command: &str) -> String {
        let Self { table, indexes, later } = self;
        let all = table + indexes + later;
        let cents = (all * PRICE_TENTHS_OF_CENTS).div_ceil(10);
        format!("| {command} | {table} | {indexes} | {later} | {all} | ${}.{:02} |", cents / 100, cents % 100)
    }
}

struct Measure {
    stage: Stage,
    meter: Meter,
    results: Results,
    totals: BTreeMap<&'static str, Total>,
}

impl Measure {
    async fn start() -> Option<Self> {
        let engine = Engine::memory().unwrap();
        let meter = Meter::watching(&engine);
        let client = meter.http_client();
        let world = World::with_options(|options| {
            options.http_client = Some(client);
            options.engine = Some(engine);
            options.loopback_endpoints = true;
        });
        let world = world.await?;
        let partner = world.partner().await;
        Some(Self { stage: Stage { world, partner }, meter, results: Results::default(), totals: BTreeMap::new() })
    }

    /// Sends a command, publishes and delivers what it caused, and adds all of it under this name.
    async fn send(&mut self, command: &'static str, call: &Call, status: u16) {
        self.stage.world.send(call).await.expect(status);
        let mut asked = self.meter.take();
        self.stage.world.here().expect("here").0.courier().settle().await.expect("the outbox is readable");
        let later = self.meter.take();
        self.totals.insert(command, Total::new(&asked, &later));
        asked.extend(later);
        self.results.add(command, &asked);
    }

    /// Publishes and delivers what the preparation of a command left. It does not count.
    async fn prepared(&self) {
        self.stage.world.here().expect("here").0.courier().settle().await.expect("the outbox is readable");
        self.stage.world.tick();
        self.meter.take();
    }

    async fn commands(&mut self) {
        for command in COMMANDS {
            let call = (command.ready)(&self.stage).await;
            self.prepared().await;
            self.send(command.name, &call, command.status).await;
        }
    }

    async fn batch_of_40(&mut self) {
        let Stage { world, partner } = &self.stage;
        let customer = world.customer().await;
        world.relate(partner, &customer).await;
        let all: Vec<_> = (0..40).map(|number| registration(&format!("batch-{number:0>30}"), &customer)).collect();
        self.prepared().await;
        let call = partner.register_batch(&all);
        self.send("register a batch of 40", &call, 200).await;
    }

    /// Invitations and grants that end.
    async fn expiries(&mut self) {
        let Stage { world, partner } = &self.stage;
        let (invited, granted) = (world.customer().await, world.customer().await);
        world.invite(partner, &invited, json!(null)).await.expect(201);
        let created = world.invite(partner, &granted, commands::four_roles()).await.expect(201);
        let (id, token) = tests::parties::link(&created);
        world.send(&tests::parties::accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
        for (days, command) in [(31, "expire an invitation"), (365, "announce the end of a grant")] {
            world.clock().advance_days(days);
            self.prepared().await;
            local::jobs::run_expire_due(world.here().expect("here").0).await.expect("a report");
            self.stage.world.here().expect("here").0.courier().settle().await.expect("the outbox is readable");
            let asked = self.meter.take();
            self.totals.insert(command, Total::new(&asked, &[]));
            self.results.add(command, &asked);
        }
    }

    /// An event that is delivered to an endpoint at the first attempt.
    async fn deliveries(&mut self) {
        let world = &self.stage.world;
        let partner = world.partner().await;
        let receiver = Receiver::start().await;
        let body = json!({"url": receiver.url(), "event_types": ["subscription.registered"]});
        world.clock().advance_millis(20_000);
        world.send(&partner.call("POST", "/endpoints").json(&body)).await.expect(201);
        let customer = world.customer().await;
        world.relate(&partner, &customer).await;
        // The challenge is answered.
        world.here().expect("here").0.courier().settle().await.expect("the outbox is readable");
        self.prepared().await;
        let call = partner.register(&registration("sold-1", &customer));
        self.send("register, with a delivery", &call, 201).await;
    }

    /// The bytes that are stored for a customer with a key, an accepted invitation and three subscriptions, with all events: in
    /// the table, and in its indexes. DynamoDB adds 100 bytes to each item and to each entry of an index.
    async fn stored_for_a_customer(&mut self) -> (usize, usize) {
        let Stage { world, partner } = &self.stage;
        self.prepared().await;
        let customer = world.customer().await;
        world.relate(partner, &customer).await;
        for number in 0..3 {
            let id = format!("7f0f5e0c-1111-4000-8000-{number:012}");
            world.send(&partner.register(&registration(&id, &customer))).await.expect(201);
        }
        self.stage.world.here().expect("here").0.courier().settle().await.expect("the outbox is readable");
        let changes = self.meter.take().into_iter().flat_map(|asked| asked.changes);
        let mut items: BTreeMap<(String, String), Item> = BTreeMap::new();
        for change in changes.filter(|change| change.before != change.after) {
            items.extend(change.after.map(|item| (change.key, item)));
        }
        let entries =
            |item: &Item| INDEXES.iter().filter(|(_, pk, sk)| item.contains_key(*pk) && item.contains_key(*sk)).count();
        let sizes = || items.values().map(|item| (size_of(item) + 100, entries(item)));
        (sizes().map(|(size, _)| size).sum(), sizes().map(|(size, entries)| size * entries).sum())
    }

    /// What only sign-in, the start of a function, and events that can never be published write.
    async fn others(&mut self) {
        let world = &self.stage.world;
        let customer = world.customer().await;
        self.prepared().await;
        world.signed_in(&customer).await.expect("a session");
        self.results.add("sign in", &self.meter.take());
        let store = &world.app().expect("here").store;
        let op = OpContext { occurred_at: world.now(), deadline: Deadline::within(Duration::from_secs(60)) };
        store.confirm_master_key(op, 7, &[7; 32]).await.expect("a write");
        self.results.add("first start with a master key", &self.meter.take());
        store.note_poison(op, "EVENTS#KEY#x / 0000000001", "malformed").await.expect("a write");
        self.results.add("an event that cannot be read", &self.meter.take());
    }
}

#[tokio::test]
async fn the_hottest_partition_of_each_kind_is_in_the_document() {
    let Some(mut measure) = Measure::start().await else { return };
    // First, because it would find what the others leave to expire.
    measure.expiries().await;
    let (table, indexes) = measure.stored_for_a_customer().await;
    let stored = format!("{table} bytes in the table and {indexes} bytes in the indexes");
    measure.deliveries().await;
    measure.batch_of_40().await;
    measure.others().await;
    measure.commands().await;
    let totals: BTreeSet<String> = measure.totals.iter().map(|(command, total)| total.row(command)).collect();
    let text = |rows: &BTreeSet<String>| rows.iter().cloned().collect::<Vec<_>>().join("\n");
    println!("{}\n{}\n{stored}", text(&totals), text(&measure.results.rows()));
    for ((place, family), hottest) in &measure.results.0 {
        let events = u64::from(SHARDS) * UNITS_PER_SECOND / hottest.units;
        // An owner has at most 10 endpoints. Creating one costs more, because its challenge fails here and is tried again.
        if hottest.command.ends_with("endpoint") {
            continue;
        }
        // A batch has 40 events.
        let per_command = if hottest.command.contains("40") { 40 } else { 1 };
        assert!(!hottest.is_sharded || events * per_command > EVENTS_PER_SECOND, "{place} {family}: {hottest:?}");
    }
    let scale = scale();
    let documented = scale.lines().filter(|line| is_row_of_totals(line)).map(str::to_owned).collect::<BTreeSet<_>>();
    assert!(
        documented.len() > 5 && documented.is_subset(&totals),
        "docs/scale.md has rows with other numbers:\n{}",
        text(&(&documented - &totals))
    );
    assert!(scale.contains(&stored), "docs/scale.md must say: {stored}");
    let rows = measure.results.rows();
    let documented = scale.lines().filter(|line| rows_of_partitions(line)).map(str::to_owned).collect();
    assert!(rows == documented, "docs/scale.md must have these rows:\n{}\nIt has:\n{}", text(&rows), text(&documented));
}

/// Rows of six cells that end in a price.
fn is_row_of_totals(line: &str) -> bool {
    let cells: Vec<&str> = line.split(" | ").collect();
    cells.len() == 6 && cells[5].starts_with('$') && cells[1..5].iter().all(|cell| cell.parse::<u64>().is_ok())
}

fn rows_of_partitions(line: &str) -> bool {
    let places = INDEXES.iter().map(|(index, ..)| *index).chain([BASE]);
    places.into_iter().any(|place| line.starts_with(&format!("| {place} | `")))
}

/// Every prefix of a partition key that the code has is in the document, so no kind of partition is forgotten that the test
/// above does not write.
#[test]
fn every_prefix_of_a_partition_key_is_in_the_document() {
    const SOURCES: [&str; 4] = [
        include_str!("../../shared/platform/src/store/keys/prefix.rs"),
        include_str!("../../shared/platform/src/store/keys/due.rs"),
        include_str!("../../shared/platform/src/store/keys/views.rs"),
        include_str!("../../shared/platform/src/store/keys/primary.rs"),
    ];
    let documented: String = scale().lines().filter(|line| rows_of_partitions(line)).collect();
    let mut found = BTreeSet::new();
    for source in SOURCES {
        for text in source.split('"').skip(1).step_by(2) {
            let prefix = family(text.split(['{', '}']).next().unwrap_or_default());
            if !prefix.is_empty() && text.starts_with(&prefix) {
                found.insert(prefix);
            }
        }
    }
    assert!(found.len() > 15, "{found:?}");
    for prefix in found {
        assert!(documented.contains(&format!("`{prefix}")), "{prefix} is not in docs/scale.md");
    }
}

//! The feed returns every event exactly once, even with several writers, clock skew, slow writes and a lagging index.
//! Everything uses one virtual clock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use domain::Timestamp;
use futures_util::future::join_all;
use local::Options;
use local::engine::Engine;
use platform::clock::Clock;
use platform::secrets::AccessKeyText;
use serde_json::{Value, json};
use tests::SeededRandom;
use tests::parties::registration;
use tests::{Call, ManualClock, World};
use tokio::sync::RwLock;

use crate::common::audited;
use crate::wire;

const WRITERS: usize = 8;
const WRITES: usize = 8;
/// The clock advances this far between two reads of the feed.
const STEP_MS: i64 = 170;

/// A clock with a constant error.
#[derive(Debug)]
struct Skewed {
    right: Arc<ManualClock>,
    by_ms: i64,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.right.now().plus_millis(self.by_ms)
    }
}

/// The state that the writers and the reader of the feed share.
struct Sea {
    engine: Engine,
    clock: Arc<ManualClock>,
    /// Held during a write so that the clock does not advance.
    under_way: RwLock<()>,
    /// When each item was written, by its primary key. In milliseconds.
    written: Mutex<HashMap<(String, String), i64>>,
    /// The maximum lag of the index that the feed reads.
    lag_ms: i64,
    calls: AtomicUsize,
}

impl Sea {
    /// A deterministic pseudorandom number below `limit`.
    fn below(&self, limit: i64) -> i64 {
        let call = i64::try_from(self.calls.fetch_add(1, Ordering::SeqCst)).unwrap();
        (call * 7_919 + 4_001) % 10_007 * limit / 10_007
    }

    /// Options for a system that writes. Reads are delayed, sometimes so long that the next write is rejected.
    fn writing(self: &Arc<Self>) -> Options {
        let sea = Arc::clone(self);
        let http = wire::wire(&self.engine, move |sent| {
            let sea = Arc::clone(&sea);
            HttpConnectorFuture::new(async move {
                if sent.operation == "GetItem" {
                    let until = sea.clock.now().plus_millis(sea.below(4_400));
                    while sea.clock.now() < until {
                        tokio::task::yield_now().await;
                    }
                }
                if sent.operation != "TransactWriteItems" {
                    return sent.go_on().await;
                }
                let _standing = sea.under_way.read().await;
                let keys: Vec<_> = keys_of(&sent.body);
                let answer = sent.go_on().await;
                if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                    let now = sea.clock.now().millis();
                    sea.written.lock().unwrap().extend(keys.into_iter().map(|key| (key, now)));
                }
                answer
            })
        });
        Options { http_client: Some(http), ..Options::default() }
    }

    /// Options for the system that reads the feed. Responses from an index may omit the newest writes.
    fn following(self: &Arc<Self>) -> Options {
        let sea = Arc::clone(self);
        let http = wire::wire(&self.engine, move |sent| {
            let sea = Arc::clone(&sea);
            HttpConnectorFuture::new(async move {
                let is_query = sent.operation == "Query";
                let index = sent.body["IndexName"].as_str().unwrap_or_default().to_owned();
                let answer = sent.go_on().await?;
                if !is_query || index.is_empty() {
                    return Ok(answer);
                }
                Ok(wire::answer(200, &sea.lagging(wire::read(answer).await)))
            })
        });
        Options { http_client: Some(http), ..Options::default() }
    }

    fn lagging(&self, mut page: Value) -> Value {
        let now = self.clock.now().millis();
        let written = self.written.lock().unwrap().clone();
        let items = page["Items"].as_array_mut().unwrap();
        items.retain(|item| written.get(&key_of(item)).is_none_or(|at| now - at >= self.below(self.lag_ms + 1)));
        // The page must not end after an item that is not visible yet.
        let last = items.last().cloned();
        if let Some(end) = page["LastEvaluatedKey"].as_object_mut() {
            match last {
                Some(last) => end.iter_mut().for_each(|(name, value)| *value = last[name].clone()),
                None => drop(page.as_object_mut().unwrap().remove("LastEvaluatedKey")),
            }
        }
        page["Count"] = json!(page["Items"].as_array().unwrap().len());
        page
    }
}

fn key_of(item: &Value) -> (String, String) {
    let part = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    (part("pk"), part("sk"))
}

fn keys_of(transaction: &Value) -> Vec<(String, String)> {
    let writes = transaction["TransactItems"].as_array().unwrap().iter();
    writes.filter_map(|write| Some(key_of(write.get("Put")?.get("Item")?))).collect()
}

/// The events that the feed returned, all events, and the number of writes rejected as too late.
struct Voyage {
    followed: Vec<Value>,
    all: Vec<Value>,
    late: usize,
}

/// Runs eight writers on four systems with these clock errors, and a reader of the feed on a fifth system.
async fn voyage(skews: [i64; 4], follower_ms: i64, lag_ms: i64) -> Option<Voyage> {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-22T12:00:00.000Z").unwrap()));
    let sea = Arc::new(Sea {
        engine: Engine::memory().unwrap(),
        clock: Arc::clone(&clock),
        under_way: RwLock::default(),
        written: Mutex::default(),
        lag_ms,
        calls: AtomicUsize::new(0),
    });
    let operator = AccessKeyText::from_bytes(&[7; 32]);
    let system = async |seed, by_ms, options: Options| {
        let clock = Arc::new(Skewed { right: Arc::clone(&clock), by_ms });
        let engine = Some(sea.engine.clone());
        World::with_options(|own| {
            *own = Options {
                clock,
                random: Arc::new(SeededRandom::new(seed)),
                engine,
                operator_key: Some(AccessKeyText::parse(operator.expose_secret()).unwrap()),
                ..options
            };
        })
        .await
        // The check would report subscriptions that other systems registered.
        .inspect(World::stop_checking)
    };
    // One system without delays creates the parties.
    let shore = system(1, 0, Options::default()).await?;
    let follower = system(2, follower_ms, sea.following()).await?;
    let mut systems = Vec::new();
    for (seed, skew) in (3..).zip(skews) {
        systems.push(system(seed, skew, sea.writing()).await?);
    }
    let partner = shore.partner().await;
    let mut customers = Vec::new();
    for _ in 0..WRITERS {
        let customer = shore.customer().await;
        shore.relate(&partner, &customer).await;
        customers.push(customer);
    }

    let (late, left) = (AtomicUsize::new(0), AtomicUsize::new(WRITERS));
    let write = async |writer: usize| {
        let (system, customer) = (&systems[writer % systems.len()], &customers[writer]);
        for at in 0..WRITES {
            // Two kinds of events, of two aggregates. The second kind reads before it writes.
            let call = if at % 4 == 0 {
                partner.register(&registration(&format!("s-{writer}-{at}"), customer))
            } else {
                let path = format!("/v1/customers/{}", customer.tenant_id);
                Call::new("PATCH", path).json(&json!({"name": format!("Contoso {at}")})).key(operator.expose_secret())
            };
            loop {
                let answer = system.send(&call).await;
                if answer.status == 503 {
                    late.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
                break;
            }
        }
        left.fetch_sub(1, Ordering::SeqCst);
    };
    let follow = async {
        let (mut cursor, mut followed, mut quiet) = (String::new(), Vec::new(), 0);
        while quiet < 16 {
            let path = format!("/v1/events?limit=7&after={cursor}");
            let page = follower.send(&Call::get(path).key(operator.expose_secret())).await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            let writing = left.load(Ordering::SeqCst) > 0;
            quiet = if writing || !items.is_empty() { 0 } else { quiet + 1 };
            followed.extend(items);
            cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
            let _nothing_under_way = sea.under_way.write().await;
            // After the writes only the hold-back and the lag have to pass.
            clock.advance_millis(if writing { STEP_MS } else { 1_000 });
        }
        followed
    };
    let (followed, _) = futures_util::future::join(follow, join_all((0..WRITERS).map(write))).await;
    let all = shore.all(&Call::get("/v1/events?limit=100").key(operator.expose_secret())).await;
    assert_eq!(audited(&shore).await, all.len());
    Some(Voyage { followed, all, late: late.into_inner() })
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_feed_returns_every_event_once_and_in_order_despite_clock_skew_and_index_lag() {
    let Some(sailed) = voyage([-2_000, -700, 900, 2_000], 0, 3_000).await else { return };
    let Voyage { followed, all, late } = sailed;
    println!("{} events, {} from the feed, {late} writes too late", all.len(), followed.len());
    assert!(late > 0, "some writes must be late and rejected");
    // Partner: enrolled, key issued. Each customer: registered, key issued, invited, accepted. Then the writes.
    assert_eq!(all.len(), 2 + WRITERS * (4 + WRITES));
    assert_eq!((followed.len(), ids(&followed)), (all.len(), ids(&all)));
    let times: Vec<_> = followed.iter().map(|event| event["occurred_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    assert!(gaps(&followed).is_empty());
}

/// Aggregates with a gap in the sequence of their events.
fn gaps(events: &[Value]) -> BTreeSet<String> {
    let mut sequences: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for event in events {
        let kind = event["type"].as_str().unwrap().split('.').next().unwrap();
        let aggregate = format!("{kind} {}", event["subject"]);
        sequences.entry(aggregate).or_default().insert(event["sequence"].as_u64().unwrap());
    }
    let whole = |seen: &BTreeSet<u64>| seen.last().is_none_or(|last| *last == seen.len() as u64);
    sequences.into_iter().filter(|(kind, seen)| kind.starts_with("customer") && !whole(seen)).map(|(k, _)| k).collect()
}

/// If clocks differ too much, the feed can skip events, and the sequences show it. This also proves that the test above
/// can fail.
#[tokio::test]
async fn a_reader_with_a_clock_far_ahead_misses_events_and_sees_the_gaps() {
    let Some(Voyage { followed, all, .. }) = voyage([0; 4], 14_000, 3_000).await else { return };
    let missed = ids(&all).len() - ids(&followed).len();
    println!("{missed} of {} missed", all.len());
    assert!(missed > 0 && ids(&followed).len() == followed.len());
    assert!(!gaps(&followed).is_empty());
}

#[tokio::test]
async fn a_cursor_from_a_clock_ahead_is_returned_unchanged_until_its_time() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    world.clock().advance_millis(12_000);
    for reader in [partner.call("GET", "/events"), Call::get("/v1/events").key(world.operator_key())] {
        let page = async |cursor: &str| {
            let mut call = reader.clone();
            call.path = format!("{}?after={cursor}", reader.path);
            world.send(&call).await.expect(200)
        };
        let first = page("").await;
        let cursor = first["next_cursor"].as_str().unwrap();
        assert!(!first["items"].as_array().unwrap().is_empty());
        let nothing = json!({"items": [], "next_cursor": cursor});
        for behind in [0, 1, 5_000, 12_000, 3_600_000, 40 * 86_400_000] {
            world.clock().advance_millis(-behind);
            assert_eq!(page(cursor).await, nothing, "{behind} ms");
            assert!(behind == 0 || page("").await["items"].as_array().unwrap().is_empty());
            world.clock().advance_millis(behind);
        }
    }
}

#[tokio::test]
async fn the_feed_of_a_subject_has_the_same_events_as_its_list() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let grant = crate::common::granted(&world, &partner, &customer, "P10D", false).await;
    world.send(&partner.register(&registration("Azure-Plan.1", &customer))).await.expect(201);
    world.tick();
    world.send(&partner.call("DELETE", &format!("/grants/{grant}"))).await.expect(200);
    world.clock().advance_millis(12_000);
    let keys = world.all(&Call::get("/v1/keys").key(world.operator_key())).await;
    let key = keys[0]["key_id"].as_str().unwrap();
    let read =
        async |query: String| world.all(&Call::get(format!("/v1/events?{query}")).key(world.operator_key())).await;
    for (subject, count) in [
        (grant.replace("grt_", "inv_").as_str(), 3),
        (&grant, 2),
        ("Azure-Plan.1", 1),
        ("azure-plan.1", 1),
        ("AZURE-PLAN.1", 1),
        (key, 1),
        (&partner.partner_id, 6),
        (&customer.tenant_id, 6),
        ("unknown", 0),
    ] {
        let mut list = ids(&read(format!("subject={subject}")).await);
        let path = format!("/v1/events?after=&limit=100&subject={subject}");
        let feed = world.send(&Call::get(path).key(world.operator_key())).await.expect(200);
        let feed = feed["items"].as_array().unwrap();
        assert_eq!((feed.len(), list.len()), (count, count), "{subject}: {feed:#?}");
        list.retain(|id| !ids(feed).contains(id));
        assert!(list.is_empty(), "{subject}");
    }
}

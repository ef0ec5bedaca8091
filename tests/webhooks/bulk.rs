//! Many events, receivers that fail, processes that die: nothing is lost and nothing is invented.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::domain::digest;
use tests::Reply;
use tests::parties::registration;

use crate::common::{Hook, Stage};

/// `EVENTS=100000 cargo test --release -p tests --test webhooks -- every_event --nocapture` for the long run.
fn events() -> u32 {
    std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

/// A fifth of all attempts fails, in one of several ways, always the same for the same message and attempt.
fn unreliable(id: &str, times: u32) -> Reply {
    let draw = digest("receiver", &[id.as_bytes(), &times.to_be_bytes()]);
    match (draw[0] % 5, draw[1] % 4) {
        (0, 0) => Reply::status(500),
        (0, 1) => Reply::status(429).header("retry-after", "7"),
        (0, 2) => Reply::status(503).header("retry-after", "-1"),
        (0, _) => Reply::status(302).header("location", "http://127.0.0.1:9001/"),
        _ => Reply::status(204),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_whatever_fails_and_dies() {
    let stage = Stage::start().await;
    stage.world.look_away();
    let hook = stage.active(Value::Null).await;
    hook.receiver.answer(unreliable);
    let customer = stage.world.customer().await;
    stage.world.relate(&stage.partner, &customer).await;
    let began = Instant::now();
    let between = (events() / 40).max(100);
    let mut kills = 0;
    for n in 1..=events() {
        let body = registration(&format!("s{n}"), &customer);
        stage.ask(stage.partner.register(&body)).await.expect(201);
        if n % between == 0 {
            kills += 1;
            die_in_the_middle(&stage, kills, between).await;
        }
    }
    let committed = committed(&stage).await;
    stage.settle_for(80 * 3_600_000).await;
    let arrived = hook.receiver.arrived();
    let received: BTreeSet<String> =
        arrived.iter().filter(|one| one.kind() != "endpoint.challenge").map(|one| one.id.clone()).collect();
    let lost: Vec<_> = committed.difference(&received).collect();
    let invented: Vec<_> = received.difference(&committed).collect();
    assert!(lost.is_empty() && invented.is_empty(), "lost {lost:?}, invented {invented:?}");
    assert!(arrived.iter().all(|one| one.is_signed_with(&hook.secret)));
    sequences_restore_the_order(&hook);
    let failed = arrived.iter().filter(|one| one.answered >= 300).count();
    println!(
        "{} events, {} messages ({failed} refused), {kills} kills, {:?}",
        committed.len(),
        arrived.len(),
        began.elapsed()
    );
    assert!(failed > arrived.len() / 8, "the receiver was unreliable");
}

/// Publishing and delivering is cut off anywhere, with all that is in the queue; the next process begins from the table.
async fn die_in_the_middle(stage: &Stage, kill: u32, events: u32) {
    let (local, clock) = stage.world.here().expect("here");
    let draw = digest("kill", &[&kill.to_be_bytes()]);
    // Up to 1.3 ms an event, which is too short for all of them.
    let life = Duration::from_micros(u64::from(u16::from_be_bytes([draw[0], draw[1]]))) * events / 50;
    let _ = tokio::time::timeout(life, local.courier().settle()).await;
    local.courier().queue.clear();
    local.courier().rebuild(local.client(), local.table()).await.expect("it is rebuilt");
    clock.advance_millis(20_000);
}

/// The ids of all events that the partner finds in its feed.
async fn committed(stage: &Stage) -> BTreeSet<String> {
    stage.clock().advance_millis(60_000);
    let mut ids = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page = stage.ask(stage.partner.call("GET", &format!("/events?after={after}&limit=100"))).await.expect(200);
        let items = page["items"].as_array().expect("items");
        if items.is_empty() {
            return ids;
        }
        // Enrolment and the first key came before the endpoint.
        let before = |item: &&Value| !["partner.enrolled", "key.issued"].contains(&item["type"].as_str().unwrap_or(""));
        ids.extend(items.iter().filter(before).map(|item| item["event_id"].as_str().expect("an id").to_owned()));
        after = page["next_cursor"].as_str().expect("a cursor").to_owned();
    }
}

/// Per aggregate, the numbers of what arrived are all there is, so whoever sorts by them has the order.
fn sequences_restore_the_order(hook: &Hook) {
    let mut numbers: std::collections::BTreeMap<String, BTreeSet<u64>> = std::collections::BTreeMap::new();
    for arrived in hook.receiver.arrived().iter().filter(|one| one.kind() == "subscription.registered") {
        let body = arrived.json();
        let subject = body["data"]["subject"]["subscription_id"].as_str().expect("an id").to_owned();
        numbers.entry(subject).or_default().insert(body["data"]["sequence"].as_u64().expect("a number"));
    }
    assert!(numbers.values().all(|numbers| numbers.iter().copied().eq(1..=numbers.len() as u64)));
}

#[tokio::test]
async fn what_waited_while_nothing_was_published_for_half_an_hour_arrives() {
    let stage = Stage::start().await;
    let hook = stage.active(serde_json::json!(["partner.renamed"])).await;
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(stage.event(&format!("Northwind {n}")).await);
        stage.clock().advance_millis(60_000);
    }
    // The stream is gone; the sweep alone finds them.
    let local = stage.world.here().expect("here").0;
    local::jobs::run_once(local, &publish_events::JOB).await.expect("it runs");
    while stage.courier().deliver().await > 0 {}
    let arrived = hook.receiver.of_type("partner.renamed");
    assert_eq!(arrived.len(), ids.len() - 1, "the youngest is left to the stream");
    let mut numbers: Vec<u64> =
        arrived.iter().map(|one| one.json()["data"]["sequence"].as_u64().expect("a number")).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    stage.settle().await;
    assert_eq!(hook.receiver.of_type("partner.renamed").len(), ids.len());
}

//! Unexpected input of the two functions: records and messages that are repeated, late, malformed, or from another version.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use deliver_webhook::Deliverer;
use domain::{EndpointId, MessageId, Owner, PartnerId, Policy, digest};
use platform::lambda::{Invocation, Job, JobError, run_job};
use platform::outbound::{Loopback, Sender, SystemResolver};
use platform::queue::{Queue, QueueError, Queued, Ticket};
use platform::random::Random;
use platform::secrets::MasterKeys;
use platform::store::Store;
use publish_events::Publisher;
use serde_json::{Value, json};
use tests::{Reply, SeededRandom};

use crate::common::{Hook, Stage};

fn store(stage: &Stage, random: Arc<dyn Random>) -> Store {
    let local = stage.world.here().expect("here").0;
    let clock = Arc::clone(&stage.courier().publisher.clock);
    Store::new(local.client().clone(), local.table().to_owned(), clock, random)
}

/// Publishes from the stage's table into this queue.
pub fn publisher(stage: &Stage, queue: Arc<dyn Queue>) -> Arc<Publisher> {
    let random = Arc::new(SeededRandom::new(3));
    let clock = Arc::clone(&stage.courier().publisher.clock);
    Arc::new(Publisher { store: store(stage, random.clone()), queue, clock, random })
}

/// Delivers from the stage's table and queue, but has no master key.
fn deliverer_without_keys(stage: &Stage) -> Arc<Deliverer> {
    let random = Arc::new(SeededRandom::new(3));
    Arc::new(Deliverer {
        store: store(stage, random.clone()),
        queue: stage.courier().queue.clone(),
        sender: Sender::new(Arc::new(SystemResolver), Loopback::Allowed).expect("a sender"),
        keys: MasterKeys::default(),
        policy: Policy::built_in().expect("a policy"),
        clock: Arc::clone(&stage.courier().publisher.clock),
        random,
        loopback: Loopback::Allowed,
    })
}

pub async fn run<W>(worker: &Arc<W>, job: &Job<W>, event: &Value) -> Result<Value, JobError> {
    let invocation = Invocation { id: "test".into(), remaining: Duration::from_secs(30) };
    run_job(Arc::clone(worker), job, event.to_string().into_bytes(), invocation).await
}

fn record(number: usize, event_name: &str, pk: &str, sk: &str) -> Value {
    json!({
        "eventID": number.to_string(), "eventName": event_name, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, "SequenceNumber": format!("{number:021}")},
    })
}

impl Stage {
    async fn publish(&self, records: Vec<Value>) -> Value {
        run(&self.courier().publisher, &publish_events::JOB, &json!({"Records": records})).await.expect("an answer")
    }

    async fn hand_over(&self, messages: Vec<Value>) -> Value {
        run(self.deliverer(), &deliver_webhook::JOB, &json!({"Records": messages})).await.expect("an answer")
    }

    /// The keys of all items in the outbox, oldest first.
    pub async fn waiting(&self) -> Vec<(String, String)> {
        let table = self.world.table().await;
        let mut waiting: Vec<_> = table
            .into_iter()
            .filter(|(_, item)| item.get("gsi3pk").is_some_and(|pk| pk.as_s().unwrap().starts_with("OUTBOX#")))
            .map(|(key, item)| (item["gsi3sk"].as_s().unwrap().clone(), key))
            .collect();
        waiting.sort();
        waiting.into_iter().map(|(_, key)| key).collect()
    }

    /// An attribute of every poison item.
    async fn noted(&self, attribute: &str) -> BTreeSet<String> {
        let table = self.world.table().await;
        let notes = table.into_iter().filter(|((pk, _), _)| pk.starts_with("POISON#"));
        notes.map(|(_, note)| note[attribute].as_s().unwrap().clone()).collect()
    }

    /// Puts an item into the outbox.
    pub async fn put(&self, pk: &str, sk: &str, change: &[(&str, AttributeValue)]) {
        let local = self.world.here().expect("here").0;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut put = local.client().put_item().table_name(local.table()).item("pk", text(pk)).item("sk", text(sk));
        put = put.item("gsi3pk", text("OUTBOX#0")).item("gsi3sk", text(&self.world.now().sortable()));
        for (name, value) in change {
            put = put.item(*name, value.clone());
        }
        put.send().await.expect("the item is written");
    }
}

fn nothing_failed() -> Value {
    json!({"batchItemFailures": []})
}

async fn events(stage: &Stage, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(stage.event(&format!("Northwind {n}")).await);
        stage.clock().advance_millis(1);
    }
    ids
}

fn arrived(hook: &Hook) -> Vec<String> {
    hook.receiver.of_type("partner.updated").into_iter().map(|one| one.id).collect()
}

#[tokio::test]
async fn a_poison_record_among_a_hundred_does_not_stop_the_others() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let ids = events(&stage, 99).await;
    let mut keys = stage.waiting().await;
    // An item that no version can read, marked for the outbox.
    stage.put("EVENTS#PARTNER#x", "0000000001", &[("v", AttributeValue::S("none".into()))]).await;
    keys.insert(50, ("EVENTS#PARTNER#x".into(), "0000000001".into()));
    assert_eq!(keys.len(), 100);
    let records = keys.iter().enumerate().map(|(at, (pk, sk))| record(at, "INSERT", pk, sk)).collect();
    assert_eq!(stage.publish(records).await, nothing_failed());
    while stage.courier().deliver().await > 0 {}
    let mut seen = arrived(&hook);
    seen.sort();
    let mut all = ids.clone();
    all.sort();
    assert_eq!(seen, all);
    assert_eq!(stage.noted("named").await, ["EVENTS#PARTNER#x / 0000000001".to_owned()].into());
    assert!(stage.waiting().await.is_empty(), "the poison item is no longer in the outbox");
    stage.clock().advance_millis(180_000);
    assert_eq!(stage.sweep().await, Ok(json!({"published": 0})), "the sweep does not find the poison item");
}

#[tokio::test]
async fn poison_that_only_the_sweep_finds_is_reported_once() {
    let stage = Stage::start().await;
    stage.settle().await;
    stage.put("EVENTS#PARTNER#x", "0000000001", &[("v", AttributeValue::S("none".into()))]).await;
    for (wait, found) in [(119_999, 0), (1, 1), (180_000, 0)] {
        stage.clock().advance_millis(wait);
        assert_eq!(stage.sweep().await, Ok(json!({"published": found})), "{wait}");
    }
    assert_eq!(stage.noted("named").await.len(), 1);
}

#[tokio::test]
async fn repeated_late_and_reordered_records_change_nothing() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let ids = events(&stage, 5).await;
    let keys = stage.waiting().await;
    let batch = |order: &[usize]| order.iter().map(|at| record(*at, "INSERT", &keys[*at].0, &keys[*at].1)).collect();
    for order in [&[4, 2, 4][..], &[0, 1, 2, 3, 4], &[3, 3, 0]] {
        assert_eq!(stage.publish(batch(order)).await, nothing_failed());
    }
    while stage.courier().deliver().await > 0 {}
    let mut seen = arrived(&hook);
    seen.sort();
    let mut all = ids;
    all.sort();
    assert_eq!(seen, all, "each once");
}

/// A record with unreadable keys.
fn broken(number: usize, keys: Value) -> Value {
    let mut record = record(number, "INSERT", "", "");
    record["dynamodb"]["Keys"] = keys;
    record
}

#[tokio::test]
async fn malformed_records_are_skipped_and_reported() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let ids = events(&stage, 2).await;
    let keys = stage.waiting().await;
    // The table deletes an expired item. The old image still has the outbox's mark.
    let mut expired = record(4, "REMOVE", "DELIVERY#msg_x", "ep_x");
    expired["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    expired["dynamodb"]["OldImage"] = json!({
        "pk": {"S": "DELIVERY#msg_x"}, "sk": {"S": "ep_x"}, "v": {"N": "1"}, "ttl": {"N": "1795348800"},
        "gsi3pk": {"S": "OUTBOX#0"}, "gsi3sk": {"S": "1795348800000"},
    });
    let mut future = record(5, "INSERT", &keys[0].0, &keys[0].1);
    future["eventVersion"] = json!("9.9");
    future["dynamodb"]["NewImage"] = json!(["of", "another", "form"]);
    let endless = "x".repeat(3_000);
    let unreadable = [
        json!(null),
        json!({"pk": {"N": "1"}, "sk": {"S": "x"}}),
        json!({"pk": {"S": "x"}}),
        json!("x"),
        json!({"pk": {"S": ""}, "sk": {"S": "x"}}),
        json!({"pk": {"S": "x"}, "sk": {"S": endless}}),
    ];
    let unreadable = (10..).zip(unreadable).map(|(number, keys)| broken(number, keys)).collect();
    let numbered = [10, 11, 12, 13, 14, 15].map(|number| format!("stream record {number:021}"));
    let numberless = vec![json!(null), json!(7), json!({}), json!({"dynamodb": {"SequenceNumber": 7}})];
    // The reported names, and the number of messages.
    for (records, noted, sent) in [
        (vec![], vec![], 0),
        (vec![record(1, "REMOVE", "DELIVERY#msg_x", "ep_x")], vec![], 0),
        (vec![json!({"eventName": "REMOVE"})], vec![], 0),
        (vec![record(2, "INSERT", "EVENTS#PARTNER#none", "0000000001")], vec![], 0),
        (vec![record(3, "MODIFY", "SUBSCRIPTION#public#a", "SUBSCRIPTION")], vec![], 0),
        (vec![expired], vec![], 0),
        // Only the keys are read, and they are valid.
        (vec![future], vec![], 1),
        (unreadable, numbered.to_vec(), 0),
        // Without a number they can't be distinguished.
        (numberless, vec!["stream record without number".to_owned()], 0),
        (vec![record(6, "INSERT", &keys[1].0, &keys[1].1)], vec![], 1),
    ] {
        let (before, sent_before) = (stage.noted("named").await, arrived(&hook).len());
        assert_eq!(stage.publish(records.clone()).await, nothing_failed(), "{records:?}");
        while stage.courier().deliver().await > 0 {}
        let after = stage.noted("named").await;
        assert_eq!(&after - &before, noted.into_iter().collect(), "{records:?}");
        assert_eq!(arrived(&hook).len() - sent_before, sent, "{records:?}");
    }
    assert_eq!(arrived(&hook), ids);
    assert_eq!(stage.noted("reason").await, ["the stream record has no item key".to_owned()].into());
}

#[tokio::test]
async fn an_event_whose_message_is_too_long_is_reported_and_not_sent() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    stage.event("Northwind 2").await;
    let (pk, sk) = stage.waiting().await.remove(0);
    let item = stage.world.table().await.remove(&(pk.clone(), sk.clone())).expect("an event");
    let long = json!({"name": "x".repeat(21_000)}).to_string();
    let mut attributes: Vec<(&str, AttributeValue)> =
        item.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    attributes.push(("event_data", AttributeValue::S(long)));
    stage.put(&pk, &sk, &attributes).await;
    stage.settle().await;
    assert!(arrived(&hook).is_empty());
    let reasons = stage.noted("reason").await;
    assert!(reasons.len() == 1 && reasons.iter().all(|reason| reason.contains("bytes")), "{reasons:?}");
    assert!(stage.waiting().await.is_empty());
}

#[tokio::test]
async fn an_unreadable_endpoint_does_not_stop_others() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let other = stage.active(json!(["partner.updated"])).await;
    let table = stage.world.table().await;
    let is_it = |(pk, sk): &(String, String)| pk.starts_with("ENDPOINTS#") && sk.ends_with(&other.id);
    let (key, mut item) = table.into_iter().find(|(key, _)| is_it(key)).expect("an endpoint");
    item.insert("v".into(), AttributeValue::S("none".into()));
    let local = stage.world.here().expect("here").0;
    let put = local.client().put_item().table_name(local.table()).set_item(Some(item.into_iter().collect()));
    put.send().await.expect("the item is written");
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(arrived(&hook), [id]);
    assert!(arrived(&other).is_empty());
    assert_eq!(stage.noted("named").await, [format!("{} / {}", key.0, key.1)].into());
    assert!(stage.waiting().await.is_empty());
}

#[tokio::test]
async fn internal_errors_do_not_count_as_attempts() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let id = stage.event("Northwind 2").await;
    stage.courier().publish().await.expect("published");
    let deliverer = deliverer_without_keys(&stage);
    let ticket = stage.courier().queue.receive(1).remove(0);
    let message = json!({"messageId": "m", "receiptHandle": ticket.receipt, "body": ticket.body});
    for _ in 0..12 {
        let answer = run(&deliverer, &deliver_webhook::JOB, &json!({"Records": [message]})).await.expect("an answer");
        assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m"}]}));
    }
    assert_eq!(stage.delivery(&hook, &id).await["attempt"], json!(0));
    stage.settle_for(600_000).await;
    assert_eq!(arrived(&hook), [id]);
}

/// A queue that fails at one call.
pub struct FailingOnce {
    at: usize,
    calls: AtomicUsize,
    queue: Arc<dyn Queue>,
}

impl FailingOnce {
    pub fn new(at: usize, stage: &Stage) -> Arc<Self> {
        Arc::new(Self { at, calls: AtomicUsize::new(0), queue: stage.courier().queue.clone() })
    }
}

impl Queue for FailingOnce {
    fn send(&self, tickets: Vec<Ticket>) -> Queued<'_> {
        if self.calls.fetch_add(1, Ordering::SeqCst) == self.at {
            return Box::pin(async { Err(QueueError::Failed { source_text: "throttled".into() }) });
        }
        self.queue.send(tickets)
    }

    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a> {
        self.queue.postpone(receipt, wait)
    }
}

#[tokio::test]
async fn a_transient_failure_stops_the_batch_at_its_record_and_loses_nothing() {
    for at in [0, 2, 4] {
        let stage = Stage::start().await;
        let hook = stage.active(json!(["partner.updated"])).await;
        let ids = events(&stage, 5).await;
        let keys = stage.waiting().await;
        let publisher = publisher(&stage, FailingOnce::new(at, &stage));
        let batch = |keys: &[(String, String)]| {
            let records = keys.iter().enumerate().map(|(at, (pk, sk))| record(at, "INSERT", pk, sk));
            json!({"Records": records.collect::<Vec<_>>()})
        };
        let answer = run(&publisher, &publish_events::JOB, &batch(&keys)).await.expect("an answer");
        assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": format!("{at:021}")}]}));
        // The platform calls again from there.
        let answer = run(&publisher, &publish_events::JOB, &batch(&keys[at..])).await.expect("an answer");
        assert_eq!(answer, nothing_failed());
        while stage.courier().deliver().await > 0 {}
        let mut seen = arrived(&hook);
        seen.sort();
        let mut all = ids;
        all.sort();
        assert_eq!(seen, all);
    }
}

#[tokio::test]
async fn malformed_and_unknown_tickets_are_removed() {
    let stage = Stage::start().await;
    let hash = digest("unknown", &[]);
    let nobodys = Ticket {
        webhook_id: MessageId::from_hash(&hash).into(),
        endpoint_id: EndpointId::from_hash(&hash),
        owner: Owner::Partner(PartnerId::from_hash(&hash)),
    };
    let future = nobodys.to_text().replace("\"v\":1", "\"v\":2");
    for body in ["", "{}", "null", "x", r#"{"v":1}"#, &future, &nobodys.to_text()] {
        let message = json!({"messageId": "m", "receiptHandle": "r", "body": body});
        assert_eq!(stage.hand_over(vec![message]).await, nothing_failed(), "{body}");
    }
    assert_eq!(stage.hand_over(vec![json!(null), json!({"messageId": 7})]).await, nothing_failed());
    for event in [json!({}), json!(null), json!([]), json!({"Records": 1})] {
        run(stage.deliverer(), &deliver_webhook::JOB, &event).await.expect_err("it is no batch");
    }
}

#[tokio::test]
async fn ten_parallel_copies_of_a_ticket_make_one_attempt() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.courier().publish().await.expect("published");
    let ticket = stage.courier().queue.receive(1).remove(0);
    let messages = |n: usize| {
        let message = |at| json!({"messageId": format!("m{at}"), "receiptHandle": "r", "body": ticket.body});
        (0..n).map(message).collect::<Vec<_>>()
    };
    stage.hand_over(messages(10)).await;
    assert_eq!(arrived(&hook), std::slice::from_ref(&id));
    // An old ticket has no effect before the next attempt is due.
    stage.hand_over(messages(3)).await;
    assert_eq!(arrived(&hook).len(), 1);
    assert_eq!(stage.delivery(&hook, &id).await["attempt"], json!(1));
}

//! Events that the stream does not bring: the sweep publishes them.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use platform::queue::Ticket;
use serde_json::{Value, json};

use crate::common::Stage;
use crate::hostile::{FailingOnce, publisher, run};

impl Stage {
    /// Runs the scheduled job that publishes what the stream did not bring. Returns its report or error.
    pub async fn sweep(&self) -> Result<Value, String> {
        let local = self.world.here().expect("here").0;
        local::jobs::run_publish_events(local).await.map_err(|error| error.to_string())
    }

    /// Puts events into one shard of the outbox. Returns their keys, oldest first. All but the first are copies of it with
    /// other numbers, which is faster than requests.
    async fn backlog(&self, count: usize) -> Vec<(String, String)> {
        self.event("Northwind 2").await;
        let (pk, sk) = self.waiting().await.remove(0);
        let mut item = self.world.table().await.remove(&(pk.clone(), sk.clone())).expect("an event");
        item.retain(|name, _| !["pk", "sk", "gsi3pk", "gsi3sk"].contains(&name.as_str()));
        let item: Vec<(&str, AttributeValue)> = item.iter().map(|(name, value)| (&**name, value.clone())).collect();
        let first: usize = sk.parse().expect("a number");
        let keys: Vec<_> = (first..first + count).map(|number| (pk.clone(), format!("{number:010}"))).collect();
        for (pk, sk) in &keys {
            self.put(pk, sk, &item).await;
            self.clock().advance_millis(1);
        }
        assert_eq!(self.waiting().await, keys);
        keys
    }

    /// Receives all tickets in the queue. Returns their messages.
    fn queued(&self) -> Vec<String> {
        let received = self.courier().queue.receive(usize::MAX).into_iter();
        received.map(|one| Ticket::parse(&one.body).expect("a ticket").webhook_id.to_string()).collect()
    }
}

#[tokio::test]
async fn events_arrive_after_half_an_hour_without_publishing() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(stage.event(&format!("Northwind {n}")).await);
        stage.clock().advance_millis(60_000);
    }
    // There is no stream; only the sweep finds them.
    stage.sweep().await.expect("it runs");
    while stage.courier().deliver().await > 0 {}
    let arrived = hook.receiver.of_type("partner.updated");
    assert_eq!(arrived.len(), ids.len() - 1, "the newest event is left to the stream");
    let mut numbers: Vec<u64> =
        arrived.iter().map(|one| one.json()["data"]["sequence"].as_u64().expect("a number")).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    stage.settle().await;
    assert_eq!(hook.receiver.of_type("partner.updated").len(), ids.len());
}

#[tokio::test]
async fn one_sweep_reads_all_pages_of_a_shard() {
    let stage = Stage::start().await;
    let _hook = stage.active(json!(["partner.updated"])).await;
    // A page has 50 items.
    let keys = stage.backlog(130).await;
    stage.clock().advance_millis(120_000);
    assert_eq!(stage.sweep().await, Ok(json!({"published": keys.len()})));
    assert!(stage.waiting().await.is_empty());
    let queued = stage.queued();
    assert_eq!((queued.len(), queued.into_iter().collect::<BTreeSet<_>>().len()), (130, 130), "each once");
}

#[tokio::test]
async fn only_failed_items_of_a_sweep_wait_for_the_next() {
    for at in [0, 3, 6] {
        let stage = Stage::start().await;
        let _hook = stage.active(json!(["partner.updated"])).await;
        let keys = stage.backlog(7).await;
        stage.clock().advance_millis(120_000);
        let publisher = publisher(&stage, FailingOnce::new(at, &stage));
        let sweep = async || run(&publisher, &publish_events::JOB, &json!({})).await.map_err(|error| error.to_string());
        assert_eq!(sweep().await, Err("failed items: 1; the next run retries them".to_owned()));
        assert_eq!(stage.waiting().await, keys[at..=at]);
        let mut queued = stage.queued();
        assert_eq!(queued.len(), 6, "the items after the failed one are published as well");
        assert_eq!(sweep().await, Ok(json!({"published": 1})));
        assert!(stage.waiting().await.is_empty());
        let rest = stage.queued();
        assert!(rest.len() == 1 && !queued.contains(&rest[0]), "{rest:?}");
        queued.extend(rest);
        assert_eq!(queued.into_iter().collect::<BTreeSet<_>>().len(), 7);
        assert_eq!(sweep().await, Ok(json!({"published": 0})));
    }
}

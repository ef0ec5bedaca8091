//! The courier reads only shards that may have changed, and misses none.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use local::engine::Engine;
use platform::store::{OpContext, Waiting};
use serde_json::json;
use tests::meter::Meter;
use tests::{Call, Reply, World};

use crate::common::Stage;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn metered() -> (Stage, Meter, Engine) {
    let engine = Engine::memory().expect("an engine");
    let meter = Meter::over(engine.http_client());
    let (http, own) = (meter.http_client(), engine.clone());
    let world = World::start_here(|options| {
        options.loopback_endpoints = true;
        options.http_client = Some(http);
        options.engine = Some(own);
    });
    (Stage::over(world.await).await, meter, engine)
}

impl Stage {
    /// The first time of all marks in the shards, read from the table.
    async fn first_mark(&self, shards: impl Iterator<Item = Waiting>) -> Option<String> {
        let mut first: Option<String> = None;
        for shard in shards {
            let publisher = &self.courier().publisher;
            let op = OpContext {
                occurred_at: self.world.now(),
                deadline: platform::deadline::Deadline::within(std::time::Duration::from_secs(60)),
            };
            let until = domain::Timestamp::from_millis(9_999_999_999_999);
            let page = publisher.store.waiting(op, shard, until, 1, None).await.expect("a page");
            first = first.into_iter().chain(page.items.first().map(|item| item.since().to_owned())).min();
        }
        first
    }

    /// Compares what the courier knows with the table.
    async fn misses_nothing(&self, step: &str) {
        let next = self.courier().next_later().await.expect("a time").map(|next| next.sortable());
        assert_eq!(next, self.first_mark(Waiting::later()).await, "{step}");
        self.settle().await;
        assert_eq!(self.first_mark(Waiting::outbox()).await, None, "{step}");
        let next = self.courier().next_later().await.expect("a time").map(|next| next.sortable());
        assert_eq!(next, self.first_mark(Waiting::later()).await, "{step}, then settled");
    }
}

#[tokio::test]
async fn without_a_write_and_with_nothing_due_nothing_is_read() {
    let (stage, meter, _) = metered().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    stage.event("Northwind 2").await;
    hook.receiver.answer(|_, _| Reply::status(500));
    stage.event("Northwind 3").await;
    stage.settle().await;
    meter.take();
    for _ in 0..3 {
        assert_eq!(stage.courier().publish().await.expect("published"), 0);
        stage.clock().advance_millis(1_000);
    }
    assert!(meter.take().is_empty(), "nothing was written, and the next attempt is in 5 s");
    stage.event("Northwind 4").await;
    meter.take();
    stage.courier().publish().await.expect("published");
    let queries = meter.take().into_iter().filter(|asked| asked.operation == "Query").count();
    assert!((1..10).contains(&queries), "one event took {queries} queries");
}

#[tokio::test]
async fn nothing_that_waits_is_missed() {
    let (stage, _, engine) = metered().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, times| Reply::status(if times < 5 { 500 } else { 204 }));
    for number in 0..4 {
        stage.event(&format!("Northwind {number}")).await;
        stage.misses_nothing("an event").await;
    }
    for _ in 0..6 {
        let later = stage.courier().next_later().await.expect("a time");
        let next = stage.courier().queue.next_visible().into_iter().chain(later).min();
        let wait = next.map_or(1_000, |next| next.millis() - stage.world.now().millis());
        stage.clock().advance_millis(wait.max(1));
        stage.misses_nothing("an attempt").await;
    }
    stage.suspend().await;
    let rename = Call::new("PATCH", format!("/v1/partners/{}", stage.partner.partner_id));
    stage.world.operator(rename.json(&json!({"name": "Northwind 5"}))).await.expect(200);
    stage.misses_nothing("suspended").await;
    stage.resume().await;
    stage.misses_nothing("resumed").await;
    stage.ask(stage.endpoints("DELETE", &format!("/{}", hook.id))).await;
    stage.misses_nothing("deleted").await;
    clock_that_goes_back(&stage).await;
    written_by_others(&stage, &engine).await;
}

/// What was marked by a clock that was ahead is published too.
async fn clock_that_goes_back(stage: &Stage) {
    stage.event("Northwind 6").await;
    stage.clock().advance_millis(-3_600_000);
    stage.misses_nothing("an hour back").await;
    stage.clock().advance_millis(3_600_000);
}

/// Marks that other programs move, remove or restore.
async fn written_by_others(stage: &Stage, engine: &Engine) {
    let (local, _) = stage.world.here().expect("here");
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    stage.event("Northwind 7").await;
    stage.misses_nothing("a failure").await;
    let table = stage.world.table().await;
    let waits = |item: &BTreeMap<String, AttributeValue>| {
        item.get("gsi3pk").is_some_and(|pk| pk.as_s().expect("text").starts_with("LATER#"))
    };
    let ((pk, sk), item) = table.iter().find(|(_, item)| waits(item)).expect("a delivery waits");
    let saved = std::env::temp_dir().join(format!("multipartner-looking-{}.db", std::process::id()));
    let _ = std::fs::remove_file(&saved);
    engine.save_to(&saved).expect("a copy");
    let update = || local.client().update_item().table_name(local.table()).key("pk", text(pk)).key("sk", text(sk));
    let earlier = stage.world.now().plus_millis(60_000).sortable();
    let moved = update().update_expression("SET gsi3sk = :at").expression_attribute_values(":at", text(&earlier));
    moved.send().await.expect("written");
    assert_eq!(stage.courier().next_later().await.expect("a time").map(|at| at.sortable()), Some(earlier));
    update().update_expression("REMOVE gsi3pk, gsi3sk").send().await.expect("written");
    stage.misses_nothing("a mark is removed").await;
    local
        .client()
        .put_item()
        .table_name(local.table())
        .set_item(Some(item.clone().into_iter().collect()))
        .send()
        .await
        .expect("written");
    stage.misses_nothing("the item is written again").await;
    local
        .client()
        .delete_item()
        .table_name(local.table())
        .key("pk", text(pk))
        .key("sk", text(sk))
        .send()
        .await
        .expect("written");
    stage.misses_nothing("the item is deleted").await;
    engine.restore(&saved).expect("the copy");
    stage.misses_nothing("the table is restored").await;
    std::fs::remove_file(&saved).expect("a file");
}

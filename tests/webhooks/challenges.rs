//! Challenges that fail.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{EndpointId, WebhookId};
use platform::clock::Clock;
use platform::deadline::Deadline;
use platform::store::OpContext;
use serde_json::{Value, json};
use tests::Reply;

use crate::common::{Hook, Stage};

impl Stage {
    fn op(&self) -> OpContext {
        OpContext { occurred_at: self.clock().now(), deadline: Deadline::within(std::time::Duration::from_secs(9)) }
    }

    /// Damages an endpoint's item, so that no version can read it.
    async fn make_unreadable(&self, hook: &Hook) {
        let table = self.world.table().await;
        let mut items = table.into_iter();
        let item = items.find(|((pk, sk), _)| pk.starts_with("ENDPOINTS#") && sk.ends_with(&hook.id));
        let mut item = item.expect("an endpoint").1;
        item.insert("v".into(), AttributeValue::S("none".into()));
        let local = self.world.here().expect("here").0;
        let put = local.client().put_item().table_name(local.table()).set_item(Some(item.into_iter().collect()));
        put.send().await.expect("the item is written");
    }
}

#[tokio::test]
async fn a_receiver_can_abort_its_challenge() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    hook.receiver.answer(|_, _| Reply::status(500).header("webhook-delivery", "abort-message"));
    stage.settle_for(600_000).await;
    assert_eq!(stage.state(&hook).await, "pending", "it waits for its owner");
    assert_eq!(hook.receiver.arrived().len(), 1);
    assert!(stage.courier().queue.is_empty());
}

#[tokio::test]
async fn a_challenge_whose_last_attempt_has_no_result_ends() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    stage.courier().publish().await.expect("published");
    let store = &stage.world.here().expect("here").0.app().store;
    let challenge = &stage.deliveries(&hook).await[0];
    let id = WebhookId::parse(challenge["event_id"].as_str().expect("an id")).expect("an id");
    let endpoint = EndpointId::parse(&hook.id).expect("an id");
    let mut delivery = store.delivery(stage.op(), &id, &endpoint).await.expect("read").expect("a delivery");
    let recipient = store.recipient(stage.op(), &delivery.owner, &endpoint).await.expect("read").expect("a recipient");
    for _ in 0..3 {
        let next_at = stage.clock().now().plus_millis(60_000);
        let claim = store.claim(stage.op(), &delivery, recipient.period(), next_at);
        delivery = claim.await.expect("claimed").expect("a claim");
    }
    stage.settle_for(120_000).await;
    assert_eq!(stage.state(&hook).await, "pending");
    let ended = stage.deliveries(&hook).await.into_iter().find(|one| one["event_id"] == id.as_str());
    assert_eq!(ended.expect("the challenge")["state"], "exhausted");
    assert!(hook.receiver.arrived().is_empty());
}

#[tokio::test]
async fn a_challenge_cannot_be_resent() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    let asked = stage.ask(stage.endpoints("POST", &format!("/{}/test", hook.id))).await.expect(202);
    let again = json!({"event_id": asked["delivery"]["event_id"]});
    let resend = stage.endpoints("POST", &format!("/{}/resend", hook.id)).json(&again);
    stage.ask(resend).await.refused(422, "validation_failed");
}

/// The challenge of an earlier URL says nothing about the present one.
#[tokio::test]
async fn only_the_challenge_of_the_present_url_activates_an_endpoint() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    stage.courier().publish().await.expect("published");
    let elsewhere = tests::Receiver::start().await;
    elsewhere.answer(|_, _| Reply::status(500));
    let patch = stage.endpoints("PATCH", &format!("/{}", hook.id)).json(&json!({"url": elsewhere.url()}));
    stage.ask(patch).await.expect(200);
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "pending");
    assert_eq!((hook.receiver.arrived().len(), elsewhere.arrived().len()), (0, 1));
}

#[tokio::test]
async fn an_unreadable_endpoint_does_not_delay_other_events() {
    let stage = Stage::start().await;
    let other = stage.active(json!(["partner.updated"])).await;
    let hook = stage.pending(json!(["endpoint.activated"])).await;
    stage.make_unreadable(&hook).await;
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(other.receiver.of_type("partner.updated")[0].id, id);
    let table = stage.world.table().await;
    let noted = table.keys().filter(|(pk, _)| pk.starts_with("POISON#")).count();
    assert_eq!(noted, 2, "the endpoint and its own event");
    let waiting = |pk: &AttributeValue| pk.as_s().is_ok_and(|pk| pk.starts_with("OUTBOX#"));
    assert!(!table.values().any(|item| item.get("gsi3pk").is_some_and(waiting)));
}

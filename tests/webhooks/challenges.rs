//! Challenges that fail.

use std::collections::BTreeSet;

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

    async fn reason(&self, hook: &Hook) -> Value {
        assert_eq!(self.state(hook).await, "disabled");
        self.history(hook).await.pop().expect("an event").1["reason"].clone()
    }

    /// Gives an endpoint's item an unknown version.
    async fn make_unreadable(&self, hook: &Hook) {
        let table = self.world.table().await;
        let mut items = table.into_iter();
        let item = items.find(|((pk, sk), _)| pk.starts_with("ENDPOINTS#") && sk.ends_with(&hook.id));
        let mut item = item.expect("an endpoint").1;
        item.insert("v".into(), AttributeValue::N("99".into()));
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
    stage.settle().await;
    assert_eq!(stage.reason(&hook).await, "challenge_failed");
    assert_eq!(hook.receiver.arrived().len(), 1);
    assert!(stage.courier().queue.is_empty());
}

#[tokio::test]
async fn a_challenge_whose_last_attempt_has_no_result_disables_the_endpoint() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    stage.courier().publish().await.expect("published");
    let store = &stage.world.here().expect("here").0.app().store;
    let challenge = &stage.deliveries(&hook).await[0];
    let id = WebhookId::parse(challenge["event_id"].as_str().expect("an id")).expect("an id");
    let endpoint = EndpointId::parse(&hook.id).expect("an id");
    let mut delivery = store.delivery(stage.op(), &id, &endpoint).await.expect("read").expect("a delivery");
    for _ in 0..10 {
        let next_at = stage.clock().now().plus_millis(60_000);
        delivery = store.claim(stage.op(), &delivery, next_at).await.expect("claimed").expect("a claim");
    }
    stage.settle_for(120_000).await;
    assert_eq!(stage.reason(&hook).await, "challenge_failed");
    assert_eq!(stage.deliveries(&hook).await[0]["state"], "exhausted");
    assert!(hook.receiver.arrived().is_empty());
}

#[tokio::test]
async fn a_pending_endpoint_is_challenged_at_most_once_a_minute() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let mut ids = Vec::new();
    // It is 12:00:20.
    for later in [0, 10_000, 60_000, 20_000] {
        stage.clock().advance_millis(later);
        let asked = stage.ask(stage.endpoints("POST", &format!("/{}/test", hook.id))).await.expect(202);
        ids.push(asked["delivery"]["event_id"].clone());
        stage.settle().await;
    }
    assert!(ids[0] == ids[1] && ids[1] != ids[2] && ids[2] == ids[3], "{ids:?}");
    let sent: BTreeSet<String> = hook.receiver.arrived().into_iter().map(|message| message.id).collect();
    assert_eq!(sent.len(), 3, "the first challenge and two more");
    let again = json!({"event_id": ids[0]});
    let resend = stage.endpoints("POST", &format!("/{}/resend", hook.id)).json(&again);
    stage.ask(resend).await.refused(422, "validation_failed");
}

#[tokio::test]
async fn an_unreadable_endpoint_does_not_delay_other_events() {
    let stage = Stage::start().await;
    let other = stage.active(json!(["partner.renamed"])).await;
    let hook = stage.pending(json!(["endpoint.activated"])).await;
    stage.make_unreadable(&hook).await;
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(other.receiver.of_type("partner.renamed")[0].id, id);
    let table = stage.world.table().await;
    let noted = table.keys().filter(|(pk, _)| pk.starts_with("POISON#")).count();
    assert_eq!(noted, 2, "the endpoint and its own event");
    let waiting = |pk: &AttributeValue| pk.as_s().is_ok_and(|pk| pk.starts_with("OUTBOX#"));
    assert!(!table.values().any(|item| item.get("gsi3pk").is_some_and(waiting)));
}

//! Receivers that do not take what they are sent.

use std::time::Duration;

use domain::{Delivery, DeliveryState, EndpointId, WebhookId};
use platform::clock::Clock;
use platform::deadline::Deadline;
use platform::store::OpContext;
use serde_json::{Value, json};
use tests::Reply;

use crate::common::{Hook, Stage};

const HOUR: i64 = 3_600_000;

impl Stage {
    /// A delivery as the table has it: nobody is shown those of an endpoint that is deleted.
    async fn stored(&self, hook: &Hook, id: &str) -> Delivery {
        let attempt = OpContext { occurred_at: self.clock().now(), deadline: Deadline::within(Duration::from_secs(5)) };
        let (id, endpoint) = (WebhookId::parse(id).expect("an id"), EndpointId::parse(&hook.id).expect("an id"));
        let found = self.deliverer().store.delivery(attempt, &id, &endpoint).await;
        found.expect("an answer").expect("a delivery")
    }
}

#[tokio::test]
async fn ten_attempts_over_three_days_and_then_no_more() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.renamed"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle_for(60 * HOUR).await;
    assert!(hook.receiver.of_type("partner.renamed").len() < 10, "the last waits are long");
    stage.settle_for(40 * HOUR).await;
    assert_eq!(hook.receiver.of_type("partner.renamed").len(), 10);
    let delivery = stage.delivery(&hook, &id).await;
    assert_eq!((&delivery["state"], &delivery["attempt"]), (&json!("exhausted"), &json!(10)));
    assert_eq!(delivery.get("next_at"), None);
    assert!(stage.courier().queue.is_empty());
    assert_eq!(stage.state(&hook).await, "active", "100 hours are no reason yet");
}

#[tokio::test]
async fn an_endpoint_that_fails_for_five_days_is_disabled_and_its_owner_hears_of_it_elsewhere() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.renamed"])).await;
    let other = stage.active(json!(["endpoint.disabled"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    for day in 0..6 {
        stage.event(&format!("Northwind {day}")).await;
        stage.settle_for(24 * HOUR).await;
    }
    assert_eq!(stage.state(&hook).await, "disabled");
    let told = other.receiver.of_type("endpoint.disabled");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].json()["data"]["data"], json!({"state": "disabled", "reason": "failing"}));
    let seen = hook.receiver.arrived().len();
    stage.event("Northwind 7").await;
    stage.settle_for(48 * HOUR).await;
    assert_eq!(hook.receiver.arrived().len(), seen, "nothing goes there any more");
    assert!(stage.courier().queue.is_empty());
    let states: Vec<Value> = stage.deliveries(&hook).await.iter().map(|one| one["state"].clone()).collect();
    assert!(states.contains(&json!("endpoint_disabled")) && !states.contains(&json!("pending")), "{states:?}");
}

#[tokio::test]
async fn an_endpoint_is_disabled_by_its_first_failure_after_120_hours_and_not_before() {
    // Milliseconds after the first failure at which others follow, and which of them disables.
    for (failures, disabling) in
        [(vec![120 * HOUR - 1, 120 * HOUR], 120 * HOUR), (vec![1, 120 * HOUR - 1, 200 * HOUR, 201 * HOUR], 200 * HOUR)]
    {
        let stage = Stage::start().await;
        let hook = stage.active(json!(["partner.renamed"])).await;
        hook.receiver.answer(|_, _| Reply::status(500));
        stage.event("Northwind 0").await;
        stage.settle().await;
        let (first, mut seen) = (stage.clock().now(), 1);
        for at in failures {
            stage.clock().advance_millis(first.plus_millis(at).millis() - stage.clock().now().millis());
            stage.event(&format!("Northwind {at}")).await;
            stage.settle().await;
            let (before, state) = (seen, stage.state(&hook).await);
            seen = hook.receiver.of_type("partner.renamed").len();
            assert_eq!(state == "active", at < disabling, "{at}: {state}");
            assert_eq!(seen > before, at <= disabling, "{at}: an attempt is made as long as it is active");
        }
        let story = stage.story(&hook).await;
        let disabled = story.iter().filter(|(kind, _)| kind == "endpoint.disabled");
        let data: Vec<_> = disabled.map(|(_, data)| data).collect();
        assert_eq!(data, [&json!({"state": "disabled", "reason": "failing"})]);
    }
}

#[tokio::test]
async fn one_success_in_between_begins_the_five_days_anew() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.renamed"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    for day in 0..8 {
        if day == 4 {
            hook.receiver.answer(|_, _| Reply::status(200));
            stage.event("Northwind").await;
            stage.settle().await;
            hook.receiver.answer(|_, _| Reply::status(500));
        }
        stage.event(&format!("Northwind {day}")).await;
        stage.settle_for(24 * HOUR).await;
    }
    assert_eq!(stage.state(&hook).await, "active");
}

#[tokio::test]
async fn who_is_gone_or_asks_for_it_is_left_alone() {
    for (reply, reason) in
        [(Reply::status(410), "gone"), (Reply::status(500).header("webhook-delivery", "disable"), "asked_by_receiver")]
    {
        let stage = Stage::start().await;
        let hook = stage.active(json!(["partner.renamed"])).await;
        hook.receiver.answer(move |_, _| reply.clone());
        let id = stage.event("Northwind 2").await;
        stage.settle().await;
        assert_eq!(stage.state(&hook).await, "disabled");
        assert_eq!(stage.delivery(&hook, &id).await["state"], "endpoint_disabled");
        let (kind, data) = stage.story(&hook).await.pop().unwrap();
        assert_eq!((kind.as_str(), &data["reason"]), ("endpoint.disabled", &json!(reason)));
    }
}

#[tokio::test]
async fn a_challenge_that_nobody_answers_disables() {
    let stage = Stage::start().await;
    let hook = stage.pending(json!(["partner.renamed"])).await;
    hook.receiver.answer(|_, _| Reply::status(404));
    stage.settle_for(100 * HOUR).await;
    assert_eq!(stage.state(&hook).await, "disabled");
    assert_eq!(hook.receiver.arrived().len(), 10);
    assert_eq!(stage.story(&hook).await.pop().unwrap().1["reason"], "challenge_failed");
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.ask(stage.endpoints("PATCH", &format!("/{}", hook.id)).json(&json!({"state": "active"}))).await.expect(200);
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "active");
}

#[tokio::test]
async fn a_pending_endpoint_can_be_challenged_at_once() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    hook.receiver.answer(|_, _| Reply::status(404));
    stage.settle_for(HOUR).await;
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.ask(stage.endpoints("POST", &format!("/{}/test", hook.id))).await.expect(202);
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "active");
    // The first challenge is still on its way; what becomes of it means nothing any more.
    hook.receiver.answer(|_, _| Reply::status(500));
    let challenges = hook.receiver.of_type("endpoint.challenge").len();
    stage.settle_for(100 * HOUR).await;
    assert_eq!(stage.state(&hook).await, "active");
    assert_eq!(hook.receiver.of_type("endpoint.challenge").len(), challenges);
}

#[tokio::test]
async fn a_receiver_that_takes_a_message_and_wants_no_other_gets_no_other() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.renamed"])).await;
    hook.receiver.answer(|_, _| Reply::status(200).header("webhook-delivery", "disable"));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(stage.delivery(&hook, &id).await["state"], "delivered");
    assert_eq!(stage.state(&hook).await, "disabled");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nobody_follows_it() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.renamed"])).await;
    let elsewhere = tests::Receiver::start().await;
    let target = elsewhere.url().to_owned();
    hook.receiver.answer(move |_, _| Reply::status(302).header("location", &target));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(stage.delivery(&hook, &id).await["last_status"], json!(302));
    assert!(elsewhere.arrived().is_empty());
}

#[tokio::test]
async fn what_was_for_a_deleted_endpoint_is_dropped() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.renamed"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    let before = stage.stored(&hook, &id).await;
    assert_eq!((before.state, before.attempt), (DeliveryState::Pending, 1));
    stage.ask(stage.endpoints("DELETE", &format!("/{}", hook.id))).await.expect(200);
    stage.settle_for(HOUR).await;
    assert_eq!(hook.receiver.of_type("partner.renamed").len(), 1);
    assert!(stage.courier().queue.is_empty());
    let aborted = Delivery { state: DeliveryState::Aborted, next_at: None, ..before };
    assert_eq!(stage.stored(&hook, &id).await, aborted, "what the one attempt came to is still there");
}

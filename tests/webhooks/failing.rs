//! Receivers that do not accept messages.

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
    /// Reads a delivery from the table. The API does not show deliveries of deleted endpoints.
    async fn stored(&self, hook: &Hook, id: &str) -> Delivery {
        let op = OpContext { occurred_at: self.clock().now(), deadline: Deadline::within(Duration::from_secs(5)) };
        let (id, endpoint) = (WebhookId::parse(id).expect("an id"), EndpointId::parse(&hook.id).expect("an id"));
        let found = self.deliverer().store.delivery(op, &id, &endpoint).await;
        found.expect("an answer").expect("a delivery")
    }
}

#[tokio::test]
async fn a_message_is_given_up_after_ten_attempts_over_three_days() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle_for(60 * HOUR).await;
    assert!(hook.receiver.of_type("partner.updated").len() < 10, "all ten attempts were made within 60 hours");
    stage.settle_for(40 * HOUR).await;
    assert_eq!(hook.receiver.of_type("partner.updated").len(), 10);
    let delivery = stage.delivery(&hook, &id).await;
    assert_eq!((&delivery["state"], &delivery["attempt"]), (&json!("exhausted"), &json!(10)));
    assert_eq!(delivery.get("next_at"), None);
    assert!(stage.courier().queue.is_empty());
    assert_eq!(stage.state(&hook).await, "active", "failing for 100 hours does not disable");
}

#[tokio::test]
async fn an_endpoint_that_fails_for_five_days_is_disabled_and_other_endpoints_get_the_event() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
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
    assert_eq!(hook.receiver.arrived().len(), seen, "a disabled endpoint gets no messages");
    assert!(stage.courier().queue.is_empty());
    let states: Vec<Value> = stage.deliveries(&hook).await.iter().map(|one| one["state"].clone()).collect();
    assert!(states.contains(&json!("endpoint_disabled")) && !states.contains(&json!("pending")), "{states:?}");
}

#[tokio::test]
async fn an_endpoint_is_disabled_by_its_first_failure_after_120_hours() {
    // Times of further failures in milliseconds after the first one, and the one that disables.
    for (failures, disabling) in [
        (vec![40 * HOUR, 80 * HOUR, 120 * HOUR - 1, 120 * HOUR, 121 * HOUR], 120 * HOUR),
        // Longer than two days without an attempt: it fails anew from then on.
        (vec![1, 40 * HOUR, 90 * HOUR, 130 * HOUR, 170 * HOUR, 209 * HOUR, 210 * HOUR], 210 * HOUR),
    ] {
        let stage = Stage::start().await;
        let hook = stage.active(json!(["partner.updated"])).await;
        hook.receiver.answer(|_, _| Reply::status(500));
        stage.event("Northwind 0").await;
        stage.settle().await;
        let (first, mut seen) = (stage.clock().now(), 1);
        for at in failures {
            stage.clock().advance_millis(first.plus_millis(at).millis() - stage.clock().now().millis());
            stage.event(&format!("Northwind {at}")).await;
            stage.settle().await;
            let (before, state) = (seen, stage.state(&hook).await);
            seen = hook.receiver.of_type("partner.updated").len();
            assert_eq!(state == "active", at < disabling, "{at}: {state}");
            assert_eq!(seen > before, at <= disabling, "{at}: attempts are made while the endpoint is active");
        }
        let history = stage.history(&hook).await;
        let disabled = history.iter().filter(|(kind, _)| kind == "endpoint.disabled");
        let data: Vec<_> = disabled.map(|(_, data)| data).collect();
        assert_eq!(data, [&json!({"state": "disabled", "reason": "failing"})]);
    }
}

/// As a review found it: a failure, an aborted message, five quiet days, and one more failure.
#[tokio::test]
async fn a_short_failure_after_quiet_days_does_not_disable() {
    for abort in [true, false] {
        let stage = Stage::start().await;
        let hook = stage.active(json!(["partner.updated"])).await;
        hook.receiver.answer(move |_, times| match times {
            0 => Reply::status(500),
            _ if abort => Reply::status(500).header("webhook-delivery", "abort-message"),
            _ => Reply::status(204),
        });
        stage.event("Northwind 1").await;
        stage.settle_for(60_000).await;
        stage.settle_for(120 * HOUR).await;
        hook.receiver.answer(|_, _| Reply::status(503));
        stage.event("Northwind 2").await;
        stage.settle().await;
        assert_eq!(stage.state(&hook).await, "active");
    }
}

#[tokio::test]
async fn a_receiver_that_aborts_messages_works() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    for day in 0..7 {
        hook.receiver.answer(move |_, times| {
            let reply = Reply::status(500);
            if times == 0 { reply } else { reply.header("webhook-delivery", "abort-message") }
        });
        stage.event(&format!("Northwind {day}")).await;
        stage.settle_for(24 * HOUR).await;
    }
    assert_eq!(stage.state(&hook).await, "active");
}

#[tokio::test]
async fn a_success_restarts_the_five_days() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
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
async fn a_receiver_that_is_gone_or_asks_for_it_is_disabled() {
    for (reply, reason) in
        [(Reply::status(410), "gone"), (Reply::status(500).header("webhook-delivery", "disable"), "asked_by_receiver")]
    {
        let stage = Stage::start().await;
        let hook = stage.active(json!(["partner.updated"])).await;
        hook.receiver.answer(move |_, _| reply.clone());
        let id = stage.event("Northwind 2").await;
        stage.settle().await;
        assert_eq!(stage.state(&hook).await, "disabled");
        assert_eq!(stage.delivery(&hook, &id).await["state"], "endpoint_disabled");
        let (kind, data) = stage.history(&hook).await.pop().unwrap();
        assert_eq!((kind.as_str(), &data["reason"]), ("endpoint.disabled", &json!(reason)));
    }
}

#[tokio::test]
async fn an_endpoint_that_fails_its_challenges_waits() {
    let stage = Stage::start().await;
    let hook = stage.pending(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(404));
    stage.settle_for(100 * HOUR).await;
    assert_eq!(stage.state(&hook).await, "pending");
    assert_eq!(hook.receiver.arrived().len(), 3);
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.ask(stage.endpoints("PATCH", &format!("/{}", hook.id)).json(&json!({"state": "active"}))).await.expect(200);
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "active");
}

#[tokio::test]
async fn a_test_request_challenges_a_pending_endpoint_at_once() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    hook.receiver.answer(|_, _| Reply::status(404));
    stage.settle_for(HOUR).await;
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.ask(stage.endpoints("POST", &format!("/{}/test", hook.id))).await.expect(202);
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "active");
    // Further challenges are not sent.
    hook.receiver.answer(|_, _| Reply::status(500));
    let challenges = hook.receiver.of_type("endpoint.challenge").len();
    stage.settle_for(100 * HOUR).await;
    assert_eq!(stage.state(&hook).await, "active");
    assert_eq!(hook.receiver.of_type("endpoint.challenge").len(), challenges);
}

#[tokio::test]
async fn a_receiver_can_accept_a_message_and_disable_its_endpoint() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(200).header("webhook-delivery", "disable"));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(stage.delivery(&hook, &id).await["state"], "delivered");
    assert_eq!(stage.state(&hook).await, "disabled");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let elsewhere = tests::Receiver::start().await;
    let target = elsewhere.url().to_owned();
    hook.receiver.answer(move |_, _| Reply::status(302).header("location", &target));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(stage.delivery(&hook, &id).await["last_status"], json!(302));
    assert!(elsewhere.arrived().is_empty());
}

#[tokio::test]
async fn deliveries_to_a_deleted_endpoint_are_aborted() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    let before = stage.stored(&hook, &id).await;
    assert_eq!((before.state, before.attempt), (DeliveryState::Pending, 1));
    stage.ask(stage.endpoints("DELETE", &format!("/{}", hook.id))).await.expect(200);
    stage.settle_for(HOUR).await;
    assert_eq!(hook.receiver.of_type("partner.updated").len(), 1);
    assert!(stage.courier().queue.is_empty());
    let aborted = Delivery { state: DeliveryState::Aborted, next_at: None, ..before };
    assert_eq!(stage.stored(&hook, &id).await, aborted, "the result of the attempt is kept");
}

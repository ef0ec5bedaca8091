//! Resending messages that did not arrive.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Call, Reply};

use crate::common::{Hook, Stage};

/// More than a page of deliveries that the receiver aborts.
const FAILED: usize = 130;

async fn refused() -> (Stage, Hook) {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500).header("webhook-delivery", "abort-message"));
    let path = format!("/v1/partners/{}", stage.partner.partner_id);
    for n in 0..FAILED {
        let rename = Call::new("PATCH", path.clone()).json(&json!({"name": format!("Northwind {n}")}));
        stage.world.operator(rename).await.expect(200);
        stage.clock().advance_millis(1);
        // The deliveries have different creation times.
        if n % 10 == 9 {
            stage.courier().publish().await.expect("published");
        }
    }
    stage.settle().await;
    hook.receiver.answer(|_, _| Reply::status(204));
    (stage, hook)
}

impl Stage {
    /// The number of messages that were accepted.
    async fn taken(&self, hook: &Hook) -> usize {
        self.settle().await;
        let taken = hook.receiver.of_type("partner.updated").into_iter().filter(|one| one.answered == 204);
        taken.map(|one| one.id).collect::<std::collections::BTreeSet<_>>().len()
    }
}

#[tokio::test]
async fn all_failed_messages_are_resent_over_several_pages() {
    let (stage, hook) = refused().await;
    assert_eq!(stage.taken(&hook).await, 0);
    let resend =
        stage.endpoints("POST", &format!("/{}/resend", hook.id)).json(&json!({"since": "2026-11-22T12:00:00Z"}));
    assert_eq!(stage.ask(resend.clone()).await.expect(202), json!({"resent": FAILED}));
    assert_eq!(stage.taken(&hook).await, FAILED);
    assert_eq!(stage.ask(resend).await.expect(202), json!({"resent": 0}));
    assert_eq!(stage.state(&hook).await, "active", "aborting messages does not disable an endpoint");
}

#[tokio::test]
async fn a_resend_that_runs_out_of_time_returns_where_to_continue() {
    const ROUTE: &str = "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/resend";
    let (stage, hook) = refused().await;
    let event = |since: &Value| {
        json!({
            "version": "2.0", "routeKey": ROUTE, "rawPath": "/", "rawQueryString": "", "isBase64Encoded": false,
            "headers": {"authorization": format!("Bearer {}", stage.partner.key), "content-type": "application/json"},
            "pathParameters": {"partner_id": stage.partner.partner_id, "endpoint_id": hook.id},
            "requestContext": {"http": {"method": "POST", "path": "/"}, "routeKey": ROUTE, "stage": "$default"},
            "body": json!({"since": since}).to_string(),
        })
    };
    let function = tests::here::function_of(ROUTE).expect("a function");
    let call = async |since: &Value, time: u64| {
        let event = event(since).to_string();
        stage.world.invoke(function, event.as_bytes(), Duration::from_millis(time)).await.expect(202)
    };
    // 2 s are reserved for the response.
    let first = call(&json!("2026-11-22T12:00:00Z"), 2_200).await;
    let begun = stage.begun(&hook).await;
    let oldest = begun.iter().find(|one| one["purpose"] == "event").expect("a delivery");
    assert_eq!(first, json!({"resent": 0, "next_since": oldest["created_at"]}));
    let (mut since, mut resent, mut calls) = (first["next_since"].clone(), 0, 0);
    while since != Value::Null && calls < 70 {
        // On a slow machine it may need several calls.
        let answer = call(&since, 2_400 + 100 * calls).await;
        // Ten calls a minute are permitted.
        stage.clock().advance_millis(6_000);
        resent += answer["resent"].as_u64().expect("a number");
        (since, calls) = (answer["next_since"].clone(), calls + 1);
    }
    assert_eq!(resent, FAILED as u64);
    assert_eq!(stage.taken(&hook).await, FAILED);
    // Pages without failed messages are skipped.
    let passed = call(&json!("2026-11-22T12:00:00Z"), 2_200).await;
    assert_eq!(passed, json!({"resent": 0, "next_since": begun[99]["created_at"]}));
}

/// An endpoint that was down for days is challenged again. Messages resent meanwhile must not wait for days.
#[tokio::test]
async fn messages_resent_to_a_pending_endpoint_arrive_soon_after_it_is_active() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, _| Reply::status(500).header("webhook-delivery", "abort-message"));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    stage.clock().advance_days(5);
    hook.receiver.answer(|_, _| Reply::status(410));
    stage.event("Northwind 3").await;
    stage.settle().await;
    hook.receiver.answer(|_, times| Reply::status(if times == 0 { 500 } else { 204 }));
    let path = format!("/{}", hook.id);
    let call = async |method: &str, path: &str, body: Value| stage.ask(stage.endpoints(method, path).json(&body)).await;
    call("PATCH", &path, json!({"state": "active"})).await.expect(200);
    call("POST", &format!("{path}/resend"), json!({"event_id": id})).await.expect(202);
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "pending");
    stage.settle_for(3_600_000).await;
    assert_eq!(stage.state(&hook).await, "active");
    assert_eq!(stage.delivery(&hook, &id).await["state"], "delivered");
}

impl Stage {
    /// All deliveries of an endpoint, oldest first.
    async fn begun(&self, hook: &Hook) -> Vec<Value> {
        let (mut begun, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/{}/deliveries?limit=100{cursor}", hook.id);
            let page = self.ask(self.endpoints("GET", &path)).await.expect(200);
            begun.extend(page["items"].as_array().expect("items").iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        begun.reverse();
        begun
    }
}

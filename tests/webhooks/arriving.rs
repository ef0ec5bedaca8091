//! Which messages arrive, and their form.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Receiver, Reply};

use crate::common::Stage;

#[tokio::test]
async fn a_new_endpoint_is_challenged_and_then_gets_events_since_its_creation() {
    let stage = Stage::start().await;
    let before = stage.event("Northwind 1").await;
    stage.clock().advance_millis(20_000);
    let hook = stage.pending(Value::Null).await;
    hook.receiver.answer(|_, _| Reply::status(503));
    let kept = stage.event("Northwind 2").await;
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "pending");
    assert_eq!(
        hook.receiver.arrived().iter().map(|arrived| arrived.kind()).collect::<Vec<_>>(),
        ["endpoint.challenge"]
    );
    hook.receiver.answer(|_, _| Reply::status(200));
    stage.settle_for(10_000).await;
    assert_eq!(stage.state(&hook).await, "active");
    let ids: Vec<String> = hook.receiver.arrived().into_iter().map(|arrived| arrived.id).collect();
    assert!(ids.contains(&kept) && !ids.contains(&before));
    assert_eq!(stage.history(&hook).await[1].0, "endpoint.activated");
}

#[tokio::test]
async fn a_message_has_the_event_as_listed_a_signature_and_the_events_id() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    let arrived = hook.receiver.of_type("partner.updated").remove(0);
    assert_eq!(arrived.id, id);
    assert!(arrived.is_signed_with(&hook.secret));
    assert_eq!(arrived.headers["content-type"], "application/json");
    assert!(arrived.headers["user-agent"].to_str().unwrap().starts_with("multipartner/"));
    let newest = stage.ask(stage.partner.call("GET", "/events?limit=1")).await.expect(200)["items"][0].clone();
    let mut data = newest.clone();
    data["id"] = newest["event_id"].clone();
    assert_eq!(arrived.json(), json!({"type": newest["type"], "timestamp": newest["occurred_at"], "data": data}));
    let delivery = stage.delivery(&hook, &id).await;
    assert_eq!(
        (&delivery["state"], &delivery["attempt"], &delivery["last_status"]),
        (&json!("delivered"), &json!(1), &json!(204))
    );
}

#[tokio::test]
async fn an_endpoint_gets_only_its_event_types_and_only_events_of_its_owner() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["invitation.accepted"])).await;
    let other = stage.world.partner().await;
    let theirs = Receiver::start().await;
    stage.ask(other.call("POST", "/endpoints").json(&json!({"url": theirs.url()}))).await.expect(201);
    let customer = stage.world.customer().await;
    stage.world.relate(&stage.partner, &customer).await;
    stage.settle().await;
    let kinds: Vec<String> = hook.receiver.arrived().iter().map(|arrived| arrived.kind()).collect();
    assert_eq!(kinds, ["endpoint.challenge", "invitation.accepted"]);
    let foreign = theirs.arrived().into_iter().filter(|arrived| {
        let body = arrived.json();
        let subject = &body["data"]["subject"];
        arrived.kind() != "endpoint.challenge" && subject["partner_id"] != other.partner_id.as_str()
    });
    assert_eq!(foreign.count(), 0);
}

#[tokio::test]
async fn every_attempt_sends_the_same_bytes_under_the_same_id() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, times| Reply::status(if times < 2 { 500 } else { 200 }).body("no room".repeat(300)));
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    let delivery = stage.delivery(&hook, &id).await;
    assert_eq!(
        (&delivery["state"], &delivery["attempt"], &delivery["last_status"]),
        (&json!("pending"), &json!(1), &json!(500))
    );
    assert_eq!(delivery["body_excerpt"].as_str().unwrap().len(), 1024);
    stage.settle_for(600_000).await;
    let arrived = hook.receiver.of_type("partner.updated");
    assert_eq!(arrived.iter().map(|arrived| arrived.answered).collect::<Vec<_>>(), [500, 500, 200]);
    assert!(arrived.iter().all(|one| one.body == arrived[0].body && one.id == id && one.is_signed_with(&hook.secret)));
    assert_eq!(stage.delivery(&hook, &id).await["state"], "delivered");
}

#[tokio::test]
async fn messages_are_signed_with_both_secrets_during_a_rotation() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let rotate = || stage.endpoints("POST", &format!("/{}/rotate", hook.id)).json(&json!({"grace_hours": 1}));
    let new = stage.ask(rotate()).await.expect(200)["signing_secret"].as_str().unwrap().to_owned();
    stage.ask(rotate()).await.refused(409, "rotation_in_progress");
    let send = async |name: &str| {
        stage.event(name).await;
        stage.settle().await;
        hook.receiver.of_type("partner.updated").pop().unwrap()
    };
    let both = send("Northwind 2").await;
    assert!(both.is_signed_with(&hook.secret) && both.is_signed_with(&new));
    assert_eq!(both.headers["webhook-signature"].to_str().unwrap().split(' ').count(), 2);
    stage.clock().advance_millis(3_600_000);
    let one = send("Northwind 3").await;
    assert!(!one.is_signed_with(&hook.secret) && one.is_signed_with(&new));
}

#[tokio::test]
async fn a_test_message_is_a_delivery_but_not_an_event() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["invitation.accepted"])).await;
    let test = || stage.endpoints("POST", &format!("/{}/test", hook.id));
    let posted = stage.ask(test()).await.expect(202);
    stage.settle().await;
    let arrived = hook.receiver.of_type("endpoint.test").remove(0);
    assert_eq!(arrived.id, posted["delivery"]["event_id"].as_str().unwrap());
    assert_eq!(arrived.json()["data"]["endpoint_id"], hook.id.as_str());
    let events = stage.ask(stage.partner.call("GET", "/events")).await.expect(200).to_string();
    assert!(!events.contains("endpoint.test") && !events.contains("endpoint.challenge"));
    stage.ask(stage.endpoints("PATCH", &format!("/{}", hook.id)).json(&json!({"state": "disabled"}))).await.expect(200);
    stage.ask(test()).await.refused(409, "invalid_transition");
}

#[tokio::test]
async fn one_message_or_all_failed_messages_can_be_resent() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.answer(|_, times| {
        if times == 0 { Reply::status(500).header("webhook-delivery", "abort-message") } else { Reply::status(200) }
    });
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(stage.event(&format!("Northwind {n}")).await);
        stage.clock().advance_millis(1_000);
    }
    stage.settle().await;
    assert!(
        stage
            .deliveries(&hook)
            .await
            .iter()
            .filter(|one| one["purpose"] == "event")
            .all(|one| one["state"] == "aborted")
    );
    let resend = |body: Value| stage.endpoints("POST", &format!("/{}/resend", hook.id)).json(&body);
    assert_eq!(stage.ask(resend(json!({"event_id": ids[0]}))).await.expect(202), json!({"resent": 1}));
    stage.settle().await;
    assert_eq!(stage.delivery(&hook, &ids[0]).await["state"], "delivered");
    assert_eq!(stage.ask(resend(json!({"since": "2026-11-22T12:00:00Z"}))).await.expect(202), json!({"resent": 4}));
    stage.settle().await;
    assert!(stage.deliveries(&hook).await.iter().all(|one| one["state"] == "delivered"));
    assert_eq!(
        stage.ask(resend(json!({"event_id": ids[0]}))).await.expect(202),
        json!({"resent": 1}),
        "a delivered message can be resent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_system_delivers_within_seconds() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let _working = stage.world.here().unwrap().0.work().await.unwrap();
    let mut times = Vec::new();
    for n in 0..50 {
        let began = Instant::now();
        let id = stage.event(&format!("Northwind {n}")).await;
        hook.receiver.until_arrived(&id).await;
        times.push(began.elapsed());
    }
    times.sort();
    // By nearest rank: of 50 the 99th percentile is the slowest. Each time includes the request for the event's id.
    let percentile = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
    println!(
        "from request to arrival, {} messages: p50 {:?}, p99 (the slowest) {:?}",
        times.len(),
        percentile(50),
        percentile(99)
    );
    // A second is the goal on an idle machine. The limit only tells commits that wake the courier from the job that runs
    // every minute.
    assert!(percentile(50) < Duration::from_secs(10), "{times:?}");
}

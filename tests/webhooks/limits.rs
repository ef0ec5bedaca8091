//! How often an owner may challenge, test and resend.

use serde_json::{Value, json};
use tests::{Answer, Reply};

use crate::common::Stage;

const MINUTE: i64 = 60_000;

fn retry_after(answer: &Answer) -> i64 {
    answer.refused(429, "rate_limited");
    answer.header("retry-after").expect("a time").parse().expect("seconds")
}

#[tokio::test]
async fn ten_challenges_an_hour_are_counted_for_all_endpoints_of_an_owner() {
    let stage = Stage::start().await;
    let (first, second) = (stage.pending(Value::Null).await, stage.pending(Value::Null).await);
    first.receiver.answer(|_, _| Reply::status(500));
    second.receiver.answer(|_, _| Reply::status(500));
    let call = |method: &str, path: String, body: Value| stage.ask(stage.endpoints(method, &path).json(&body));
    let path = |id: &str| format!("/{id}");
    // Six minutes later the automatic challenges are over. Two have been counted so far.
    stage.settle_for(6 * MINUTE).await;
    for _ in 0..3 {
        call("POST", format!("/{}/test", first.id), json!({})).await.expect(202);
    }
    for (name, state) in
        [("disabled", "disabled"), ("active", "pending"), ("disabled", "disabled"), ("active", "pending")]
    {
        let changed = call("PATCH", path(&first.id), json!({"state": name})).await.expect(200);
        assert_eq!(changed["endpoint"]["state"], state, "disabling is not counted");
    }
    for n in 0..3 {
        let url = format!("{}{n}", second.receiver.url());
        call("PATCH", path(&second.id), json!({"url": url})).await.expect(200);
    }
    let events = stage.history(&first).await.len() + stage.history(&second).await.len();
    let refused = [
        call("POST", String::new(), json!({"url": "https://hooks.example.com/in"})).await,
        call("PATCH", path(&second.id), json!({"url": second.receiver.url()})).await,
        call("POST", format!("/{}/test", first.id), json!({})).await,
    ];
    for answer in &refused {
        assert_eq!(retry_after(answer), 54 * 60, "the two creations become old then");
    }
    call("PATCH", path(&first.id), json!({"description": "CRM"})).await.expect(200);
    call("PATCH", path(&first.id), json!({"state": "disabled"})).await.expect(200);
    assert_eq!(stage.history(&first).await.len() + stage.history(&second).await.len(), events + 2);
    // Another owner is not affected.
    let other = stage.world.partner().await;
    let body = json!({"url": "https://hooks.example.com/in"});
    stage.ask(other.call("POST", "/endpoints").json(&body)).await.expect(201);
    stage.clock().advance_millis(54 * MINUTE - 1);
    assert_eq!(retry_after(&call("POST", format!("/{}/test", second.id), json!({})).await), 1);
    stage.clock().advance_millis(1);
    call("POST", format!("/{}/test", second.id), json!({})).await.expect(202);
    call("POST", format!("/{}/test", second.id), json!({})).await.expect(202);
    assert!(retry_after(&call("POST", format!("/{}/test", second.id), json!({})).await) <= 6 * 60);
}

#[tokio::test]
async fn racing_requests_do_not_exceed_the_limit() {
    let stage = Stage::start().await;
    let hook = stage.active(Value::Null).await;
    let test = || stage.ask(stage.endpoints("POST", &format!("/{}/test", hook.id)));
    let mut accepted = 1;
    // A request that loses every race is answered with 503 and sent again.
    for _ in 0..6 {
        let answers = futures_util::future::join_all((0..6).map(|_| test())).await;
        for answer in &answers {
            assert!([202, 429, 503].contains(&answer.status), "{}", answer.status);
        }
        accepted += answers.iter().filter(|answer| answer.status == 202).count();
    }
    assert!(accepted <= 10, "{accepted}");
    while test().await.status == 202 {
        accepted += 1;
    }
    assert_eq!(accepted, 10);
}

#[tokio::test]
async fn ten_resends_a_minute_are_permitted_for_each_endpoint() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let other = stage.active(json!(["partner.updated"])).await;
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    let resend = |hook: &crate::common::Hook, body: Value| {
        stage.ask(stage.endpoints("POST", &format!("/{}/resend", hook.id)).json(&body))
    };
    for _ in 0..5 {
        resend(&hook, json!({"event_id": id})).await.expect(202);
        resend(&hook, json!({"since": "2026-11-22T12:00:00Z"})).await.expect(202);
        stage.clock().advance_millis(1_000);
    }
    // A request about an unknown message is not counted.
    let unknown = json!({"event_id": "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa"});
    resend(&hook, unknown).await.refused(422, "validation_failed");
    assert_eq!(retry_after(&resend(&hook, json!({"event_id": id})).await), 55);
    resend(&other, json!({"event_id": id})).await.expect(202);
    stage.clock().advance_millis(55_000);
    resend(&hook, json!({"event_id": id})).await.expect(202);
}

#[tokio::test]
async fn a_pending_endpoint_is_challenged_three_times_and_then_waits_for_its_owner() {
    let stage = Stage::start().await;
    let hook = stage.pending(Value::Null).await;
    hook.receiver.answer(|_, _| Reply::status(500));
    let (path, url) = (format!("/{}", hook.id), hook.receiver.url().to_owned());
    let mut expected = 0;
    for again in [None, Some(json!({"url": url})), Some(json!({"state": "active"}))] {
        if let Some(body) = again {
            let before = stage.history(&hook).await.len();
            let patch = || stage.ask(stage.endpoints("PATCH", &path).json(&body));
            assert_eq!(patch().await.expect(200)["endpoint"]["state"], "pending");
            patch().await.expect(200);
            assert_eq!(stage.history(&hook).await.len(), before + 1, "a repeat changes nothing");
        }
        expected += 3;
        stage.settle_for(5 * MINUTE).await;
        assert_eq!(hook.receiver.of_type("endpoint.challenge").len(), expected);
        stage.settle_for(48 * 60 * MINUTE).await;
        assert_eq!(hook.receiver.of_type("endpoint.challenge").len(), expected);
        assert_eq!(stage.state(&hook).await, "pending");
        assert!(stage.courier().queue.is_empty());
    }
    hook.receiver.answer(|_, _| Reply::status(204));
    stage.ask(stage.endpoints("POST", &format!("{path}/test"))).await.expect(202);
    stage.settle().await;
    assert_eq!(stage.state(&hook).await, "active");
}

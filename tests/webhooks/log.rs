//! The delivery log of an endpoint.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use domain::Timestamp;
use platform::clock::Clock;
use serde_json::{Value, json};
use tests::Reply;
use tokio::net::TcpSocket;

use crate::common::Stage;

/// When the second attempt is due, in milliseconds after the first: 5 s with a jitter of a fifth.
const SECOND: RangeInclusive<i64> = 4_000..=6_000;

/// Removes the attempt's latency, which is real time. Asserts that it is within `range`.
fn took(shown: &mut Value, range: RangeInclusive<Duration>) {
    let latency = shown.as_object_mut().expect("an object").remove("latency_ms").expect("a latency");
    let latency = Duration::from_millis(latency.as_u64().expect("a number"));
    assert!(range.contains(&latency), "{latency:?} is not in {range:?}");
}

/// The milliseconds until the next attempt.
fn wait(stage: &Stage, shown: &Value) -> i64 {
    let next_at = Timestamp::parse(shown["next_at"].as_str().expect("a time")).expect("a time");
    next_at.millis() - stage.clock().now().millis()
}

#[tokio::test]
async fn the_log_has_status_and_one_kib_of_whole_characters() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    // Bodies of 3 KiB, and the excerpts: they end before a character that crosses the first KiB.
    for (n, (body, excerpt)) in [
        ("\u{20ac}".repeat(1024), "\u{20ac}".repeat(341)),
        ("\u{e9}".repeat(1536), "\u{e9}".repeat(512)),
        (format!("x{}", "\u{e9}".repeat(1535)), format!("x{}", "\u{e9}".repeat(511))),
        (format!("xyz{}", "\u{1f600}".repeat(768)), format!("xyz{}", "\u{1f600}".repeat(255))),
    ]
    .into_iter()
    .enumerate()
    {
        // The receiver is slow, so that the latency has a lower bound.
        let least = Duration::from_millis(20);
        hook.receiver.answer(move |_, _| {
            std::thread::sleep(least);
            Reply::status(503).header("retry-after", "7").body(body.clone())
        });
        let id = stage.event(&format!("Northwind {n}")).await;
        let began = Instant::now();
        stage.settle().await;
        let mut shown = stage.delivery(&hook, &id).await;
        took(&mut shown, least..=began.elapsed());
        let now = stage.clock().now();
        let expected = json!({
            "event_id": id, "purpose": "event", "state": "pending", "attempt": 1, "created_at": now,
            "next_at": now.plus_millis(7_000), "last_status": 503, "body_excerpt": excerpt,
        });
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn a_refused_connection_is_in_the_log_without_a_response() {
    let stage = Stage::start().await;
    // Bound, so that no other process uses the port, but not listening, so that connections are refused.
    let silent = TcpSocket::new_v4().expect("a socket");
    silent.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let url = format!("http://{}/hook", silent.local_addr().expect("an address"));
    let created = stage.ask(stage.endpoints("POST", "").json(&json!({"url": url}))).await.expect(201);
    let began = Instant::now();
    stage.settle().await;
    let path = format!("/{}/deliveries", created["endpoint"]["endpoint_id"].as_str().expect("an id"));
    let log = stage.ask(stage.endpoints("GET", &path)).await.expect(200);
    let challenge = |one: &&Value| one["purpose"] == "challenge";
    let mut shown = log["items"].as_array().expect("items").iter().find(challenge).expect("a challenge").clone();
    took(&mut shown, Duration::ZERO..=began.elapsed());
    assert!(SECOND.contains(&wait(&stage, &shown)), "{shown}");
    let expected = json!({
        "event_id": shown["event_id"], "purpose": "challenge", "state": "pending", "attempt": 1,
        "created_at": stage.clock().now(), "next_at": shown["next_at"], "failure": "connect",
    });
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn retry_after_moves_the_next_attempt_only_within_its_window() {
    const TWICE: RangeInclusive<i64> = 10_000..=10_000;
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    for (asked, window) in [
        ("-1", SECOND),
        ("NaN", SECOND),
        ("inf", SECOND),
        ("1e9", SECOND),
        ("", SECOND),
        ("0", SECOND),
        ("Sun, 06 Nov 1994 08:49:37 GMT", SECOND),
        ("Fri, 31 Dec 9999 23:59:59 GMT", TWICE),
        ("18446744073709551616", TWICE),
    ] {
        hook.receiver.answer(move |_, _| Reply::status(503).header("retry-after", asked));
        let id = stage.event(&format!("Northwind {asked}.")).await;
        stage.settle().await;
        let shown = stage.delivery(&hook, &id).await;
        assert!(window.contains(&wait(&stage, &shown)), "{asked:?}: {shown}");
    }
}

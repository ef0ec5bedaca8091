//! What an unreliable receiver got, each message checked as it came.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use domain::digest;
use serde_json::json;
use tests::wait::LIMIT;
use tests::{Partner, Receiver, Reply, World, until};

pub struct Received {
    receiver: Receiver,
    secret: String,
    pub messages: usize,
    pub rejected: usize,
    /// Messages that were answered 2xx: the event's subscription and its sequence number there, by the event's id.
    pub accepted: BTreeMap<String, (String, u64)>,
    /// The ids of all messages.
    pub seen: BTreeSet<String>,
    /// The number of messages at some time, and that time.
    progress: (usize, Instant),
}

impl Received {
    /// Creates an endpoint, waits until it has answered its challenge, and then becomes unreliable.
    pub async fn start(world: &World, partner: &Partner) -> Self {
        let receiver = Receiver::start().await;
        let body = json!({"url": receiver.url(), "event_types": ["subscription.registered"]});
        let created = world.send(&partner.call("POST", "/endpoints").json(&body)).await.expect(201);
        let path = format!("/endpoints/{}", created["endpoint"]["endpoint_id"].as_str().expect("an id"));
        until("an active endpoint", async || {
            let found = world.send(&partner.call("GET", &path)).await.expect(200);
            (found["endpoint"]["state"] == "active").then_some(())
        })
        .await;
        receiver.take();
        receiver.answer(unreliable);
        let secret = created["signing_secret"].as_str().expect("a secret").to_owned();
        let (accepted, seen) = (BTreeMap::new(), BTreeSet::new());
        let progress = (0, Instant::now());
        Self { receiver, secret, messages: 0, rejected: 0, accepted, seen, progress }
    }

    /// Pauses before the next look.
    ///
    /// # Panics
    /// If no message has arrived for [`LIMIT`].
    pub async fn pause(&mut self) {
        if self.messages != self.progress.0 {
            self.progress = (self.messages, Instant::now());
        }
        assert!(self.progress.1.elapsed() < LIMIT, "no message arrived for {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    /// Checks and counts the messages since the last look.
    pub fn look(&mut self) {
        for arrived in self.receiver.take() {
            assert!(arrived.is_signed_with(&self.secret), "{}", arrived.id);
            self.messages += 1;
            self.seen.insert(arrived.id.clone());
            if arrived.answered >= 300 {
                self.rejected += 1;
                continue;
            }
            let body = arrived.json();
            let subscription = body["data"]["subject"]["subscription_id"].as_str().expect("an id").to_owned();
            self.accepted.insert(arrived.id, (subscription, body["data"]["sequence"].as_u64().expect("a number")));
        }
    }
}

/// Rejects a fifth of all attempts, in one of several ways, always the same way for the same message and attempt.
fn unreliable(id: &str, times: u32) -> Reply {
    let draw = digest("receiver", &[id.as_bytes(), &times.to_be_bytes()]);
    match (draw[0] % 5, draw[1] % 4) {
        // The last attempts succeed, so that no message is given up.
        _ if times > 4 => Reply::status(204),
        (0, 0) => Reply::status(500),
        (0, 1) => Reply::status(429).header("retry-after", "7"),
        (0, 2) => Reply::status(503).header("retry-after", "-1"),
        (0, _) => Reply::status(302).header("location", "http://127.0.0.1:9001/"),
        _ => Reply::status(204),
    }
}

//! Outbound webhooks from end to end: a change, its event, the queue, a receiver on this machine.

use std::sync::Arc;

use platform::clock::SystemClock;
use serde_json::{Value, json};
use tests::{Partner, Receiver, Reply, World, until};
use tokio::task::JoinSet;

/// The type of the events that are sent.
const KIND: &str = "invitation.accepted";

#[tokio::test]
async fn webhooks_arrive_signed() {
    let Some(stage) = Stage::start().await else { return };
    let hook = stage.active().await;
    let challenge = hook.receiver.of_type("endpoint.challenge").remove(0);
    challenge.verify(&hook.secret).expect("a signature with the endpoint's secret");
    let invitation = stage.accepted().await;
    let arrived = until("the message", async || hook.receiver.of_type(KIND).pop()).await;
    arrived.verify(&hook.secret).expect("a signature with the endpoint's secret");
    assert!(arrived.verify(&stage.partner.signing_secret).is_err(), "another secret verifies the message");
    assert_eq!(arrived.json()["data"]["subject"]["invitation_id"], invitation.as_str());
    let delivery = stage.delivered(&hook, &arrived.id).await;
    assert_eq!((&delivery["attempt"], &delivery["last_status"]), (&json!(1), &json!(204)));
}

#[tokio::test]
async fn a_rejected_webhook_is_retried_with_the_same_bytes() {
    let Some(stage) = Stage::start().await else { return };
    let hook = stage.active().await;
    hook.receiver.answer(|_, times| Reply::status(if times == 0 { 503 } else { 200 }));
    stage.accepted().await;
    let attempts = async || Some(hook.receiver.of_type(KIND)).filter(|arrived| arrived.len() > 1);
    let arrived = until("a second attempt", attempts).await;
    assert_eq!((arrived[0].answered, arrived[1].answered), (503, 200));
    assert_eq!((&arrived[0].id, &arrived[0].body), (&arrived[1].id, &arrived[1].body));
    arrived[1].verify(&hook.secret).expect("a signature with the endpoint's secret");
    let delivery = stage.delivered(&hook, &arrived[0].id).await;
    assert_eq!((&delivery["attempt"], &delivery["last_status"]), (&json!(2), &json!(200)));
}

/// A system that delivers webhooks, and a partner.
struct Stage {
    world: World,
    partner: Partner,
    // Stops the local delivery when dropped. A deployment delivers by itself.
    _working: Option<JoinSet<()>>,
}

/// An endpoint of the partner and its receiver.
struct Hook {
    id: String,
    secret: String,
    receiver: Receiver,
}

impl Stage {
    /// The local system, or the deployment in the environment. Prints a line and returns `None` if the deployment does not
    /// send webhooks to this machine.
    async fn start() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let (world, _working) = if variable("MULTIPARTNER_URL").is_empty() {
            // The reference implementation of signatures uses the system clock.
            let world = World::start_here(|options| {
                options.loopback_endpoints = true;
                options.clock = Arc::new(SystemClock);
            });
            let world = world.await;
            let working = world.here().expect("here").0.work().await.expect("delivery starts");
            (world, Some(working))
        } else if variable("MULTIPARTNER_LOOPBACK_ENDPOINTS") == "true" {
            (World::start().await, None)
        } else {
            println!(
                "skipped: the deployment does not send webhooks to this machine (set MULTIPARTNER_LOOPBACK_ENDPOINTS=true)"
            );
            return None;
        };
        let partner = world.partner().await;
        Some(Self { world, partner, _working })
    }

    /// Creates an endpoint that has answered its challenge.
    async fn active(&self) -> Hook {
        let receiver = Receiver::start().await;
        let body = json!({"url": receiver.url(), "event_types": [KIND]});
        let created = self.world.send(&self.partner.call("POST", "/endpoints").json(&body)).await.expect(201);
        let text = |pointer: &str| created.pointer(pointer).and_then(Value::as_str).expect("a string").to_owned();
        let hook = Hook { id: text("/endpoint/endpoint_id"), secret: text("/signing_secret"), receiver };
        until("an active endpoint", async || {
            let path = format!("/endpoints/{}", hook.id);
            let endpoint = self.world.send(&self.partner.call("GET", &path)).await.expect(200);
            (endpoint["endpoint"]["state"] == "active").then_some(())
        })
        .await;
        hook
    }

    /// Has a customer accept an invitation. Returns its id.
    async fn accepted(&self) -> String {
        let customer = self.world.customer().await;
        self.world.relate(&self.partner, &customer).await
    }

    /// The message's entry in the delivery log, once it is delivered.
    async fn delivered(&self, hook: &Hook, id: &str) -> Value {
        until("the delivery", async || {
            let path = format!("/endpoints/{}/deliveries", hook.id);
            let all = self.world.all(&self.partner.call("GET", &path)).await;
            all.into_iter().find(|delivery| delivery["event_id"] == id && delivery["state"] == "delivered")
        })
        .await
    }
}

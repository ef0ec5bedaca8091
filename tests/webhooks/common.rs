//! A system that may send webhooks to receivers on this machine.

use std::sync::Arc;

use deliver_webhook::Deliverer;
use local::courier::Courier;
use serde_json::{Value, json};
use tests::{Call, ManualClock, Partner, Receiver, World};

pub struct Stage {
    pub world: World,
    pub partner: Partner,
}

/// An endpoint of the partner and its receiver.
pub struct Hook {
    pub id: String,
    pub secret: String,
    pub receiver: Receiver,
}

impl Stage {
    pub async fn start() -> Self {
        Self::over(World::start_here(|options| options.loopback_endpoints = true).await).await
    }

    pub async fn over(world: World) -> Self {
        let partner = world.partner().await;
        let stage = Self { world, partner };
        // An endpoint also gets events from shortly before its creation.
        stage.clock().advance_millis(20_000);
        stage
    }

    pub fn courier(&self) -> &Courier {
        self.world.here().expect("here").0.courier()
    }

    pub fn deliverer(&self) -> &Arc<Deliverer> {
        self.courier().deliverer.as_ref().expect("a deliverer")
    }

    pub fn clock(&self) -> &ManualClock {
        self.world.here().expect("here").1
    }

    /// Publishes and delivers everything that is due.
    pub async fn settle(&self) {
        self.courier().settle().await.expect("the outbox can be read");
    }

    /// Settles and moves the clock to each due time within the next `ms` milliseconds.
    pub async fn settle_for(&self, ms: i64) {
        use platform::clock::Clock;
        let end = self.clock().now().millis() + ms;
        loop {
            self.settle().await;
            let later = self.courier().next_later().await.expect("the table can be read");
            let next = self.courier().queue.next_visible().into_iter().chain(later).min();
            let Some(next) = next.filter(|next| next.millis() <= end) else { break };
            self.clock().advance_millis((next.millis() - self.clock().now().millis()).max(1));
        }
        self.clock().advance_millis((end - self.clock().now().millis()).max(0));
    }

    pub async fn ask(&self, call: Call) -> tests::Answer {
        self.world.send(&call).await
    }

    pub fn endpoints(&self, method: &str, path: &str) -> Call {
        self.partner.call(method, &format!("/endpoints{path}"))
    }

    /// Creates an endpoint. It is pending.
    pub async fn pending(&self, filter: Value) -> Hook {
        let receiver = Receiver::start().await;
        let mut body = json!({"url": receiver.url()});
        if !filter.is_null() {
            body["event_types"] = filter;
        }
        let created = self.ask(self.endpoints("POST", "").json(&body)).await.expect(201);
        let text = |pointer: &str| created.pointer(pointer).and_then(Value::as_str).expect("a string").to_owned();
        Hook { id: text("/endpoint/endpoint_id"), secret: text("/signing_secret"), receiver }
    }

    /// Creates an endpoint that has answered its challenge.
    pub async fn active(&self, filter: Value) -> Hook {
        let hook = self.pending(filter).await;
        self.settle().await;
        assert_eq!(self.state(&hook).await, "active");
        hook
    }

    pub async fn endpoint(&self, hook: &Hook) -> Value {
        self.ask(self.endpoints("GET", &format!("/{}", hook.id))).await.expect(200)["endpoint"].clone()
    }

    pub async fn state(&self, hook: &Hook) -> String {
        self.endpoint(hook).await["state"].as_str().expect("a state").to_owned()
    }

    /// The newest deliveries of an endpoint, newest first.
    pub async fn deliveries(&self, hook: &Hook) -> Vec<Value> {
        let page = self.ask(self.endpoints("GET", &format!("/{}/deliveries?limit=100", hook.id))).await.expect(200);
        page["items"].as_array().expect("items").clone()
    }

    pub async fn delivery(&self, hook: &Hook, event_id: &str) -> Value {
        let all = self.deliveries(hook).await;
        all.into_iter().find(|delivery| delivery["event_id"] == event_id).expect("a delivery")
    }

    /// Renames the partner. Returns the event's id.
    pub async fn event(&self, name: &str) -> String {
        let path = format!("/v1/partners/{}", self.partner.partner_id);
        self.world.operator(Call::new("PATCH", path).json(&json!({"name": name}))).await.expect(200);
        let newest = self.ask(self.partner.call("GET", "/events?limit=1")).await.expect(200);
        newest["items"][0]["event_id"].as_str().expect("an id").to_owned()
    }

    /// Type and data of an endpoint's events, oldest first.
    pub async fn history(&self, hook: &Hook) -> Vec<(String, Value)> {
        let path = format!("/events?subject={}", hook.id);
        let page = self.ask(self.partner.call("GET", &path)).await.expect(200);
        let events = page["items"].as_array().expect("items").iter().rev();
        events.map(|event| (event["type"].as_str().expect("a type").to_owned(), event["data"].clone())).collect()
    }
}

//! What a delivery computes, and that a slow receiver delays only itself while the system runs.

use platform::secrets::count::{self, Computed};
use serde_json::{Value, json};
use tests::{Call, Receiver, Reply, until};

use crate::common::Stage;

#[tokio::test]
async fn an_attempt_computes_one_signature_for_each_live_secret() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let work = async |name: &str| {
        stage.event(name).await;
        count::take();
        stage.settle().await;
        count::take()
    };
    assert_eq!(work("Northwind 1").await, Computed { secrets: 1, signatures: 1 });
    let rotate = stage.endpoints("POST", &format!("/{}/rotate", hook.id)).json(&json!({"grace_hours": 1}));
    stage.ask(rotate).await.expect(200);
    assert_eq!(work("Northwind 2").await, Computed { secrets: 2, signatures: 2 });
    stage.clock().advance_millis(3_600_000);
    assert_eq!(work("Northwind 3").await, Computed { secrets: 1, signatures: 1 });
    stage.suspend().await;
    assert_eq!(work_while_suspended(&stage).await, Computed::default(), "a delivery that is held is not signed");
    stage.resume().await;
    hook.receiver.answer(|_, _| Reply::status(500));
    count::take();
    stage.settle().await;
    let attempts = u32::try_from(hook.receiver.arrived().len()).expect("few") - 4;
    assert_eq!(count::take(), Computed { secrets: attempts, signatures: attempts });
}

/// The operator renames the suspended partner.
async fn work_while_suspended(stage: &Stage) -> Computed {
    let path = format!("/v1/partners/{}", stage.partner.partner_id);
    stage.world.operator(Call::new("PATCH", path).json(&json!({"name": "Northwind 4"}))).await.expect(200);
    count::take();
    stage.settle().await;
    count::take()
}

/// Webhooks review, row 4.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_does_not_delay_another_endpoint_of_a_running_system() {
    const WAITING: usize = 60;
    let stage = Stage::start().await;
    let slow = stage.active(json!(["partner.updated"])).await;
    let (other, fast) = (stage.world.partner().await, Receiver::start().await);
    let endpoint = json!({"url": fast.url(), "event_types": ["partner.updated"]});
    stage.ask(other.call("POST", "/endpoints").json(&endpoint)).await.expect(201);
    stage.settle().await;
    assert_eq!(fast.take().len(), 1, "its challenge");
    slow.receiver.take();
    slow.receiver.hold();
    for n in 0..WAITING {
        stage.event(&format!("Northwind {n}")).await;
    }
    let _working = stage.world.here().expect("here").0.work().await.expect("it works");
    until("the slow receiver's first message", async || (!slow.receiver.arrived().is_empty()).then_some(())).await;
    // Its events are the newest: in one queue for all they would come after all others.
    let renamed = Call::new("PATCH", format!("/v1/partners/{}", other.partner_id)).json(&json!({"name": "Fabrikam"}));
    stage.world.operator(renamed).await.expect(200);
    until("the other endpoint's message", async || (!fast.arrived().is_empty()).then_some(())).await;
    // Each of its attempts takes until the sender gives up, and there is one batch at a time.
    let begun = slow.receiver.arrived().len();
    assert!(begun < WAITING, "the other endpoint waited for {begun} messages");
    let deliveries = stage.deliveries(&slow).await;
    assert!(deliveries.iter().any(|one| one["state"] == "pending" && one["last_status"] == Value::Null));
}

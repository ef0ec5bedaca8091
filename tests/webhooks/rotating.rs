//! Rotating a secret while messages are being delivered.

use std::collections::BTreeSet;

use serde_json::json;
use tests::{Call, Reply};

use crate::common::Stage;

/// How long both secrets are valid, in milliseconds.
const GRACE: i64 = 3_600_000;

#[tokio::test]
async fn a_receiver_can_verify_every_message_with_either_valid_secret() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    hook.receiver.take();
    let path = format!("/v1/partners/{}", stage.partner.partner_id);
    let (mut new, mut taken) = (None, BTreeSet::new());
    // Milliseconds that pass, new events, delivered batches of ten tickets, how often a message is rejected, and whether the
    // old and the new secret are valid. Some tickets always remain for the next step.
    for (pass, events, batches, refused, live) in [
        (0, 20, 1, 1, [true, false]),
        // Ten from before the rotation, the ten that were rejected then, and ten new ones.
        (10_000, 20, 3, 0, [true, true]),
        (GRACE - 10_001, 10, 1, 0, [true, true]),
        // The grace period is over.
        (1, 10, 2, 0, [false, true]),
    ] {
        stage.clock().advance_millis(pass);
        for n in 0..events {
            let name = json!({"name": format!("Northwind {pass} {n}")});
            stage.world.operator(Call::new("PATCH", &path).json(&name)).await.expect(200);
        }
        stage.courier().publish().await.expect("published");
        hook.receiver.answer(move |_, times| Reply::status(if times < refused { 500 } else { 204 }));
        for _ in 0..batches {
            assert_eq!(stage.courier().deliver().await, 10);
        }
        let arrived = hook.receiver.take();
        assert_eq!(arrived.len(), 10 * batches);
        for one in arrived {
            let signed =
                [Some(&hook.secret), new.as_ref()].map(|secret| secret.is_some_and(|it| one.is_signed_with(it)));
            assert_eq!(signed, live, "after {pass} ms: {:?}", one.headers["webhook-signature"]);
            if one.answered == 204 {
                assert!(taken.insert(one.id), "each message is accepted once");
            }
        }
        if new.is_none() {
            let rotate = stage.endpoints("POST", &format!("/{}/rotate", hook.id)).json(&json!({"grace_hours": 1}));
            let rotated = stage.ask(rotate).await.expect(200);
            new = Some(rotated["signing_secret"].as_str().expect("a secret").to_owned());
        }
    }
    assert!(stage.courier().queue.is_empty());
    assert_eq!(taken.len(), 60);
    let log = stage.deliveries(&hook).await;
    let is_done = |id: &String| log.iter().any(|one| one["event_id"] == id.as_str() && one["state"] == "delivered");
    assert!(taken.iter().all(is_done), "{log:?}");
}

#[tokio::test]
async fn a_rotation_without_grace_ends_a_leaked_secret_at_once_and_can_be_repeated() {
    let stage = Stage::start().await;
    let hook = stage.active(json!(["partner.updated"])).await;
    let rotate =
        |hours: u64| stage.endpoints("POST", &format!("/{}/rotate", hook.id)).json(&json!({"grace_hours": hours}));
    let secret = |answer: &tests::Answer| answer.json()["signing_secret"].as_str().expect("a secret").to_owned();
    let second = secret(&stage.ask(rotate(24)).await);
    stage.ask(rotate(1)).await.refused(409, "rotation_in_progress");
    let first = stage.ask(rotate(0).idempotency_key("r1")).await;
    let repeat = stage.ask(rotate(0).idempotency_key("r1")).await;
    assert_eq!((first.replayed(), repeat.replayed()), (false, true));
    let third = secret(&first);
    assert_eq!(secret(&repeat), third, "an owner that lost the response gets the secret again");
    stage.ask(rotate(1).idempotency_key("r1")).await.refused(422, "idempotency_key_reused");
    let id = stage.event("Northwind 2").await;
    stage.settle().await;
    let arrived = hook.receiver.arrived().into_iter().find(|one| one.id == id).expect("the message");
    let signed = [&hook.secret, &second, &third].map(|secret| arrived.is_signed_with(secret));
    assert_eq!(signed, [false, false, true]);
    let rotations = stage.history(&hook).await.into_iter().filter(|(_, data)| data.get("old_secret_ends_at").is_some());
    assert_eq!(rotations.count(), 2, "the repeat wrote no event");
}

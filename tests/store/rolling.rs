//! A new master key during a deployment: for a while some functions know it and others do not.

use serde_json::{Value, json};
use tests::{Answer, Call, Partner, SimOptions};

use crate::commands::Stage;

fn create(stage: &Stage, tenant_id: &str, key: &str) -> Call {
    stage.partner.create(&json!({"customer_tenant_id": tenant_id, "delegated_admin": null})).idempotency_key(key)
}

fn is_retryable(answer: &Answer) -> bool {
    answer.status == 503 && answer.json()["retryable"] == true && answer.headers.contains_key("retry-after")
}

/// The keys are deployed everywhere first, and used only then. No request fails in between.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_known_everywhere_before_it_is_used_fails_no_request() {
    let stage = Stage::new(SimOptions::default()).await;
    let old = stage.world.sim();
    for (name, one, other) in [
        ("some functions know key 2", old, &old.with_master_keys(2, &[1, 2], 1)),
        ("some functions use key 2", &old.with_master_keys(3, &[1, 2], 1), &old.with_master_keys(4, &[1, 2], 2)),
    ] {
        for (first, second) in [(one, other), (other, one)] {
            let call = create(&stage, &stage.customer().await.tenant_id, &stage.world.unique());
            let created = first.send(&call).await.expect(201);
            let replayed = second.send(&call).await.expect(201);
            assert_eq!(created["accept_url"], replayed["accept_url"], "{name}");
        }
    }
}

/// If a function meets a key that it does not know yet, the caller can repeat the request, and another function responds.
#[tokio::test(start_paused = true)]
async fn an_unknown_key_number_is_a_retryable_error() {
    let stage = Stage::new(SimOptions::default()).await;
    let (old, new) = (stage.world.sim(), stage.world.sim().with_master_keys(2, &[1, 2], 2));
    let call = create(&stage, &stage.customer().await.tenant_id, "first");
    let created = new.send(&call).await.expect(201);
    assert!(is_retryable(&old.send(&call).await), "a replay");
    assert_eq!(new.send(&call).await.expect(201)["accept_url"], created["accept_url"]);

    let rotate = Call::post(
        format!("/v1/partners/{}/signing-secret/rotate", stage.partner.partner_id),
        &json!({"grace_hours": 0}),
    );
    let rotated = new.send(&rotate.key(new.operator_key())).await.expect(200);
    let secret = rotated["signing_secret"].as_str().expect("a secret").to_owned();
    let partner = Partner { signing_secret: secret, ..stage.partner.clone() };
    // Every function has forgotten the partner's old secret.
    for sim in [old, &new] {
        sim.clock.advance_millis(30_000);
    }
    let webhook = partner.webhook("/subscriptions", "msg_1", stage.world.now().seconds(), b"{}");
    assert!(is_retryable(&old.send(&webhook).await), "a signed webhook");
    let known: Value = new.send(&webhook).await.json();
    assert_ne!(known["code"], "internal");
    assert_ne!(known["code"], "signature_invalid");
}

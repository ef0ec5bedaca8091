//! What an acceptance must prove by the built-in policy, and that it is checked in its place.

use domain::Policy;
use serde_json::{Value, json};
use tests::World;
use tests::parties::{accept_by_link, asking, decline_by_link, preview};

/// A world with the built-in policy and without sign-in.
async fn built_in() -> Option<World> {
    World::with_options(|options| options.policy = Some(Policy::built_in().expect("a policy"))).await
}

fn roles() -> Value {
    asking(&["directory_readers", "global_reader"], "P90D")
}

#[tokio::test]
async fn in_the_public_cloud_a_link_starts_a_relationship_and_grants_nothing() {
    let Some(world) = built_in().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, roles()).await;
    let shown = world.send(&preview(&id, &token)).await.expect(200);
    assert_eq!(shown["accept_proof"], json!({"relationship": "link", "roles": "customer"}));
    assert_eq!(shown["sign_in"], Value::Null);
    for decision in [json!("as_requested"), asking(&["global_reader"], "P1D")] {
        let refused = world.send(&accept_by_link(&id, &token, &decision)).await.refused(403, "accept_proof_required");
        let detail = refused["detail"].as_str().expect("a detail");
        assert!(detail.contains("not enough to grant the roles."), "{detail}");
    }
    // Without roles the link is enough.
    let accepted = world.send(&accept_by_link(&id, &token, &json!("refused"))).await.expect(200);
    assert_eq!((&accepted["grant"], &accepted["relationship"]["state"]), (&Value::Null, &json!("active")));
    // A grant within the relationship is nothing but roles.
    let (id, token) = world.open(&partner, &customer, roles()).await;
    world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.refused(403, "accept_proof_required");
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    // The first response again needs no proof, since it changes nothing.
    world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
}

#[tokio::test]
async fn in_the_us_government_cloud_a_link_only_declines() {
    let Some(world) = built_in().await else { return };
    let (partner, customer) = (world.partner_in("us_gov", "US").await, world.customer_in("us_gov", "US").await);
    let (id, token) = world.open(&partner, &customer, roles()).await;
    let shown = world.send(&preview(&id, &token)).await.expect(200);
    assert_eq!(shown["accept_proof"], json!({"relationship": "customer", "roles": "customer"}));
    let refused =
        world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.refused(403, "accept_proof_required");
    let detail = refused["detail"].as_str().expect("a detail");
    assert!(detail.contains("to start the relationship and to grant the roles"), "{detail}");
    world.send(&decline_by_link(&id, &token)).await.expect(200);
    let (id, _) = world.open(&partner, &customer, roles()).await;
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
}

#[tokio::test]
async fn proof_is_checked_after_the_decision_and_before_the_tenant() {
    let Some(world) = built_in().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, roles()).await;
    let by_link = |decision: &Value| accept_by_link(&id, &token, decision);
    world.send(&by_link(&json!("nonsense"))).await.refused(422, "validation_failed");
    world.send(&by_link(&asking(&["global_administrator"], "P1D"))).await.refused(422, "roles_exceed_request");
    world.enrol(&customer, "public", "US").await;
    world.send(&by_link(&json!("as_requested"))).await.refused(403, "accept_proof_required");
    world.send(&by_link(&json!("refused"))).await.refused(403, "customer_is_csp_tenant");
    world.send(&customer.accept(&id, &json!("as_requested"))).await.refused(403, "customer_is_csp_tenant");
    world.suspend(&partner).await;
    world.send(&by_link(&json!("nonsense"))).await.refused(403, "partner_not_active");
}

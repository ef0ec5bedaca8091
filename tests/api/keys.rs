//! Access keys: when they expire, and how the operator finds them.

use serde_json::{Value, json};
use tests::parties::key_id;
use tests::{Call, World};

fn body(principal: &Value, expires_at: &str) -> Value {
    json!({"principal": principal, "roles": ["global_admin"], "name": "test", "expires_at": expires_at})
}

/// The operator's keys that a query finds, newest first.
async fn found(world: &World, query: &str) -> Vec<String> {
    let keys = world.all(&Call::get(format!("/v1/keys{query}")).key(world.operator_key())).await;
    keys.iter().map(|key| key["key_id"].as_str().unwrap().to_owned()).collect()
}

/// Functions keep keys for 30 s. Expiry does not wait for that.
#[tokio::test]
async fn a_key_is_rejected_exactly_from_its_expiry_also_where_it_is_cached() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let expires_at = "2026-11-22T12:00:10.000Z";
    for principal in
        [json!({"kind": "partner", "id": partner.partner_id}), json!({"kind": "customer", "id": customer.tenant_id})]
    {
        let mut asked = body(&principal, expires_at);
        let issued = world.operator(Call::post("/v1/keys", &asked)).await.expect(201);
        let me = Call::get("/v1/me").key(issued["key"].as_str().unwrap());
        assert_eq!(world.send(&me).await.expect(200)["expires_at"], expires_at);
        let path = format!("/v1/keys/{}", issued["key_id"].as_str().unwrap());
        let read = world.operator(Call::get(path)).await.expect(200)["key"].clone();
        asked["key_id"] = issued["key_id"].clone();
        asked["created_at"] = read["created_at"].clone();
        assert_eq!(read, asked);
        let events = Call::get(format!("/v1/events?subject={}", issued["key_id"].as_str().unwrap()));
        let events = world.items(&events.key(world.operator_key()), 1).await;
        assert_eq!(events[0]["data"]["expires_at"], expires_at);
        world.clock().advance_millis(9_999);
        world.send(&me).await.expect(200);
        world.clock().advance_millis(1);
        world.send(&me).await.refused(401, "key_invalid");
        world.clock().advance_millis(-10_000);
    }
}

#[tokio::test]
async fn an_expiry_must_be_in_the_future_unless_the_request_is_a_repeat() {
    let Some(world) = World::with_clock().await else { return };
    let customer = world.customer().await;
    let principal = json!({"kind": "customer", "id": customer.tenant_id});
    for past in
        ["2026-11-22T12:00:00Z", "2026-11-22T11:59:59.999Z", "2026-11-22T13:00:00+02:00", "1970-01-01T00:00:00Z"]
    {
        let refused = world.operator(Call::post("/v1/keys", &body(&principal, past)).idempotency_key("past")).await;
        refused.refused(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/expires_at"], "{past}");
    }
    let call = |expires_at: &str| Call::post("/v1/keys", &body(&principal, expires_at)).idempotency_key("once");
    let first = world.operator(call("2026-11-22T12:00:01Z")).await;
    world.clock().advance_millis(2_000);
    let again = world.operator(call("2026-11-22T12:00:01Z")).await;
    assert!(again.replayed());
    assert_eq!((again.status, &again.body), (201, &first.body));
    world.operator(call("2026-11-22T12:00:09Z")).await.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn keys_are_listed_by_their_owner() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.tick();
    let second = world.further_key(&partner, &["sales_agent"]).await;
    let operator = world.issue_key(json!({"kind": "operator"}), &[]).await;
    if world.is_deployment() {
        return;
    }
    let of_partner = format!("?principal={}", partner.partner_id);
    assert_eq!(found(&world, &of_partner).await, [key_id(&second.key), key_id(&partner.key)]);
    assert_eq!(found(&world, &format!("{of_partner}&limit=1")).await, [key_id(&second.key), key_id(&partner.key)]);
    for id in [customer.tenant_id.clone(), customer.tenant_id.to_uppercase()] {
        assert_eq!(found(&world, &format!("?principal={id}")).await, [key_id(&customer.key)]);
    }
    assert_eq!(found(&world, "?principal=operator").await, [key_id(&operator)]);
    assert_eq!(found(&world, &format!("?principal={}", world.tenant_id())).await, [] as [String; 0]);
    assert_eq!(found(&world, "").await.len(), 4);
    // A cursor belongs to its filter.
    let page = Call::get(format!("/v1/keys{of_partner}&limit=1")).key(world.operator_key());
    let cursor = world.send(&page).await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
    for other in ["?".to_owned(), "?principal=operator&".to_owned(), format!("?principal={}&", customer.tenant_id)] {
        let call = Call::get(format!("/v1/keys{other}limit=1&cursor={cursor}")).key(world.operator_key());
        world.send(&call).await.refused(400, "cursor_invalid");
    }
    for wrong in ["", "partner", "Operator", "ptr_x", &format!("inv_{}", "a".repeat(26))] {
        let refused = world.operator(Call::get(format!("/v1/keys?principal={wrong}"))).await;
        refused.refused(422, "validation_failed");
        assert_eq!(refused.pointers(), ["?principal"], "{wrong}");
    }
}

#[tokio::test]
async fn one_key_is_read_by_its_id_also_after_it_was_revoked() {
    let world = World::start().await;
    let (partner, _) = (world.partner().await, world.customer().await);
    let path = format!("/v1/keys/{}", key_id(&partner.key));
    let read = world.operator(Call::get(path.as_str())).await.expect(200);
    let principal = json!({"kind": "partner", "id": partner.partner_id});
    assert_eq!((&read["key"]["principal"], read["key"].get("revoked_at")), (&principal, None));
    let revoked = world.operator(Call::delete(path.as_str())).await.expect(200);
    let read = world.operator(Call::get(path.as_str())).await.expect(200);
    assert_eq!(read["key"]["revoked_at"], revoked["revoked_at"]);
    world.operator(Call::get(format!("/v1/keys/key_{}", "a".repeat(26)))).await.refused(404, "not_found");
    let further = world.further_key(&partner, &["global_admin"]).await;
    world.send(&Call::get(path).key(&further.key)).await.refused(403, "role_not_permitted");
}

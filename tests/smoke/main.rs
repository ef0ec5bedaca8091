//! The few black-box tests that show whether a deployment works: the main use case, signatures, a replay, three errors,
//! webhooks.
//!
//! Against a deployment: `MULTIPARTNER_URL=… MULTIPARTNER_OPERATOR_KEY=… cargo test -p tests --test smoke`; add
//! `MULTIPARTNER_LOOPBACK_ENDPOINTS=true` if it runs on this machine and allows loopback endpoints.

mod webhooks;

use serde_json::{Value, json};
use tests::parties::{asking, link, preview, registration};
use tests::{Call, World};

#[tokio::test]
async fn a_second_partner_joins_and_sells() {
    let world = World::start().await;
    let (contoso, fabrikam, northwind) = (world.customer().await, world.partner().await, world.partner().await);
    world.relate(&fabrikam, &contoso).await;
    let (mail, azure) = (world.unique(), world.unique());
    world.send(&fabrikam.register(&registration(&mail, &contoso))).await.expect(201);
    let before = world.send(&contoso.call("GET", "/subscriptions")).await.expect(200);
    let created = world.invite(&northwind, &contoso, asking(&["directory_readers"], "P90D")).await.expect(201);
    let (id, token) = link(&created);
    world.send(&preview(&id, &token)).await.expect(200);
    let accepted = world.send(&contoso.accept(&id, &json!("as_requested"))).await.expect(200);
    assert_eq!(accepted["relationship"]["state"], "active");
    let registered = world.send(&northwind.register(&registration(&azure, &contoso))).await.expect(201);
    assert_eq!(registered["subscription"]["partner_of_record"], northwind.partner_id);
    let after = world.send(&contoso.call("GET", "/subscriptions")).await.expect(200);
    assert_eq!(after["items"][1], before["items"][0]);
    let ended = world.send(&northwind.end(&contoso)).await.expect(200);
    assert_eq!(ended["relationship"]["state"], "ended");
}

#[tokio::test]
async fn a_webhook_is_accepted_only_with_a_valid_signature() {
    let world = World::start().await;
    let (contoso, northwind) = (world.customer().await, world.partner().await);
    let data = json!({"customer_tenant_id": contoso.tenant_id, "delegated_admin": null});
    let body = json!({"type": "invitation.create", "timestamp": "2026-11-22T12:00:00Z", "data": data}).to_string();
    let (id, now) = (world.unique(), world.now().seconds());
    let signed = northwind.webhook("/invitations", &id, now, body.as_bytes());
    let forged = signed.clone().bytes(body.replace("null", " null"));
    world.send(&forged).await.refused(401, "signature_invalid");
    let stale = northwind.webhook("/invitations", &id, now - 301, body.as_bytes());
    world.send(&stale).await.refused(401, "timestamp_out_of_tolerance");
    world.send(&signed).await.expect(201);
    let again = world.send(&signed).await;
    again.expect(201);
    assert!(again.replayed());
}

#[tokio::test]
async fn a_repeated_request_changes_nothing() {
    let world = World::start().await;
    let (contoso, northwind) = (world.customer().await, world.partner().await);
    let create = northwind.asks(&contoso, &Value::Null, &world.unique());
    let first = world.send(&create).await.expect(201);
    let second = world.send(&create).await;
    assert!(second.replayed());
    assert_eq!(second.expect(201)["invitation"]["invitation_id"], first["invitation"]["invitation_id"]);
}

#[tokio::test]
async fn errors_are_problems_with_their_codes() {
    let world = World::start().await;
    let (contoso, northwind) = (world.customer().await, world.partner().await);
    world.send(&Call::get("/v1/me")).await.refused(401, "token_missing");
    let register = northwind.register(&registration(&world.unique(), &contoso));
    world.send(&register).await.refused(403, "no_active_relationship");
    world.send(&preview("inv_unknown", "wrong")).await.refused(404, "not_found");
}

#[tokio::test]
async fn the_page_of_a_link_is_public() {
    let world = World::start().await;
    let page = world.send(&Call::get("/i/inv_unknown")).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
}

//! Importing relationships: an operator attests what existed before this system.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, registration};
use tests::{Call, Customer, Partner, World};

const SINCE: &str = "2020-02-29T12:00:00.000Z";

fn import(world: &World, partner: &Partner, customer: &Customer, body: &Value) -> Call {
    world.import_with(partner, customer, body)
}

/// Checks that every record is as its events left it.
async fn audit(world: &World) {
    if let Some((local, _)) = world.here() {
        local::verify::audit(local.client(), local.table()).await.expect("every record is as its events left it");
    }
}

#[tokio::test]
async fn an_imported_relationship_is_active_since_then_and_has_no_grants() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = json!({"since": "2020-02-29T13:00:00+01:00", "external_reference": "customer 4711"});
    let call = import(&world, &partner, &customer, &body);
    let imported = world.send(&call).await;
    let expected = json!({
        "partner_id": partner.partner_id, "customer_tenant_id": customer.tenant_id, "state": "active", "since": SINCE,
        "external_reference": "customer 4711",
    });
    assert_eq!(imported.expect(201), json!({"relationship": expected}));
    let path = format!("/v1/partners/{}/customers/{}", partner.partner_id, customer.tenant_id);
    assert_eq!(imported.header("location"), Some(path.as_str()));
    assert!(!imported.replayed());

    let events = world.items(&customer.call("GET", "/events?limit=100"), 3).await;
    let event = events.iter().find(|event| event["type"] == "relationship.imported").expect("an event");
    assert_eq!(event["data"], json!({"since": SINCE}));
    assert_eq!((&event["actor"]["kind"], &event["actor"]["proof"]), (&json!("operator"), &json!("none")));
    assert_eq!(event["subject"], json!({"partner_id": partner.partner_id, "customer_tenant_id": customer.tenant_id}));
    assert!(world.event_types(&partner, 3).await.contains(&"relationship.imported".to_owned()));

    let of_customer = world.items(&customer.call("GET", "/partners"), 1).await;
    let of_partner = world.items(&partner.call("GET", "/customers"), 1).await;
    for row in [&of_customer[0], &of_partner[0]] {
        let shown = (&row["state"], &row["since"], &row["grants"]);
        assert_eq!(shown, (&json!("active"), &json!(SINCE), &json!([])));
    }
    // Only the partner and the operator see the reference.
    assert_eq!(of_partner[0]["external_reference"], "customer 4711");
    assert!(!json!([of_customer, events]).to_string().contains("4711"));
    let by_operator = Call::get(path).key(world.operator_key());
    assert_eq!(world.send(&by_operator).await.expect(200)["relationship"]["external_reference"], "customer 4711");

    // A repeat returns the relationship as it is, also with another `since`.
    world.tick();
    for body in [&body, &json!({"since": "2021-01-01T00:00:00Z"})] {
        let again = world.send(&import(&world, &partner, &customer, body)).await;
        again.expect(200);
        assert!(again.replayed());
        assert_eq!(again.body, imported.body);
    }
    assert_eq!(world.items(&customer.call("GET", "/events?limit=100"), 3).await.len(), 3);
    audit(&world).await;
}

#[tokio::test]
async fn everything_works_in_an_imported_relationship() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.send(&world.import(&partner, &customer)).await.expect(201);
    world.send(&partner.register(&registration(&world.unique(), &customer))).await.expect(201);
    // While it is active, an invitation asks for roles within it.
    world.invite(&partner, &customer, Value::Null).await.refused(409, "relationship_active");
    let (id, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    let accepted = world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    assert_eq!(accepted["invitation"]["kind"], "grant");
    assert_eq!(accepted["relationship"]["since"], SINCE);
    let row = format!("/partners/{}", partner.partner_id);
    if world.here().is_some() {
        let rows = world.items(&customer.call("GET", "/partners"), 1).await;
        assert_eq!(rows[0]["grants"][0]["grant_id"], accepted["grant"]["grant_id"]);
        let row = world.send(&customer.call("GET", &row)).await.expect(200);
        assert_eq!(row["relationship"]["grants"][0]["state"], "active");
    }
    world.tick();
    let ended = world.send(&customer.end(&partner)).await.expect(200);
    assert_eq!((&ended["relationship"]["state"], &ended["relationship"]["since"]), (&json!("ended"), &json!(SINCE)));
    world
        .send(&partner.register(&registration(&world.unique(), &customer)))
        .await
        .refused(403, "no_active_relationship");
    // What has ended only the customer starts again.
    world.send(&world.import(&partner, &customer)).await.refused(409, "invalid_transition");
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.refused(403, "accept_proof_required");
    let again = world.send(&customer.accept(&id, &Value::Null)).await.expect(200);
    assert_ne!(again["relationship"]["since"], SINCE);
    let imported = world.send(&world.import(&partner, &customer)).await.expect(200);
    assert_eq!(imported["relationship"]["since"], again["relationship"]["since"]);
    audit(&world).await;
}

#[tokio::test]
async fn a_relationship_that_exists_is_not_imported() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let active = world.send(&world.import(&partner, &customer)).await.expect(200);
    assert_eq!(active["relationship"]["state"], "active");
    assert_ne!(active["relationship"]["since"], SINCE);
    world.send(&partner.end(&customer)).await.expect(200);
    world.send(&world.import(&partner, &customer)).await.refused(409, "invalid_transition");
    let types = world.event_types(&partner, 5).await;
    assert!(!types.contains(&"relationship.imported".to_owned()), "{types:?}");
}

#[tokio::test]
async fn an_open_invitation_stays_open_and_can_not_be_accepted_any_more() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    world.send(&world.import(&partner, &customer)).await.expect(201);
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.refused(409, "invalid_transition");
    world.send(&customer.accept(&id, &Value::Null)).await.refused(409, "invalid_transition");
    world.send(&partner.cancel(&id)).await.expect(200);
    world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    audit(&world).await;
}

/// The requirements are those of an invitation.
#[tokio::test]
async fn the_tenant_must_fit_as_for_an_invitation() {
    let world = World::start().await;
    let partner = world.partner().await;
    let unknown = Customer { tenant_id: world.tenant_id(), key: String::new() };
    let own = Customer { tenant_id: partner.tenant_id.clone(), key: String::new() };
    let csp = world.customer().await;
    world.enrol(&csp, "public", "US").await;
    let elsewhere = world.customer_in("us_gov", "US").await;
    let abroad = world.customer_in("public", "FR").await;
    for (customer, status, code) in [
        (&unknown, 422, "customer_unknown"),
        (&own, 422, "self_relationship"),
        (&csp, 403, "customer_is_csp_tenant"),
        (&elsewhere, 422, "cloud_mismatch"),
        (&abroad, 422, "market_mismatch"),
    ] {
        world.send(&world.import(&partner, customer)).await.refused(status, code);
        world.invite(&partner, customer, Value::Null).await.refused(status, code);
    }
    assert_eq!(world.items(&partner.call("GET", "/customers"), 0).await, Vec::<Value>::new());
    audit(&world).await;
}

#[tokio::test]
async fn only_an_operator_imports_and_only_for_known_partners() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let call = world.import(&partner, &customer);
    for (key, status, code) in [
        ("", 401, "token_missing"),
        ("mpk_x", 401, "key_invalid"),
        (partner.key.as_str(), 403, "role_not_permitted"),
        (customer.key.as_str(), 403, "role_not_permitted"),
    ] {
        let mut call = call.clone();
        call.headers.retain(|(name, _)| name != "authorization");
        let call = if key.is_empty() { call } else { call.key(key) };
        world.send(&call).await.refused(status, code);
    }
    let unknown = Partner { partner_id: format!("ptr_{}", "a".repeat(26)), ..partner.clone() };
    world.send(&world.import(&unknown, &customer)).await.refused(404, "not_found");
    let malformed = Customer { tenant_id: "x".into(), key: String::new() };
    world.send(&world.import(&partner, &malformed)).await.refused(404, "not_found");
    let upper = Customer { tenant_id: customer.tenant_id.to_uppercase(), ..customer.clone() };
    let imported = world.send(&world.import(&partner, &upper)).await.expect(201);
    assert_eq!(imported["relationship"]["customer_tenant_id"], json!(customer.tenant_id));
}

#[tokio::test]
async fn since_is_a_time_that_is_not_in_the_future() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let soon = world.now().plus_millis(60_000).to_string();
    for since in [json!(null), json!(5), json!("2020-02-29"), json!("2021-02-29T00:00:00Z"), json!("noon"), json!(soon)]
    {
        let answer = world.send(&import(&world, &partner, &customer, &json!({"since": since}))).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), ["/since"], "{since}");
    }
    let grants = json!({"since": SINCE, "grants": [], "external_reference": "a\nb"});
    let answer = world.send(&import(&world, &partner, &customer, &grants)).await;
    answer.refused(422, "validation_failed");
    assert_eq!(answer.pointers(), ["/external_reference", "/grants"]);
    let yesterday = json!({"since": world.now().plus_millis(-86_400_000)});
    world.send(&import(&world, &partner, &customer, &yesterday)).await.expect(201);
}

#[tokio::test]
async fn a_relationship_in_us_gov_can_be_imported_and_a_suspended_partner_has_one_too() {
    let world = World::start().await;
    let (partner, customer) = (world.partner_in("us_gov", "US").await, world.customer_in("us_gov", "US").await);
    let suspend = Call::new("POST", format!("/v1/partners/{}/suspend", partner.partner_id));
    world.operator(suspend).await.expect(200);
    world.send(&world.import(&partner, &customer)).await.expect(201);
    let rows = world.items(&customer.call("GET", "/partners"), 1).await;
    assert_eq!((&rows[0]["state"], &rows[0]["grants"]), (&json!("active"), &json!([])));
}

//! Registering subscriptions: the record, replays, the order of checks, and that records never change.

use serde_json::{Value, json};
use tests::parties::{asking, registration};
use tests::{Call, World};

#[tokio::test]
async fn a_registered_subscription_has_exactly_the_members_of_the_contract() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let id = format!("Azure.Plan_{}", world.unique());
    let body = json!({
        "subscription_id": id, "customer_tenant_id": customer.tenant_id, "service": "Office 365",
        "offer_id": "E5", "quantity": 1_000_000_000, "billing_cycle": "one_time", "term": "P3Y",
        "friendly_name": "Büro „Köln“", "partner_of_record": partner.partner_id,
    });
    let answer = world.send(&partner.register(&body)).await;
    let registered = answer.expect(201);
    assert!(!answer.replayed());
    let mut expected = body.clone();
    expected["registered_at"] = registered["subscription"]["registered_at"].clone();
    expected["policy_version"] = json!(2);
    assert_eq!(registered, json!({"subscription": expected}));
    if world.here().is_some() {
        assert_eq!(expected["registered_at"], "2026-11-22T12:00:00.000Z");
    }
    for shown in [&id, &id.to_uppercase(), &id.to_lowercase()] {
        let read = world.send(&partner.call("GET", &format!("/subscriptions/{shown}"))).await;
        assert_eq!(read.body, answer.body);
    }
    assert_eq!(world.items(&partner.call("GET", "/subscriptions"), 1).await, [expected.clone()]);
    assert_eq!(world.items(&customer.call("GET", "/subscriptions"), 1).await, [expected]);
    let events = world.items(&customer.call("GET", &format!("/events?subject={id}")), 1).await;
    assert_eq!((&events[0]["type"], &events[0]["sequence"]), (&json!("subscription.registered"), &json!(1)));
    let data = json!({
        "service": "Office 365", "offer_id": "E5", "quantity": 1_000_000_000, "billing_cycle": "one_time", "term": "P3Y",
    });
    assert_eq!(events[0]["data"], data);
}

#[tokio::test]
async fn a_billing_cycle_is_not_longer_than_the_term() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    for (cycle, terms) in [
        ("monthly", &["P1M", "P1Y", "P3Y"][..]),
        ("one_time", &["P1M", "P1Y", "P3Y"]),
        ("annual", &["P1Y", "P3Y"]),
        ("triennial", &["P3Y"]),
    ] {
        for term in ["P1M", "P1Y", "P3Y"] {
            let mut body = registration(&world.unique(), &customer);
            (body["billing_cycle"], body["term"]) = (json!(cycle), json!(term));
            let answer = world.send(&partner.register(&body)).await;
            if terms.contains(&term) {
                answer.expect(201);
            } else {
                answer.refused(422, "validation_failed");
                assert_eq!(answer.pointers(), ["/billing_cycle"], "{cycle} {term}");
            }
        }
    }
}

#[tokio::test]
async fn the_external_reference_is_hidden_from_the_customer_and_from_events() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let id = world.unique();
    let mut body = registration(&id, &customer);
    body["external_reference"] = json!("order 4711");
    body["started_on"] = json!("2026-10-01");
    let registered = world.send(&partner.register(&body)).await.expect(201)["subscription"].clone();
    assert_eq!(
        (&registered["external_reference"], &registered["started_on"]),
        (&json!("order 4711"), &json!("2026-10-01"))
    );
    assert!(world.send(&partner.register(&body)).await.replayed());
    let by_operator = Call::get(format!("/v1/customers/{}/subscriptions", customer.tenant_id));
    for read in [partner.call("GET", "/subscriptions"), by_operator.key(world.operator_key())] {
        assert_eq!(world.items(&read, 1).await, std::slice::from_ref(&registered));
    }
    let mut shown = registered.clone();
    shown.as_object_mut().unwrap().remove("external_reference");
    assert_eq!(world.items(&customer.call("GET", "/subscriptions"), 1).await, [shown]);
    let events = world.items(&partner.call("GET", &format!("/events?subject={id}")), 1).await;
    assert!(!json!(events).to_string().contains("order 4711"));
    body["external_reference"] = json!("order 4712");
    world.send(&partner.register(&body)).await.refused(409, "subscription_exists");
}

#[tokio::test]
async fn values_at_their_limits_are_accepted() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    for (member, value) in [
        ("subscription_id", json!(format!("{:->64}", world.unique()))),
        ("service", json!("é".repeat(100))),
        ("offer_id", json!("x")),
        ("quantity", json!(1)),
        ("friendly_name", json!("<b>&amp; “E5”</b>")),
        ("billing_cycle", json!("one_time")),
        ("term", json!("P3Y")),
        ("external_reference", json!("é".repeat(100))),
        ("started_on", json!("2000-02-29")),
        ("started_on", json!(world.now().plus_days(1).to_string()[..10])),
    ] {
        let mut body = registration(&world.unique(), &customer);
        body[member] = value.clone();
        assert_eq!(world.send(&partner.register(&body)).await.expect(201)["subscription"][member], value);
    }
}

#[tokio::test]
async fn the_same_registration_again_returns_the_first_record_and_writes_nothing() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let id = format!("azure-{}", world.unique());
    let body = registration(&id, &customer);
    let first = world.send(&partner.register(&body)).await;
    first.expect(201);
    let events = world.event_types(&partner, 5).await;
    let mut spelled = body.clone();
    spelled["subscription_id"] = json!(id.to_uppercase());
    spelled["friendly_name"] = Value::Null;
    spelled["partner_of_record"] = json!(partner.partner_id);
    world.tick();
    let again = async || {
        for body in [&body, &spelled] {
            let answer = world.send(&partner.register(body)).await;
            answer.expect(200);
            assert!(answer.replayed());
            assert_eq!(answer.body, first.body);
        }
    };
    again().await;
    assert_eq!(world.event_types(&partner, 5).await, events);
    // The record remains after the relationship ends.
    world.send(&customer.end(&partner)).await.expect(200);
    again().await;
}

#[tokio::test]
async fn a_used_id_is_rejected_without_information_about_its_owner() {
    let world = World::start().await;
    let (one, two, customer) = (world.partner().await, world.partner().await, world.customer().await);
    world.relate(&one, &customer).await;
    world.relate(&two, &customer).await;
    let mut body = registration(&world.unique(), &customer);
    // With this term, one member at a time can be changed and the registration stays valid.
    body["term"] = json!("P1Y");
    world.send(&one.register(&body)).await.expect(201);
    let before = world.items(&customer.call("GET", "/subscriptions"), 1).await;
    let foreign = world.send(&two.register(&body)).await;
    let problem = foreign.refused(409, "subscription_exists").to_string();
    assert!(!problem.contains(&one.partner_id) && !problem.contains("Northwind"), "{problem}");
    // The partner's own record with different content gets the same response.
    for (member, value) in [
        ("service", json!("office")),
        ("offer_id", json!("other")),
        ("quantity", json!(2)),
        ("billing_cycle", json!("annual")),
        ("term", json!("P3Y")),
        ("friendly_name", json!("x")),
    ] {
        let mut other = body.clone();
        other[member] = value;
        let own = world.send(&one.register(&other)).await;
        own.refused(409, "subscription_exists");
        assert_eq!(own.looks(), foreign.looks(), "{member}");
    }
    assert_eq!(world.items(&customer.call("GET", "/subscriptions"), 1).await, before);
}

#[tokio::test]
async fn relationship_then_tenant_then_id_are_checked() {
    let world = World::start().await;
    let (partner, other) = (world.partner().await, world.partner().await);
    let (customer, stranger) = (world.customer().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let taken = registration(&world.unique(), &customer);
    world.send(&partner.register(&taken)).await.expect(201);
    let of = |tenant: &str| {
        let mut body = taken.clone();
        body["customer_tenant_id"] = json!(tenant);
        body
    };
    world.enrol(&stranger, "public", "US").await;
    // The relationship is checked before the tenant and the id. The response does not reveal whether the tenant exists.
    let mut looks = Vec::new();
    for tenant in [&stranger.tenant_id, &other.tenant_id, &partner.tenant_id, &world.tenant_id()] {
        let answer = world.send(&partner.register(&of(tenant))).await;
        answer.refused(403, "no_active_relationship");
        looks.push(answer.looks());
    }
    assert!(looks.iter().all(|look| *look == looks[0]));
    let foreign = world.send(&other.register(&taken)).await;
    foreign.refused(403, "no_active_relationship");
    // The tenant is checked before the id.
    world.enrol(&customer, "public", "US").await;
    let mut changed = taken.clone();
    changed["quantity"] = json!(2);
    world.send(&partner.register(&changed)).await.refused(403, "customer_is_csp_tenant");
}

/// MP-13, MP-21: registration needs an accepted invitation, and a relationship that has not ended.
#[tokio::test]
async fn registration_needs_an_active_relationship() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let register = || partner.register(&registration(&world.unique(), &customer));
    world.send(&register()).await.refused(403, "no_active_relationship");
    let (id, _) = world.open(&partner, &customer, asking(&["global_reader"], "P1D")).await;
    world.send(&register()).await.refused(403, "no_active_relationship");
    world.send(&customer.accept(&id, &json!("refused"))).await.expect(200);
    world.send(&register()).await.expect(201);
    world.send(&customer.end(&partner)).await.expect(200);
    world.send(&register()).await.refused(403, "no_active_relationship");
    world.relate(&partner, &customer).await;
    world.send(&register()).await.expect(201);
}

/// MP-11, MP-12, MP-36: two partners sell the same service and offer to one customer, under different ids.
#[tokio::test]
async fn two_partners_sell_the_same_service_to_one_customer() {
    let world = World::start().await;
    let (one, two, customer) = (world.partner().await, world.partner().await, world.customer().await);
    for partner in [&one, &two] {
        world.relate(partner, &customer).await;
        world.send(&partner.register(&registration(&world.unique(), &customer))).await.expect(201);
    }
    let both = world.items(&customer.call("GET", "/subscriptions"), 2).await;
    assert!(both.iter().all(|subscription| subscription["service"] == "azure"));
    assert_ne!(both[0]["partner_of_record"], both[1]["partner_of_record"]);
    for partner in [&one, &two] {
        let own = world.items(&partner.call("GET", "/subscriptions"), 1).await;
        assert_eq!(own[0]["partner_of_record"], partner.partner_id);
    }
}

#[tokio::test]
async fn the_same_subscription_id_can_exist_in_each_cloud() {
    let world = World::start().await;
    let id = world.unique();
    for cloud in ["public", "us_gov"] {
        let (partner, customer) = (world.partner_in(cloud, "US").await, world.customer_in(cloud, "US").await);
        let (invitation, _) = world.open(&partner, &customer, asking(&["global_reader"], "P1D")).await;
        world.send(&customer.accept(&invitation, &json!("as_requested"))).await.expect(200);
        world.send(&partner.register(&registration(&id, &customer))).await.expect(201);
    }
}

#[tokio::test]
async fn only_the_partner_of_record_can_read_a_subscription() {
    let world = World::start().await;
    let (one, two, customer) = (world.partner().await, world.partner().await, world.customer().await);
    world.relate(&one, &customer).await;
    world.relate(&two, &customer).await;
    let id = world.unique();
    world.send(&one.register(&registration(&id, &customer))).await.expect(201);
    let foreign = world.send(&two.call("GET", &format!("/subscriptions/{id}"))).await;
    foreign.refused(404, "not_found");
    let unknown = world.send(&two.call("GET", &format!("/subscriptions/{}", world.unique()))).await;
    assert_eq!(foreign.looks(), unknown.looks());
    let read = Call::get(format!("/v1/partners/{}/subscriptions/{id}", one.partner_id)).key(world.operator_key());
    assert_eq!(world.send(&read).await.expect(200)["subscription"]["subscription_id"], json!(id));
}

/// The request is rejected before anything is read: without a key, for unknown ids, with any body.
#[tokio::test]
async fn a_subscription_can_not_be_changed_or_deleted() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let id = world.unique();
    world.send(&partner.register(&registration(&id, &customer))).await.expect(201);
    let before = world.items(&customer.call("GET", "/subscriptions"), 1).await;
    let own = format!("/v1/partners/{}/subscriptions/{id}", partner.partner_id);
    let mut looks = Vec::new();
    for method in ["PUT", "PATCH", "DELETE"] {
        for path in [own.as_str(), "/v1/partners/x/subscriptions/y"] {
            for key in [&partner.key, &customer.key, "mpk_x"] {
                let answer = world.send(&Call::new(method, path).key(key).bytes("{")).await;
                answer.refused(405, "subscription_immutable");
                assert_eq!(answer.header("allow"), Some("GET"));
                looks.push(answer.looks());
            }
        }
    }
    assert!(looks.iter().all(|look| *look == looks[0]));
    assert_eq!(world.items(&customer.call("GET", "/subscriptions"), 1).await, before);
}

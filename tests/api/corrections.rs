//! Corrections of the records of customers and partners by the operator.

use serde_json::{Value, json};
use tests::parties::accept_by_link;
use tests::{Call, Customer, Partner, World};

/// What an operator corrects, and what the events say about it.
trait Corrections {
    async fn correct_customer(&self, customer: &Customer, body: &Value) -> tests::Answer;
    async fn correct_partner(&self, partner: &Partner, body: &Value) -> tests::Answer;
    async fn data_of(&self, id: &str, event_type: &str) -> Vec<Value>;
}

impl Corrections for World {
    async fn correct_customer(&self, customer: &Customer, body: &Value) -> tests::Answer {
        self.operator(Call::new("PATCH", format!("/v1/customers/{}", customer.tenant_id)).json(body)).await
    }

    async fn correct_partner(&self, partner: &Partner, body: &Value) -> tests::Answer {
        self.operator(Call::new("PATCH", format!("/v1/partners/{}", partner.partner_id)).json(body)).await
    }

    /// The data of the events of a type about this id, newest first.
    async fn data_of(&self, id: &str, event_type: &str) -> Vec<Value> {
        let events = self.all(&Call::get(format!("/v1/events?subject={id}")).key(self.operator_key())).await;
        events.into_iter().filter(|event| event["type"] == event_type).map(|event| event["data"].clone()).collect()
    }
}

#[tokio::test]
async fn the_event_of_a_correction_has_the_members_that_changed() {
    let Some(world) = World::with_clock().await else { return };
    let customer = world.customer().await;
    // Each body, the record's members afterward, and the data of the event, if there is one.
    let steps = [
        (json!({}), json!({"name": "Contoso", "market": "US", "cloud": "public"}), None),
        (json!({"name": "Contoso", "market": "US"}), json!({"name": "Contoso"}), None),
        (
            json!({"name": "Contoso Ltd.", "domain": "Contoso.Example"}),
            json!({"name": "Contoso Ltd.", "domain": "contoso.example"}),
            Some(json!({"name": "Contoso Ltd.", "domain": "contoso.example"})),
        ),
        (json!({"domain": "contoso.example"}), json!({"domain": "contoso.example"}), None),
        (json!({"market": "FR"}), json!({"market": "FR", "cloud": "public"}), Some(json!({"market": "FR"}))),
        (json!({"cloud": "us_gov"}), json!({"market": "FR", "cloud": "us_gov"}), Some(json!({"cloud": "us_gov"}))),
        (json!({"domain": null}), json!({"domain": null}), Some(json!({"domain": null}))),
    ];
    let mut written = Vec::new();
    for (body, shown, data) in steps {
        world.tick();
        let corrected = world.correct_customer(&customer, &body).await.expect(200)["customer"].clone();
        for (member, value) in shown.as_object().unwrap() {
            assert_eq!(corrected[member], *value, "{body}: {member}");
        }
        written.splice(0..0, data);
        assert_eq!(world.data_of(&customer.tenant_id, "customer.updated").await, written, "{body}");
    }
    let partner = world.partner().await;
    let body = json!({"name": "Northwind Ltd.", "domain": "northwind.example", "market": "CA"});
    let corrected = world.correct_partner(&partner, &body).await.expect(200)["partner"].clone();
    assert_eq!(
        [&corrected["name"], &corrected["domain"], &corrected["market"]],
        [&body["name"], &body["domain"], &body["market"]]
    );
    world.correct_partner(&partner, &body).await.expect(200);
    assert_eq!(world.data_of(&partner.partner_id, "partner.updated").await, [body]);
    world.correct_partner(&partner, &json!({"cloud": "us_gov"})).await.refused(422, "validation_failed");
}

/// Once a record is corrected, a registration is compared with the corrected details.
#[tokio::test]
async fn registering_again_is_compared_with_the_current_details() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = |tenant: &str, name: &str| json!({"tenant_id": tenant, "name": name, "cloud": "public", "market": "US"});
    world.correct_customer(&customer, &json!({"name": "Contoso Ltd."})).await.expect(200);
    world.correct_partner(&partner, &json!({"name": "Northwind Ltd."})).await.expect(200);
    let customers = |name: &str| Call::post("/v1/customers", &body(&customer.tenant_id, name));
    let partners = |name: &str| Call::post("/v1/partners", &body(&partner.tenant_id, name));
    world.operator(customers("Contoso Ltd.")).await.expect(200);
    world.operator(customers("Contoso")).await.refused(409, "tenant_exists");
    let enrolled = world.operator(partners("Northwind Ltd.")).await.expect(200);
    assert_eq!(enrolled["signing_secret"], json!(partner.signing_secret));
    world.operator(partners("Northwind")).await.refused(409, "partner_exists");
}

#[tokio::test]
async fn cloud_and_market_are_corrected_only_until_they_are_used() {
    let world = World::start().await;
    let (partner, other) = (world.partner().await, world.partner().await);
    let [invited, related, enrolled] = [world.customer().await, world.customer().await, world.customer().await];
    let (id, _) = world.open(&partner, &invited, Value::Null).await;
    world.relate(&other, &related).await;
    world.enrol(&enrolled, "public", "US").await;
    let (cloud, market) = (json!({"cloud": "us_gov"}), json!({"market": "FR"}));
    // An invitation binds the cloud, also when it is over. Enrollment binds both.
    world.send(&partner.cancel(&id)).await.expect(200);
    for customer in [&invited, &related, &enrolled] {
        world.correct_customer(customer, &cloud).await.refused(409, "customer_in_use");
    }
    world.correct_customer(&enrolled, &market).await.refused(409, "customer_in_use");
    for customer in [&invited, &related] {
        let corrected = world.correct_customer(customer, &market).await.expect(200);
        assert_eq!(corrected["customer"]["market"], "FR");
    }
    // A relationship stays what it was: its partner still registers subscriptions.
    let registrations = [world.unique(), world.unique()].map(|id| tests::parties::registration(&id, &related));
    world.send(&other.register(&registrations[0])).await.expect(201);
    let batch = json!({"subscriptions": registrations});
    let results = world.send(&other.call("POST", "/subscriptions/batch").json(&batch)).await.expect(200);
    assert_eq!([&results["results"][0]["outcome"], &results["results"][1]["outcome"]], ["replayed", "registered"]);
    // A domain and a name are never bound.
    let free = json!({"domain": "contoso.example", "name": "Contoso Ltd."});
    for customer in [&invited, &related, &enrolled] {
        world.correct_customer(customer, &free).await.expect(200);
    }
    // A relationship binds a partner's market, also after it has ended.
    world.send(&related.call("DELETE", &format!("/partners/{}", other.partner_id))).await.expect(200);
    if world.here().is_some() {
        world.correct_partner(&other, &market).await.refused(409, "customer_in_use");
    }
    world.correct_partner(&partner, &market).await.expect(200);
    world.correct_partner(&other, &free).await.expect(200);
}

/// Each function has the partner with its old market in its cache.
#[tokio::test]
async fn after_a_correction_of_its_partner_no_invitation_is_refused_for_the_old_market() {
    let world = World::start().await;
    let partner = world.partner().await;
    let (to_renew, to_accept, new) = (world.customer().await, world.customer().await, world.customer().await);
    let (renewed, _) = world.open(&partner, &to_renew, Value::Null).await;
    let (accepted, token) = world.open(&partner, &to_accept, Value::Null).await;
    world.send(&partner.renew(&renewed)).await.expect(200);
    let unasked = world.send(&accept_by_link(&accepted, &token, &json!("as_requested"))).await;
    unasked.refused(422, "validation_failed");
    let market = json!({"market": "FR"});
    world.correct_partner(&partner, &market).await.expect(200);
    for customer in [&to_renew, &to_accept, &new] {
        world.correct_customer(customer, &market).await.expect(200);
    }
    world.open(&partner, &new, Value::Null).await;
    world.send(&partner.renew(&renewed)).await.expect(200);
    world.send(&accept_by_link(&accepted, &token, &Value::Null)).await.expect(200);
    // The function has read the partner again.
    let body = json!({"customer_tenant_id": world.customer().await.tenant_id, "delegated_admin": null});
    let refused = world.send(&partner.create(&body).idempotency_key(world.unique())).await;
    refused.refused(422, "market_mismatch");
}

/// A partner has the cloud and market of its tenant, in either order of the writes.
#[tokio::test]
async fn a_correction_and_an_enrollment_at_the_same_time_never_disagree() {
    let world = World::start().await;
    for _ in 0..8 {
        let customer = world.customer().await;
        let body = json!({"tenant_id": customer.tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
        let market = json!({"market": "FR"});
        let (corrected, enrolled) = tokio::join!(
            world.correct_customer(&customer, &market),
            world.operator(Call::post("/v1/partners", &body)),
        );
        match (corrected.status, enrolled.status) {
            (200, 422) | (409, 201) => {}
            both => panic!("{both:?}"),
        }
    }
}

/// RFC 9562: letters of either case are accepted, and lower case is stored and returned.
#[tokio::test]
async fn a_tenant_id_in_upper_case_is_the_same_tenant_everywhere() {
    let world = World::start().await;
    let (partner, lower) = (world.partner().await, world.tenant_id());
    let upper = lower.to_uppercase();
    let body = json!({"tenant_id": upper, "name": "Contoso", "cloud": "public", "market": "US"});
    let registered = world.operator(Call::post("/v1/customers", &body)).await.expect(201);
    assert_eq!(registered["customer"]["tenant_id"], json!(lower));
    let key = world.issue_key(json!({"kind": "customer", "id": upper}), &["global_admin"]).await;
    let [customer, shouting] = [&lower, &upper].map(|id| Customer { tenant_id: id.clone(), key: key.clone() });
    let me = world.send(&Call::get("/v1/me").key(&key)).await.expect(200);
    assert_eq!(me["id"], json!(lower));
    let id = world.relate(&partner, &shouting).await;
    let shown = world.send(&shouting.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    assert_eq!(shown["invitation"]["customer_tenant_id"], json!(lower));
    for list in ["/invitations", "/partners", "/events"] {
        let count = world.items(&customer.call("GET", list), if list == "/events" { 4 } else { 1 }).await.len();
        world.items(&shouting.call("GET", list), count).await;
    }
    let of_tenant = |id: &str| Call::get(format!("/v1/events?subject={id}")).key(world.operator_key());
    world.items(&of_tenant(&upper), world.items(&of_tenant(&lower), 4).await.len()).await;
    let registration = tests::parties::registration("azure-1", &shouting);
    let sold = world.send(&partner.register(&registration)).await.expect(201);
    assert_eq!(sold["subscription"]["customer_tenant_id"], json!(lower));
    let again = world.send(&partner.register(&tests::parties::registration("azure-1", &customer))).await;
    assert_eq!(again.expect(200), sold);
    world.correct_customer(&shouting, &json!({"name": "Contoso Ltd."})).await.expect(200);
    let end = Call::delete(format!("/v1/partners/{}/customers/{upper}", partner.partner_id)).key(&partner.key);
    assert_eq!(world.send(&end).await.expect(200)["relationship"]["customer_tenant_id"], json!(lower));
}

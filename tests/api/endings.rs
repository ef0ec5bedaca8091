//! Ending relationships and grants, by either side.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, preview, registration};
use tests::{Call, Customer, Partner, World};

async fn granted(world: &World, partner: &Partner, customer: &Customer, days: &str) -> String {
    let (id, _) = world.open(partner, customer, asking(&["global_reader"], days)).await;
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    id.replace("inv_", "grt_")
}

/// Ending a relationship by the partner and by the customer.
fn ends(partner: &Partner, customer: &Customer) -> [Call; 2] {
    [partner.end(customer), customer.end(partner)]
}

#[tokio::test]
async fn either_side_can_end_the_relationship_and_repeats_change_nothing() {
    let world = World::start().await;
    for first in [0, 1] {
        let (partner, customer) = (world.partner().await, world.customer().await);
        let grant = granted(&world, &partner, &customer, "P10D").await;
        world.send(&partner.register(&registration(&world.unique(), &customer))).await.expect(201);
        let sold = world.items(&customer.call("GET", "/subscriptions"), 1).await;
        world.tick();
        let calls = ends(&partner, &customer);
        let ended = world.send(&calls[first]).await;
        assert_eq!(ended.expect(200)["relationship"]["state"], "ended");
        world.tick();
        for again in &calls {
            let answer = world.send(again).await;
            answer.expect(200);
            assert_eq!(answer.body, ended.body);
        }
        let events = world.items(&customer.call("GET", "/events?limit=100"), 6).await;
        let event = events.iter().find(|event| event["type"] == "relationship.ended").unwrap();
        assert_eq!(event["data"], json!({"grants": [grant], "grants_total": 1}));
        let actor = ["partner", "customer"][first];
        assert_eq!((&event["actor"]["kind"], &event["actor"]["role"]), (&json!(actor), &json!("global_admin")));
        assert_eq!(world.items(&customer.call("GET", "/subscriptions"), 1).await, sold);
    }
}

#[tokio::test]
async fn either_side_can_end_a_grant_and_the_relationship_continues() {
    let world = World::start().await;
    for first in [0, 1] {
        let (partner, customer) = (world.partner().await, world.customer().await);
        let grant = granted(&world, &partner, &customer, "P10D").await;
        let other = granted(&world, &partner, &customer, "P10D").await;
        world.tick();
        let path = format!("/grants/{grant}");
        let calls = [partner.call("DELETE", &path), customer.call("DELETE", &path)];
        let ended = world.send(&calls[first]).await;
        assert_eq!(
            (&ended.expect(200)["grant"]["state"], &ended.json()["grant"]["grant_id"]),
            (&json!("ended"), &json!(grant))
        );
        world.tick();
        for again in &calls {
            let answer = world.send(again).await;
            answer.expect(200);
            assert_eq!(answer.body, ended.body);
        }
        let types: Vec<_> = world.event_types(&partner, 7).await;
        assert_eq!(types.iter().filter(|kind| *kind == "grant.ended").count(), 1);
        if world.here().is_some() {
            let rows = world.items(&customer.call("GET", "/partners"), 1).await;
            assert_eq!(rows[0]["state"], "active");
            let state_of = |id: &str| {
                let grants = rows[0]["grants"].as_array().unwrap();
                grants.iter().find(|grant| grant["grant_id"] == id).unwrap()["state"].clone()
            };
            assert_eq!((state_of(&grant), state_of(&other)), (json!("ended"), json!("active")));
        }
        world.send(&partner.register(&registration(&world.unique(), &customer))).await.expect(201);
    }
}

#[tokio::test]
async fn ending_a_missing_relationship_or_grant_returns_404() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    for call in ends(&partner, &customer) {
        world.send(&call).await.refused(404, "not_found");
    }
    // A pending invitation is neither a relationship nor a grant.
    let (id, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    let path = format!("/grants/{}", id.replace("inv_", "grt_"));
    for call in ends(&partner, &customer) {
        world.send(&call).await.refused(404, "not_found");
    }
    for call in [partner.call("DELETE", &path), customer.call("DELETE", &path)] {
        world.send(&call).await.refused(404, "not_found");
    }
    world.send(&customer.accept(&id, &json!("refused"))).await.expect(200);
    world.send(&customer.call("DELETE", &path)).await.refused(404, "not_found");
}

#[tokio::test]
async fn ending_an_inactive_grant_returns_it_unchanged() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let short = granted(&world, &partner, &customer, "P1D").await;
    let long = granted(&world, &partner, &customer, "P100D").await;
    let events = world.event_types(&partner, 6).await;
    world.clock().advance_days(1);
    for call in
        [partner.call("DELETE", &format!("/grants/{short}")), customer.call("DELETE", &format!("/grants/{short}"))]
    {
        let grant = world.send(&call).await.expect(200)["grant"].clone();
        assert_eq!((&grant["state"], &grant["ends_at"]), (&json!("expired"), &json!("2026-11-23T12:00:00.000Z")));
    }
    assert_eq!(world.event_types(&partner, 6).await, events);
    world.send(&customer.end(&partner)).await.expect(200);
    let ended = world.send(&partner.call("DELETE", &format!("/grants/{long}"))).await.expect(200)["grant"].clone();
    assert_eq!((&ended["state"], &ended["ends_at"]), (&json!("ended"), &json!("2026-11-23T12:00:00.000Z")));
    // Only the active grants ended with the relationship.
    let all = world.items(&partner.call("GET", "/events"), 7).await;
    assert_eq!(all[0]["data"]["grants"], json!([long]));
}

#[tokio::test]
async fn the_end_cancels_the_open_invitation_and_the_next_one_can_be_created() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let (open, token) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    let ended = world.send(&partner.end(&customer)).await.expect(200);
    let cancelled = world.send(&partner.call("GET", &format!("/invitations/{open}"))).await.expect(200);
    let at = &ended["relationship"]["ended_at"];
    assert_eq!(
        (&cancelled["invitation"]["state"], &cancelled["invitation"]["version"]),
        (&json!("cancelled"), &json!(2))
    );
    let answer = json!({"decision": "cancelled", "decided_at": at, "reason": "relationship_ended", "proof": "key"});
    assert_eq!(cancelled["invitation"]["answer"], answer);
    assert_eq!(world.send(&preview(&open, &token)).await.expect(200)["invitation"]["answer"], answer);
    // Cancelling it again is a replay, and nothing else is possible.
    let again = world.send(&partner.cancel(&open)).await;
    assert_eq!((again.expect(200), again.replayed()), (cancelled, true));
    for call in [
        customer.accept(&open, &json!("as_requested")),
        accept_by_link(&open, &token, &json!("as_requested")),
        customer.decline(&open),
        partner.renew(&open),
    ] {
        world.send(&call).await.refused(409, "invalid_transition");
    }
    // One command, one event.
    let events = world.items(&customer.call("GET", "/events?limit=100"), 6).await;
    let event = events.iter().find(|event| event["type"] == "relationship.ended").unwrap();
    assert_eq!(event["data"], json!({"grants": [], "grants_total": 0, "invitation_id": open}));
    assert!(events.iter().all(|event| event["type"] != "invitation.cancelled"));
    world.tick();
    let (id, _) = world.open(&partner, &customer, Value::Null).await;
    world.send(&customer.accept(&id, &Value::Null)).await.expect(200);
}

#[tokio::test]
async fn an_expired_invitation_stays_expired_when_its_relationship_ends() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    let (expired, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    world.clock().advance_days(30);
    world.send(&customer.end(&partner)).await.expect(200);
    let shown = world.send(&partner.call("GET", &format!("/invitations/{expired}"))).await.expect(200);
    assert_eq!((&shown["invitation"]["state"], &shown["invitation"]["answer"]), (&json!("expired"), &Value::Null));
    let events = world.items(&partner.call("GET", "/events"), 6).await;
    assert_eq!(events[0]["data"], json!({"grants": [], "grants_total": 0}));
    // Its period is over, so it cannot be renewed either.
    world.send(&partner.renew(&expired)).await.refused(409, "invalid_transition");
}

/// The event must stay small enough to be sent, however many grants end.
#[tokio::test]
async fn the_event_of_an_end_names_at_most_a_hundred_grants_and_counts_all() {
    let Some(world) = World::with_policy(|file| {
        file["versions"][0]["limits"]["invitations_per_pair_and_day"] = json!(1000);
    })
    .await
    else {
        return;
    };
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    for _ in 0..101 {
        granted(&world, &partner, &customer, "P10D").await;
    }
    world.send(&customer.end(&partner)).await.expect(200);
    let events = world.send(&partner.call("GET", "/events?limit=1")).await.expect(200);
    let event = &events["items"][0];
    assert_eq!((&event["type"], &event["data"]["grants_total"]), (&json!("relationship.ended"), &json!(101)));
    assert_eq!(event["data"]["grants"].as_array().map(Vec::len), Some(100));
    let bytes = event.to_string().len();
    assert!(bytes < 6_000, "{bytes} bytes");
}

/// Offboarding takes one call for each customer, and the audit says who did it.
#[tokio::test]
async fn an_operator_offboards_a_suspended_partner() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, stranger) = (world.partner().await, world.partner().await);
    let (ended, narrowed, invited) = (world.customer().await, world.customer().await, world.customer().await);
    granted(&world, &partner, &ended, "P10D").await;
    let grant = granted(&world, &partner, &narrowed, "P10D").await;
    let (invitation, _) = world.open(&partner, &invited, Value::Null).await;
    world.suspend(&partner).await;
    let body = json!({"principal": {"kind": "operator"}, "roles": [], "name": "Offboarding"});
    let issued = world.operator(Call::post("/v1/keys", &body)).await.expect(201);
    let key = issued["key"].as_str().expect("a key");
    let at = |partner: &Partner, method: &str, path: &str| {
        Call::new(method, format!("/v1/partners/{}{path}", partner.partner_id)).key(key)
    };
    for (method, path, customer, event_type) in [
        ("DELETE", format!("/customers/{}", ended.tenant_id), &ended, "relationship.ended"),
        ("DELETE", format!("/grants/{grant}"), &narrowed, "grant.ended"),
        ("POST", format!("/invitations/{invitation}/cancel"), &invited, "invitation.cancelled"),
    ] {
        world.send(&partner.call(method, &path)).await.refused(403, "partner_not_active");
        world.send(&at(&stranger, method, &path)).await.refused(404, "not_found");
        let first = world.send(&at(&partner, method, &path)).await;
        first.expect(200);
        let again = world.send(&at(&partner, method, &path)).await;
        assert_eq!((again.expect(200), again.replayed()), (first.json(), true));
        let events = Call::get(format!("/v1/customers/{}/events", customer.tenant_id)).key(key);
        let events = world.send(&events).await.expect(200);
        let made: Vec<&Value> =
            events["items"].as_array().expect("items").iter().filter(|event| event["type"] == event_type).collect();
        assert_eq!(made.len(), 1, "{event_type}");
        let actor = &made[0]["actor"];
        assert_eq!((&actor["kind"], &actor["id"]), (&json!("operator"), &issued["key_id"]), "{event_type}");
    }
    // All reads, also while the partner is suspended.
    for path in ["/invitations", "/customers", "/subscriptions", "/events", "/endpoints"] {
        world.send(&at(&partner, "GET", path)).await.expect(200);
    }
    world.send(&at(&partner, "GET", &format!("/invitations/{invitation}"))).await.expect(200);
}

/// The function that writes the second period has a clock that is behind.
#[tokio::test]
async fn periods_are_in_the_order_of_their_events_if_clocks_differ() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    world.clock().advance_days(1);
    let first = world.send(&partner.end(&customer)).await.expect(200);
    world.clock().advance_millis(-1_500);
    world.relate(&partner, &customer).await;
    world.tick();
    let second = world.send(&customer.end(&partner)).await.expect(200);
    let ended = |answer: &Value| answer["relationship"]["ended_at"].as_str().expect("a time").to_owned();
    assert!(ended(&second) < ended(&first));
    let (local, _) = world.here().expect("in this process");
    local::verify::audit(local.client(), local.table()).await.expect("every record is as its events left it");
}

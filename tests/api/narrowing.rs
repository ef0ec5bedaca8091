//! Either side can reduce a grant, and neither can widen it.

use serde_json::{Value, json};
use tests::parties::asking;
use tests::{Answer, Call, Customer, Partner, World};

async fn granted(world: &World, partner: &Partner, customer: &Customer, asked: Value) -> String {
    let (id, _) = world.open(partner, customer, asked).await;
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    format!("/grants/{}", id.replace("inv_", "grt_"))
}

fn two_roles() -> Value {
    asking(&["directory_readers", "global_reader"], "P40D")
}

async fn narrow(world: &World, call: Call, body: &Value) -> Answer {
    world.tick();
    world.send(&call.json(body)).await
}

#[tokio::test]
async fn either_side_can_narrow_a_grant_and_a_repeat_changes_nothing() {
    let world = World::start().await;
    for first in [0, 1] {
        let (partner, customer) = (world.partner().await, world.customer().await);
        let path = granted(&world, &partner, &customer, two_roles()).await;
        let ends_at = world.now().plus_days(20).to_string();
        let body = json!({"roles": ["global_reader"], "ends_at": ends_at});
        let calls = [partner.call("PATCH", &path), customer.call("PATCH", &path)];
        let narrowed = narrow(&world, calls[first].clone(), &body).await;
        let grant = &narrowed.expect(200)["grant"];
        assert_eq!((&grant["roles"], &grant["ends_at"]), (&json!(["global_reader"]), &json!(ends_at)));
        assert_eq!((&grant["state"], &grant["auto_extend"]), (&json!("active"), &json!(false)));
        assert_eq!(grant["partner_id"], json!(partner.partner_id));
        assert_eq!(grant["customer_tenant_id"], json!(customer.tenant_id));
        for again in &calls {
            let answer = narrow(&world, again.clone(), &body).await;
            assert_eq!(answer.expect(200), narrowed.json());
            assert!(answer.replayed());
        }
        let events = world.items(&customer.call("GET", "/events?limit=100"), 5).await;
        let of_type: Vec<_> = events.iter().filter(|event| event["type"] == "grant.narrowed").collect();
        assert_eq!(of_type.len(), 1);
        let data = json!({"roles": ["global_reader"], "ends_at": ends_at, "auto_extend": false});
        assert_eq!(of_type[0]["data"], data);
        assert_eq!(of_type[0]["actor"]["kind"], ["partner", "customer"][first]);
    }
}

#[tokio::test]
async fn nothing_can_be_widened() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let path = granted(&world, &partner, &customer, two_roles()).await;
    let before = world.event_types(&partner, 4).await;
    let at = |days: u32| world.now().plus_days(days).to_string();
    for wider in [
        json!({"roles": ["global_administrator"]}),
        json!({"roles": ["directory_readers", "global_reader", "user_administrator"]}),
        json!({"ends_at": at(41)}),
        json!({"ends_at": world.now()}),
        json!({"ends_at": "2020-01-01T00:00:00Z"}),
        json!({"auto_extend": true}),
        json!({"roles": ["global_reader"], "auto_extend": true}),
        json!({"roles": ["global_reader"], "ends_at": at(41)}),
    ] {
        for call in [partner.call("PATCH", &path), customer.call("PATCH", &path)] {
            narrow(&world, call, &wider).await.refused(422, "grant_not_narrower");
        }
    }
    assert!(narrow(&world, partner.call("PATCH", &path), &json!({})).await.replayed());
    assert_eq!(world.event_types(&partner, 4).await, before);
}

#[tokio::test]
async fn only_an_active_grant_of_the_caller_can_be_narrowed() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body = json!({"roles": ["global_reader"]});
    let path = granted(&world, &partner, &customer, two_roles()).await;
    let (stranger, other) = (world.partner().await, world.customer().await);
    for call in [stranger.call("PATCH", &path), other.call("PATCH", &path)] {
        narrow(&world, call, &body).await.refused(404, "not_found");
    }
    let (id, _) = world.open(&partner, &customer, two_roles()).await;
    let pending = format!("/grants/{}", id.replace("inv_", "grt_"));
    narrow(&world, customer.call("PATCH", &pending), &body).await.refused(404, "not_found");
    world.send(&customer.accept(&id, &json!("as_requested"))).await.expect(200);
    world.send(&customer.call("DELETE", &pending)).await.expect(200);
    let short = granted(&world, &partner, &customer, asking(&["directory_readers", "global_reader"], "P1D")).await;
    world.clock().advance_days(1);
    for over in [&pending, &short] {
        for body in [&body, &json!({"auto_extend": true}), &json!({})] {
            narrow(&world, partner.call("PATCH", over), body).await.refused(409, "invalid_transition");
        }
    }
    world.send(&customer.end(&partner)).await.expect(200);
    for call in [partner.call("PATCH", &path), customer.call("PATCH", &path)] {
        narrow(&world, call, &body).await.refused(409, "invalid_transition");
    }
}

#[tokio::test]
async fn turning_the_extension_off_keeps_the_end_and_an_earlier_end_turns_it_off() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let mut asked = asking(&["global_reader"], "P10D");
    asked["auto_extend"] = json!(true);
    let first = granted(&world, &partner, &customer, asked.clone()).await;
    let second = granted(&world, &partner, &customer, asked).await;
    world.clock().advance_days(100);
    let narrowed = narrow(&world, customer.call("PATCH", &first), &json!({"auto_extend": false})).await;
    let grant = narrowed.expect(200)["grant"].clone();
    assert_eq!((&grant["ends_at"], &grant["auto_extend"]), (&json!("2027-05-31T12:00:00.000Z"), &json!(false)));
    let end = world.now().plus_days(2);
    let grant =
        narrow(&world, partner.call("PATCH", &second), &json!({"ends_at": end})).await.expect(200)["grant"].clone();
    assert_eq!((&grant["ends_at"], &grant["auto_extend"]), (&json!(end), &json!(false)));
    world.clock().advance_days(3);
    let rows = world.items(&customer.call("GET", "/partners"), 1).await;
    let states: Vec<_> = rows[0]["grants"].as_array().unwrap().iter().map(|grant| &grant["state"]).collect();
    assert!(states.contains(&&json!("expired")) && states.contains(&&json!("active")), "{states:?}");
}

#[tokio::test]
async fn a_customer_can_narrow_the_grant_of_a_suspended_partner() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let path = granted(&world, &partner, &customer, two_roles()).await;
    world.suspend(&partner).await;
    let body = json!({"roles": ["global_reader"]});
    narrow(&world, partner.call("PATCH", &path), &body).await.refused(403, "partner_not_active");
    let grant = narrow(&world, customer.call("PATCH", &path), &body).await.expect(200)["grant"].clone();
    assert_eq!((&grant["state"], &grant["roles"]), (&json!("suspended"), &json!(["global_reader"])));
}

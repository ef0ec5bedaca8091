//! A new version of the policy is announced, takes effect at its time, and does not change past decisions.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, decline_by_link, link, preview, registration};
use tests::{Call, World};

use crate::common::{announced, events_of, granted, shown};

const FROM: &str = "2026-11-23T00:00:00.000Z";
/// The time from the start of every virtual clock until [`FROM`].
const UNTIL_MS: i64 = 12 * 3_600_000;

/// A system with the built-in policy, and with a copy that `change` modifies as version 2 from [`FROM`].
async fn changing(change: impl FnOnce(&mut Value)) -> Option<World> {
    World::with_policy(|file| {
        let mut later = file["versions"][0].clone();
        later["version"] = json!(2);
        later["effective_from"] = json!(FROM);
        change(&mut later);
        file["versions"].as_array_mut().expect("versions").push(later);
    })
    .await
}

/// The type and policy version of every event of a customer, oldest first.
async fn decided(world: &World, id: &str) -> Vec<(String, u64)> {
    let events = events_of(world, id).await;
    let pair = |event: &Value| (event["type"].as_str().unwrap().to_owned(), event["policy_version"].as_u64().unwrap());
    events.iter().map(pair).collect()
}

#[tokio::test]
async fn every_decision_records_its_policy_version() {
    let Some(world) = changing(|_| {}).await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, _) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
    world.clock().advance_millis(UNTIL_MS - 1);
    let (_, token) = link(&world.send(&partner.renew(&id)).await.expect(200));
    world.clock().advance_millis(1);
    world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    world.tick();
    let registered = world.send(&partner.register(&registration("a", &customer))).await.expect(201);
    assert_eq!(registered["subscription"]["policy_version"], 2);
    world.clock().advance_days(9);
    assert_eq!(announced(&world).await, 2, "seven days and one day before the end");
    world.clock().advance_days(1);
    assert_eq!(announced(&world).await, 1, "at the end");
    world.send(&customer.end(&partner)).await.expect(200);
    let invitation = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    assert_eq!(invitation["invitation"]["policy_version"], 1, "it was created under version 1");
    let found = decided(&world, &customer.tenant_id).await;
    let second = found.iter().position(|(_, version)| *version == 2).unwrap();
    let types: Vec<_> = found[..second].iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(types[types.len() - 1], "invitation.renewed");
    assert!(found[second..].iter().all(|(_, version)| *version == 2), "{found:?}");
    assert_eq!(found[second].0, "invitation.accepted");
}

#[tokio::test]
async fn a_new_policy_version_takes_effect_to_the_millisecond() {
    let Some(world) = changing(|later| {
        later["limits"]["invitations_per_pair_and_day"] = json!(1);
        later["limits"]["message_characters"] = json!(5);
        later["limits"]["grant_days_max"] = json!(5);
        later["limits"]["quantity_max"] = json!(1);
        later["roles"]["actions"]["register_subscription"] = json!(["billing_admin"]);
        later["roles"]["grant"].as_array_mut().unwrap().retain(|role| role["name"] == "global_reader");
        later["roles"]["no_auto_extend"] = json!(["global_reader"]);
    })
    .await
    else {
        return;
    };
    let (partner, related) = (world.partner().await, world.customer().await);
    world.relate(&partner, &related).await;
    let billing = world.further_key(&partner, &["billing_admin"]).await;
    let mut extends = asking(&["global_reader"], "P5D");
    extends["auto_extend"] = json!(true);
    for after in [false, true] {
        world.clock().advance_millis(if after { 1 } else { UNTIL_MS - 1 });
        let policy = world.send(&Call::get("/v1/policy")).await.expect(200);
        let upcoming = policy["upcoming"].as_array().unwrap();
        assert_eq!((&policy["version"], upcoming.len()), (&json!(1 + u8::from(after)), usize::from(!after)));
        assert_eq!(policy["limits"]["quantity_max"], json!(if after { 1 } else { 1_000_000_000 }));
        if let [coming] = &upcoming[..] {
            assert_eq!((&coming["version"], &coming["effective_from"]), (&json!(2), &json!(FROM)));
            assert_eq!(coming["limits"]["quantity_max"], 1);
        }
        for (body, pointer) in [
            (json!({"message": "123456", "delegated_admin": null}), "/message"),
            (json!({"delegated_admin": asking(&["global_reader"], "P6D")}), "/delegated_admin/duration"),
            (json!({"delegated_admin": asking(&["directory_readers"], "P5D")}), "/delegated_admin/roles"),
            (json!({"delegated_admin": extends}), "/delegated_admin"),
        ] {
            let customer = world.customer().await;
            let mut body = body;
            body["customer_tenant_id"] = json!(customer.tenant_id);
            let answer = world.send(&partner.create(&body).idempotency_key(world.unique())).await;
            if after {
                answer.refused(422, "validation_failed");
                assert!(answer.pointers()[0].starts_with(pointer), "{:?}", answer.pointers());
            } else {
                answer.expect(201);
            }
        }
        let customer = world.customer().await;
        let (first, _) = world.open(&partner, &customer, Value::Null).await;
        world.send(&partner.cancel(&first)).await.expect(200);
        let second = world.invite(&partner, &customer, Value::Null).await;
        let by_admin = world.send(&partner.register(&registration(&world.unique(), &related))).await;
        let by_billing = world.send(&billing.register(&registration(&world.unique(), &related))).await;
        if after {
            second.refused(429, "rate_limited");
            by_admin.refused(403, "role_not_permitted");
            by_billing.expect(201);
            let mut two = registration(&world.unique(), &related);
            two["quantity"] = json!(2);
            world.send(&billing.register(&two)).await.refused(422, "validation_failed");
        } else {
            second.expect(201);
            by_admin.expect(201);
            by_billing.refused(403, "role_not_permitted");
        }
    }
}

/// Changes each setting of a cloud while an invitation is open.
#[tokio::test]
async fn the_rules_of_a_cloud_apply_from_their_time_and_to_their_cloud() {
    let by_customer = json!({"relationship": "customer", "roles": "customer"});
    for (switch, value) in [
        ("multi_partner", json!("denied")),
        ("accept_proof", by_customer.clone()),
        ("delegated_admin", json!("required")),
    ] {
        let Some(world) = changing(|later| later["clouds"]["public"][switch] = value).await else { return };
        let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
        let (gov, gov_customer) = (world.partner_in("us_gov", "US").await, world.customer_in("us_gov", "US").await);
        let asked = asking(&["global_reader"], "P10D");
        let (id, token) = world.open(&partner, &one, asked.clone()).await;
        let (plain, plain_token) = world.open(&partner, &two, Value::Null).await;
        let (gov_id, gov_token) = world.open(&gov, &gov_customer, asked.clone()).await;
        world.clock().advance_millis(UNTIL_MS);
        let yes = json!("as_requested");
        let by_link = world.send(&accept_by_link(&id, &token, &yes)).await;
        let third = world.customer().await;
        let create = world.invite(&partner, &third, Value::Null).await;
        match switch {
            "multi_partner" => {
                by_link.refused(403, "cloud_not_supported");
                create.refused(403, "cloud_not_supported");
                world.send(&one.accept(&id, &yes)).await.refused(403, "cloud_not_supported");
                world.send(&decline_by_link(&plain, &plain_token)).await.expect(200);
            }
            "accept_proof" => {
                by_link.refused(403, "accept_proof_required");
                create.expect(201);
                let shown = world.send(&preview(&id, &token)).await.expect(200);
                assert_eq!(shown["accept_proof"], by_customer);
                world.send(&one.accept(&id, &yes)).await.expect(200);
                world
                    .send(&accept_by_link(&plain, &plain_token, &Value::Null))
                    .await
                    .refused(403, "accept_proof_required");
                world.send(&decline_by_link(&plain, &plain_token)).await.expect(200);
            }
            _ => {
                by_link.expect(200);
                create.refused(422, "delegated_admin_required");
                // An invitation that was created before the requirement can still be accepted without it.
                world.send(&two.accept(&plain, &Value::Null)).await.expect(200);
                let (id, token) = world.open(&partner, &third, asked.clone()).await;
                let refused = accept_by_link(&id, &token, &json!("refused"));
                world.send(&refused).await.refused(422, "delegated_admin_required");
            }
        }
        world.send(&accept_by_link(&gov_id, &gov_token, &yes)).await.expect(200);
    }
}

/// Stricter limits apply to new invitations and grants, not to existing ones.
#[tokio::test]
async fn past_decisions_do_not_change_with_the_policy() {
    let Some(world) = changing(|later| {
        later["limits"]["grant_days_max"] = json!(1);
        later["limits"]["grant_extension_days"] = json!(7);
        later["limits"]["invitation_days_default"] = json!(1);
        later["limits"]["invitation_days_max"] = json!(1);
        later["clouds"]["public"]["multi_partner"] = json!("denied");
    })
    .await
    else {
        return;
    };
    let (partner, customer, open) = (world.partner().await, world.customer().await, world.customer().await);
    let plain = granted(&world, &partner, &customer, "P100D", false).await;
    let extends = granted(&world, &partner, &customer, "P2D", true).await;
    world.send(&partner.register(&registration("a", &customer))).await.expect(201);
    let (id, _) = world.open(&partner, &open, Value::Null).await;
    let before = crate::common::seen(&world, &partner, &customer).await;
    world.clock().advance_millis(UNTIL_MS);
    let mut after = crate::common::seen(&world, &partner, &customer).await;
    after.retain(|(path, _)| path != "/v1/policy");
    assert_eq!(after, before.into_iter().filter(|(path, _)| path != "/v1/policy").collect::<Vec<_>>());
    world.clock().advance_days(2);
    let invitation = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    assert_eq!(invitation["invitation"]["state"], "pending");
    assert_eq!(shown(&world, &customer, &plain).await.unwrap()["ends_at"], "2027-03-02T12:00:00.000Z");
    // The extension has the length from the policy at the time of the grant, not from the current policy.
    assert_eq!(shown(&world, &customer, &extends).await.unwrap()["ends_at"], "2027-05-23T12:00:00.000Z");
    // Grants and relationships can still be ended in a cloud that the policy denies.
    world.send(&customer.call("DELETE", &format!("/grants/{plain}"))).await.expect(200);
    world.send(&customer.end(&partner)).await.expect(200);
}

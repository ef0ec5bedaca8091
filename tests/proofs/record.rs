//! Tests of the rules for records that must never change. They compare every byte in the table.

use serde_json::{Value, json};
use tests::here::Table;
use tests::parties::{accept_by_link, asking, link, registration};
use tests::{Call, Customer, Partner, World};

/// The items of these subscriptions and their events, and all tenants.
fn records(table: &Table, sold: &[String]) -> Table {
    let kept =
        |pk: &str| sold.iter().any(|id| pk.ends_with(&format!("#{}", id.to_lowercase()))) || pk.starts_with("TENANT#");
    table.iter().filter(|((pk, _), _)| kept(pk)).map(|(key, item)| (key.clone(), item.clone())).collect()
}

/// Starts a relationship and registers two subscriptions. Returns their ids.
async fn sell(world: &World, partner: &Partner, customer: &Customer) -> Vec<String> {
    world.relate(partner, customer).await;
    let mut sold = Vec::new();
    for _ in 0..2 {
        let id = world.unique();
        world.send(&partner.register(&registration(&id, customer))).await.expect(201);
        sold.push(id);
    }
    sold
}

/// MP-30 to MP-35: nothing changes in a subscription or in the customer's tenant, including terms, owner and partner of
/// record.
#[tokio::test]
async fn no_command_changes_a_byte_of_an_existing_subscription() {
    let Some(world) = World::with_clock().await else { return };
    let (contoso, fabrikam, northwind) = (world.customer().await, world.partner().await, world.partner().await);
    let sold = sell(&world, &fabrikam, &contoso).await;
    let before = records(&world.table().await, &sold);
    // Two subscriptions with one event each, and the tenants of the three parties.
    assert_eq!(before.len(), 7);

    let (id, token) = world.open(&northwind, &contoso, asking(&["global_reader", "directory_readers"], "P10D")).await;
    let renewed = world.send(&northwind.renew(&id)).await.expect(200);
    world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.refused(404, "not_found");
    let token = link(&renewed).1;
    world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.expect(200);
    world.send(&northwind.register(&registration(&world.unique(), &contoso))).await.expect(201);
    for taken in &sold {
        let mut theirs = registration(taken, &contoso);
        world.send(&northwind.register(&theirs)).await.refused(409, "subscription_exists");
        theirs["quantity"] = json!(99);
        world.send(&fabrikam.register(&theirs)).await.refused(409, "subscription_exists");
        theirs["partner_of_record"] = json!(northwind.partner_id);
        world.send(&fabrikam.register(&theirs)).await.refused(422, "partner_of_record_mismatch");
        let webhook = json!({"type": "subscription.register", "timestamp": "2026-11-22T12:00:00Z", "data": registration(taken, &contoso)});
        let call = northwind.webhook("/subscriptions", taken, world.now().seconds(), webhook.to_string().as_bytes());
        world.send(&call).await.refused(409, "subscription_exists");
    }
    let (further, _) = world.open(&northwind, &contoso, asking(&["global_reader"], "P10D")).await;
    world.send(&contoso.decline(&further)).await.expect(200);
    let (further, _) = world.open(&northwind, &contoso, asking(&["global_reader"], "P10D")).await;
    world.send(&northwind.cancel(&further)).await.expect(200);
    let grant = id.replace("inv_", "grt_");
    world.send(&contoso.call("DELETE", &format!("/grants/{grant}"))).await.expect(200);
    world.send(&northwind.end(&contoso)).await.expect(200);
    world.send(&contoso.end(&fabrikam)).await.expect(200);
    world.relate(&northwind, &contoso).await;
    let rotate = format!("/v1/partners/{}/signing-secret/rotate", fabrikam.partner_id);
    world.operator(Call::post(rotate, &json!({"grace_hours": 0}))).await.expect(200);
    world.suspend(&fabrikam).await;
    world.clock().advance_days(800);
    assert!(records(&world.table().await, &sold) == before, "a subscription or a tenant has changed");

    // The operator can rename the tenant or enroll it as a partner. Its subscriptions do not change.
    world.enrol(&contoso, "public", "US").await;
    let rename =
        Call::new("PATCH", format!("/v1/customers/{}", contoso.tenant_id)).json(&json!({"name": "Contoso Two"}));
    world.operator(rename).await.expect(200);
    let mut after = records(&world.table().await, &sold);
    let mut before = before;
    after.retain(|(pk, _), _| !pk.starts_with("TENANT#"));
    before.retain(|(pk, _), _| !pk.starts_with("TENANT#"));
    assert!(after == before, "a subscription has changed");
}

/// MP-51: a new policy denies the cloud of all existing records. Not a byte of them changes, and each record keeps the
/// policy version it was created under.
#[tokio::test]
async fn a_policy_that_denies_everything_does_not_change_past_decisions() {
    let Some(world) = World::with_policy(|file| {
        let mut later = file["versions"][0].clone();
        later["version"] = json!(2);
        later["effective_from"] = json!("2026-11-23T00:00:00.000Z");
        later["clouds"]["public"]["multi_partner"] = json!("denied");
        file["versions"].as_array_mut().expect("versions").push(later);
    })
    .await
    else {
        return;
    };
    let (contoso, fabrikam) = (world.customer().await, world.partner().await);
    sell(&world, &fabrikam, &contoso).await;
    let before = world.table().await;
    let lists = ["/subscriptions", "/partners", "/invitations"];
    let mut shown = Vec::new();
    for list in lists {
        shown.push(world.send(&contoso.call("GET", list)).await.expect(200));
    }
    world.clock().advance_days(2);
    world.invite(&fabrikam, &world.customer().await, Value::Null).await.refused(403, "cloud_not_supported");
    for (list, shown) in lists.into_iter().zip(shown) {
        assert_eq!(world.send(&contoso.call("GET", list)).await.expect(200), shown, "{list}");
    }
    let after = world.table().await;
    assert!(before.iter().all(|(key, item)| after.get(key) == Some(item)));
    let under = |pk: &'static str| {
        after.iter().filter(move |((key, _), _)| key.starts_with(pk)).map(|(_, item)| &item["policy"])
    };
    assert!(
        under("SUBSCRIPTION#")
            .chain(under("EVENTS#SUBSCRIPTION#"))
            .all(|version| version.as_n().is_ok_and(|n| n == "1"))
    );
    assert_eq!(under("SUBSCRIPTION#").count(), 2);
}

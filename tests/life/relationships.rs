//! A relationship starts, ends and starts again. Its end stops new registrations, and existing subscriptions stay the
//! same, byte for byte.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, link, preview, registration};
use tests::{Call, Customer, Partner, World};

use crate::common::{announced, audited, count, granted, shown, sold, types_of};

const ENDED: &str = "relationship.ended";

/// A side's name, and the call by which it ends the relationship.
type Side = (&'static str, fn(&Partner, &Customer) -> Call);

/// The two ways to end a relationship.
const SIDES: [Side; 2] =
    [("partner", |partner, customer| partner.end(customer)), ("customer", |partner, customer| customer.end(partner))];

#[tokio::test]
async fn subscriptions_survive_the_end_and_restart_of_a_relationship() {
    for (side, end) in SIDES {
        let Some(world) = World::with_clock().await else { return };
        let (partner, other, customer) = (world.partner().await, world.partner().await, world.customer().await);
        world.relate(&other, &customer).await;
        world.send(&other.register(&registration("other", &customer))).await.expect(201);
        let mut grants = Vec::new();
        for period in 1..=2 {
            world.clock().advance_days(1);
            // A new period starts with an ordinary invitation.
            grants.push(granted(&world, &partner, &customer, "P100D", false).await);
            let first = registration(&format!("sold-{period}"), &customer);
            world.send(&partner.register(&first)).await.expect(201);
            world.clock().advance_days(1);
            let (before, others) =
                (sold(&world, &[&partner, &other], &customer).await, row(&world, &other, &customer).await);

            let ended = world.send(&end(&partner, &customer)).await;
            assert_eq!(ended.expect(200)["relationship"]["state"], "ended");
            assert!(!ended.replayed());
            world.clock().advance_days(1);
            for (_, again) in SIDES {
                let answer = world.send(&again(&partner, &customer)).await;
                assert!(answer.replayed() && answer.body == ended.body, "{side}");
            }
            let events: Vec<_> = crate::common::events_of(&world, &customer.tenant_id).await;
            let endings: Vec<_> = events.iter().filter(|event| event["type"] == ENDED).collect();
            assert_eq!((endings.len(), &endings[period - 1]["actor"]["kind"]), (period, &json!(side)));
            assert_eq!(
                endings[period - 1]["data"],
                json!({"grants": [grants[period - 1]], "grants_total": 1}),
                "only the grants of its period"
            );
            assert_eq!(endings[period - 1]["sequence"], json!(period));
            assert_eq!(shown(&world, &customer, &grants[period - 1]).await.unwrap()["state"], "ended");

            // New registrations are rejected. A repeated registration still returns its record.
            let new = registration(&format!("new-{period}"), &customer);
            world.send(&partner.register(&new)).await.refused(403, "no_active_relationship");
            let again = world.send(&partner.register(&first)).await;
            again.expect(200);
            assert!(again.replayed());
            assert_eq!(sold(&world, &[&partner, &other], &customer).await, before);
            assert_eq!(row(&world, &other, &customer).await, others, "the other relationship does not change");
        }
        world.send(&other.register(&registration("other-2", &customer))).await.expect(201);
        audited(&world).await;
    }
}

/// A partner's row in the customer's list of partners.
async fn row(world: &World, partner: &Partner, customer: &Customer) -> Value {
    let rows = world.all(&customer.call("GET", "/partners")).await;
    rows.into_iter().find(|row| row["partner_id"] == json!(partner.partner_id)).unwrap()
}

/// The end of a relationship closes its open invitation for good, also if the relationship starts again.
#[tokio::test]
async fn after_the_relationship_ended_a_grant_invitation_is_cancelled() {
    let Some(world) = World::with_clock().await else { return };
    for (_, end) in SIDES {
        for again in [false, true] {
            let (partner, customer) = (world.partner().await, world.customer().await);
            world.relate(&partner, &customer).await;
            let (id, token) = world.open(&partner, &customer, asking(&["global_reader"], "P10D")).await;
            world.send(&end(&partner, &customer)).await.expect(200);
            world.tick();
            if again {
                world.relate(&partner, &customer).await;
            }
            assert_eq!(world.send(&preview(&id, &token)).await.expect(200)["invitation"]["state"], "cancelled");
            let yes = json!("as_requested");
            let calls = [
                accept_by_link(&id, &token, &yes),
                customer.accept(&id, &yes),
                partner.renew(&id),
                customer.decline(&id),
            ];
            for call in calls {
                world.send(&call).await.refused(409, "invalid_transition");
            }
            assert_eq!(announced(&world).await, 0);
            world.clock().advance_days(30);
            assert_eq!(announced(&world).await, 0, "it never expires");
            assert_eq!(types_of(&world, &id).await, ["invitation.created"]);
            let state = if again { "active" } else { "ended" };
            assert_eq!(row(&world, &partner, &customer).await["state"], state);
        }
    }
    audited(&world).await;
}

/// When an invitation can be renewed, and the errors otherwise.
#[tokio::test]
async fn a_renewed_invitation_stops_its_old_link_at_once() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, mut token) = world.open(&partner, &customer, Value::Null).await;
    // Renewed while pending, just after it expired, and long after it expired.
    for (at, days) in [1, 30, 500].into_iter().enumerate() {
        world.clock().advance_days(days);
        let renewed = world.send(&partner.renew(&id)).await;
        let (same, new) = link(&renewed.expect(200));
        assert!(same == id && new != token && !renewed.replayed());
        assert_eq!(renewed.json()["invitation"]["state"], "pending");
        world.send(&preview(&id, &token)).await.refused(404, "not_found");
        world.send(&accept_by_link(&id, &token, &Value::Null)).await.refused(404, "not_found");
        assert_eq!(world.send(&preview(&id, &new)).await.expect(200)["invitation"]["state"], "pending");
        assert_eq!(count(&world, &id, "invitation.renewed").await, at + 1);
        token = new;
    }
    // It has expired and another one is open. It can be renewed after that one's relationship has ended.
    world.clock().advance_days(30);
    let (other, other_token) = world.open(&partner, &customer, Value::Null).await;
    let refused = world.send(&partner.renew(&id)).await.refused(409, "invitation_pending");
    assert_eq!(refused["invitation_id"], json!(other));
    world.send(&accept_by_link(&other, &other_token, &Value::Null)).await.expect(200);
    world.send(&partner.renew(&id)).await.refused(409, "relationship_active");
    world.send(&partner.renew(&other)).await.refused(409, "invalid_transition");
    world.send(&customer.end(&partner)).await.expect(200);
    world.tick();
    let (_, token) = link(&world.send(&partner.renew(&id)).await.expect(200));
    world.send(&accept_by_link(&id, &token, &Value::Null)).await.refused(403, "accept_proof_required");
    world.send(&customer.accept_version(&id, 5, &Value::Null)).await.expect(200);
    assert_eq!(row(&world, &partner, &customer).await["state"], "active");
    assert_eq!(count(&world, &id, "invitation.renewed").await, 4);
    audited(&world).await;
}

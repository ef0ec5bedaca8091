//! The directory roles of the policy are those of the list that they were taken from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::parties::asking;
use tests::{Call, World};

/// A row of the list: name, title, template id, whether it is privileged, description, whether it can be delegated, level.
type Row = Vec<&'static str>;

fn list() -> Vec<Row> {
    let lines = include_str!("../data/directory-roles.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.skip(1).map(|line| line.split('\t').collect()).collect()
}

#[tokio::test]
async fn the_policy_returns_every_role_that_may_be_delegated() {
    let world = World::start().await;
    let policy = world.send(&Call::get("/v1/policy")).await.expect(200);
    let role = |row: &Row| {
        let role = json!({
            "name": row[0], "title": row[1], "template_id": row[2], "level": row[6], "description": row[4],
        });
        (row[0].to_owned(), role)
    };
    let expected: BTreeMap<_, _> = list().iter().filter(|row| row[5] != "no").map(role).collect();
    let found = policy["roles"]["grant"].as_array().unwrap();
    let found: BTreeMap<_, _> =
        found.iter().map(|role| (role["name"].as_str().unwrap().to_owned(), role.clone())).collect();
    assert_eq!(found.len(), 135);
    assert_eq!(found, expected);
}

/// A grant that takes control of the whole directory needs a new consent each time.
#[tokio::test]
async fn a_grant_of_global_administrator_cannot_extend_itself() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let invite = |roles: &[&str], extends: bool| {
        let mut asked = asking(roles, "P10D");
        asked["auto_extend"] = json!(extends);
        let body = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": asked});
        partner.create(&body).idempotency_key(world.unique())
    };
    for roles in [&["global_administrator"][..], &["directory_readers", "global_administrator"]] {
        let answer = world.send(&invite(roles, true)).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), ["/delegated_admin/auto_extend"]);
    }
    let created = world.send(&invite(&["global_administrator"], false)).await.expect(201);
    let id = created["invitation"]["invitation_id"].as_str().unwrap().to_owned();
    world.send(&partner.cancel(&id)).await.expect(200);
    world.send(&invite(&["privileged_role_administrator"], true)).await.expect(201);
}

#[tokio::test]
async fn a_role_that_cannot_be_granted_is_named_by_its_index() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let never: Vec<_> = list().iter().filter(|row| row[5] == "no").map(|row| row[0]).collect();
    assert_eq!(never.len(), 2);
    for role in never.into_iter().chain(["nonsense", "Global Reader", ""]) {
        let answer = world.invite(&partner, &customer, asking(&["global_reader", role], "P10D")).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), ["/delegated_admin/roles/1"], "{role}");
    }
    let all: Vec<_> = list().iter().filter(|row| row[5] != "no").map(|row| Value::from(row[0])).collect();
    world.invite(&partner, &customer, json!({"roles": all, "duration": "P1D"})).await.expect(201);
}

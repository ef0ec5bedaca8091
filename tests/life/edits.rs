//! The audit notices every edit of a record: each attribute changed, each attribute removed, an attribute added, the item deleted
//! or copied.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use platform::store::{Audit, Audited, Item};
use serde_json::json;
use tests::parties::{asking, registration};
use tests::{Call, World};

use crate::common::{granted, run};

/// Attributes without a meaning: an edit is not noticed, and changes nothing that a reader sees.
const NO_MEANING: &[(&str, &str)] = &[
    ("CUSTOMER#", "version"),
    ("ENDPOINTS#", "failing"),
    ("ENDPOINTS#", "failed"),
    ("ENDPOINTS#", "resends"),
    ("ENDPOINTS#", "challenges"),
];

/// The partition keys of items that expire, and are not verified.
const TRANSIENT: &[&str] = &["DELIVERY#", "POISON#", "SESSION#"];

fn audit<'a>(items: impl IntoIterator<Item = &'a Item>) -> Audited {
    let mut audit = Audit::default();
    items.into_iter().for_each(|item| audit.take(item));
    audit.finish()
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().expect("a text")
}

/// Another value of the same type.
fn edited(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::S(text) => AttributeValue::S(match text.char_indices().next_back() {
            Some((at, last)) => format!("{}{}", &text[..at], if last == '1' { '2' } else { '1' }),
            None => "1".to_owned(),
        }),
        AttributeValue::N(number) => AttributeValue::N((number.parse::<i64>().expect("a number") + 1).to_string()),
        AttributeValue::B(blob) => {
            let mut bytes = blob.as_ref().to_vec();
            bytes[0] ^= 1;
            AttributeValue::B(bytes.into())
        }
        AttributeValue::Bool(value) => AttributeValue::Bool(!value),
        AttributeValue::L(items) => AttributeValue::L(items[1..].to_vec()),
        AttributeValue::M(members) => {
            let mut members = members.clone();
            let first = members.keys().min().expect("a member").clone();
            let value = edited(&members[&first]);
            members.insert(first, value);
            AttributeValue::M(members)
        }
        other => panic!("an unexpected type: {other:?}"),
    }
}

/// A world with every kind of record, in several states.
async fn every_kind() -> Option<World> {
    let world = World::with_clock().await?;
    let (partner, customer, other) = (world.partner().await, world.customer().await, world.customer().await);
    let grant = granted(&world, &partner, &customer, "P40D", false).await;
    world.send(&partner.register(&registration("a", &customer))).await.expect(201);
    let mut body = json!({"customer_tenant_id": customer.tenant_id, "message": "Hello", "expires_in_days": 90});
    body["delegated_admin"] = asking(&["global_reader"], "P700D");
    let open = world.send(&partner.create(&body).idempotency_key("open")).await.expect(201);
    let open = open["invitation"]["invitation_id"].as_str().expect("an id").to_owned();
    world.send(&partner.renew(&open)).await.expect(200);
    let (declined, _) = world.open(&partner, &other, json!(null)).await;
    world.send(&other.decline(&declined).json(&json!({"reason": "No."}))).await.expect(200);
    let third = world.customer().await;
    granted(&world, &partner, &third, "P40D", false).await;
    world.clock().advance_days(12);
    run(&world).await;
    world.send(&third.end(&partner)).await.expect(200);
    world.send(&customer.call("DELETE", &format!("/grants/{grant}"))).await.expect(200);
    let operator = |call: Call| call.key(world.operator_key());
    let key = world.issue_key(json!({"kind": "partner", "id": partner.partner_id}), &["sales_agent"]).await;
    let me = world.send(&Call::get("/v1/me").key(&key)).await.expect(200);
    world
        .send(&operator(Call::delete(format!("/v1/keys/{}", me["key_id"].as_str().expect("an id")))))
        .await
        .expect(200);
    let body = json!({"url": "https://hooks.example.com/in", "description": "CRM", "event_types": ["key.issued"]});
    world.send(&partner.call("POST", "/endpoints").json(&body)).await.expect(201);
    let body = json!({"url": "https://hooks.example.com/old"});
    let old = world.send(&customer.call("POST", "/endpoints").json(&body)).await.expect(201);
    let old = old["endpoint"]["endpoint_id"].as_str().expect("an id").to_owned();
    world.send(&customer.call("DELETE", &format!("/endpoints/{old}"))).await.expect(200);
    let browser = world.signed_in(&other).await.expect("a session");
    let (by_session, _) = world.open(&partner, &other, json!(null)).await;
    world.send(&browser.call("POST", &format!("/invitations/{by_session}/decline"))).await.expect(200);
    world.send(&operator(Call::delete(format!("/v1/customers/{}/sessions", other.tenant_id)))).await.expect(200);
    Some(world)
}

#[tokio::test]
async fn every_edit_of_every_kind_of_record_is_noticed() {
    let Some(world) = every_kind().await else { return };
    let items: Vec<Item> = world.table().await.into_values().map(|item| item.into_iter().collect()).collect();
    let whole = audit(&items);
    assert!(whole.faults.is_empty() && whole.unchecked.is_empty(), "{:?} {:?}", whole.faults, whole.unchecked);
    assert_eq!(whole.records.len(), 8, "a kind of record is missing: {:?}", whole.records);
    let mut unnoticed = Vec::new();
    let mut edits: BTreeMap<String, usize> = BTreeMap::new();
    let mut check = |name: &str, at: usize, item: Option<Item>, more: Option<Item>| {
        let others = items.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, item)| item);
        let faults = audit(others.chain(&item).chain(&more)).faults;
        *edits.entry(text(&items[at], "pk").split('#').next().unwrap_or_default().to_owned()).or_default() += 1;
        if faults.is_empty() {
            unnoticed.push(name.to_owned());
        }
    };
    for (at, item) in items.iter().enumerate() {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        if pk.starts_with("EVENTS#") || TRANSIENT.iter().any(|prefix| pk.starts_with(prefix)) {
            continue;
        }
        for (name, value) in item {
            let is_meant = |(kind, meant): &(&str, &str)| pk.starts_with(kind) && name == meant;
            // A newer version of an item is reported as not checked.
            if NO_MEANING.iter().any(is_meant) || name == "v" {
                continue;
            }
            let mut changed = item.clone();
            changed.insert(name.clone(), edited(value));
            check(&format!("{pk} {sk}: {name} changed"), at, Some(changed), None);
            if !["pk", "sk"].contains(&name.as_str()) {
                let mut less = item.clone();
                less.remove(name);
                check(&format!("{pk} {sk}: {name} removed"), at, Some(less), None);
            }
        }
        let mut more = item.clone();
        more.insert("quantity_2".to_owned(), AttributeValue::N("1".into()));
        check(&format!("{pk} {sk}: an attribute added"), at, Some(more), None);
        check(&format!("{pk} {sk}: deleted"), at, None, None);
        let mut copy = item.clone();
        copy.insert("pk".to_owned(), edited(&item["pk"]));
        check(&format!("{pk} {sk}: copied"), at, Some(item.clone()), Some(copy));
    }
    println!("{edits:?}");
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

/// Only the mark of a grant that ended with its relationship may be absent without an event.
#[tokio::test]
async fn a_removed_mark_of_an_active_grant_is_noticed() {
    let Some(world) = World::with_clock().await else { return };
    let (partner, customer) = (world.partner().await, world.customer().await);
    granted(&world, &partner, &customer, "P40D", false).await;
    let mut items: Vec<Item> = world.table().await.into_values().map(|item| item.into_iter().collect()).collect();
    assert!(audit(&items).faults.is_empty());
    let grant = items.iter_mut().find(|item| text(item, "sk").contains("#GRANT#")).expect("a grant");
    for name in ["gsi3pk", "gsi3sk"] {
        assert!(grant.remove(name).is_some(), "{name}");
    }
    assert!(!audit(&items).faults.is_empty());
}

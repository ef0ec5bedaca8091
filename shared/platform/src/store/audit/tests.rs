use super::super::event::event_item;
use super::super::item::{Item, ItemBuilder, bytes, key_item, number, text};
use super::super::keys::{self, Key, Listed};
use super::super::state::state_of;
use super::*;
use domain::{Actor, AggregateKind, BrokenChain, Event, EventType, StateDigests, Subject, TenantId, Timestamp};

fn tenant() -> TenantId {
    TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap()
}

fn own_item() -> Item {
    ItemBuilder::new(keys::tenant(&tenant()))
        .text("name", "Contoso")
        .text("registered_name", "Contoso")
        .text("cloud", "public")
        .text("market", "US")
        .time("created", Timestamp::from_millis(5))
        .text(keys::GSI1_PK, "OPERATOR#TENANT")
        .text(keys::LISTED, Listed::Tenant.at(Timestamp::from_millis(5)))
        .no_events()
        .build()
}

/// The items of a tenant: three events, then its own item.
fn items() -> Vec<Item> {
    let (mut own, mut hash, mut items) = (own_item(), [0; 32], Vec::new());
    for sequence in 1..=3 {
        let event = Event {
            event_type: if sequence == 1 { EventType::CustomerRegistered } else { EventType::CustomerUpdated },
            aggregate_id: tenant().to_string(),
            sequence,
            occurred_at: Timestamp::from_millis(5),
            subject: Subject { customer_tenant_id: Some(tenant()), ..Subject::default() },
            actor: Actor::system("x#y"),
            policy_version: 1,
            data: [("name".to_owned(), "Contoso".into())].into_iter().collect(),
            state: StateDigests { record: state_of(&own).digest(), ..StateDigests::default() },
        };
        hash = event.hash_after(&hash);
        items.push(event_item(&event, &hash).build());
    }
    own.insert("event_seq".to_owned(), number(3));
    own.insert("event_hash".to_owned(), bytes(&hash));
    items.push(own);
    items
}

fn audit<'a>(items: impl IntoIterator<Item = &'a Item>) -> Audited {
    let mut audit = Audit::default();
    items.into_iter().for_each(|item| audit.take(item));
    audit.finish()
}

fn faults(items: &[Item]) -> Vec<String> {
    audit(items).faults.iter().map(Fault::to_string).collect()
}

#[test]
fn items_are_verified_in_any_order() {
    let items = items();
    let audited = audit(&items);
    assert!(audited.faults.is_empty(), "{:?}", audited.faults);
    assert_eq!((audited.heads.len(), audited.events, audited.records["tenants"]), (1, 3, 1));
    assert_eq!(audit(items.iter().rev()), audited);
}

#[test]
fn a_missing_event_and_a_missing_record_are_faults() {
    let mut items = items();
    items.remove(1);
    assert_eq!(faults(&items), [format!("TENANT#{}: event 2 is missing", tenant())]);
    items.pop();
    assert_eq!(faults(&items), [format!("TENANT#{}: it was deleted: its events still exist", tenant())]);
}

#[test]
fn a_changed_attribute_is_a_fault_that_names_it_if_an_event_says_more() {
    let mut items = items();
    items[3].insert("name".to_owned(), text("Fabrikam"));
    let what = "it was changed: its attributes are not those that event 3 left (different from the events: name)";
    assert_eq!(faults(&items), [format!("TENANT#{}: {what}", tenant())]);
}

#[test]
fn a_record_without_events_was_inserted() {
    let faults = faults(&[own_item()]);
    assert_eq!(faults, [format!("TENANT#{}: it was inserted: no event created it", tenant())]);
}

#[test]
fn an_event_under_another_records_key_is_a_fault() {
    let (mut items, elsewhere) = (items(), tenant().to_string().replace("64ff", "64fe"));
    items[0].extend(key_item(&keys::event(AggregateKind::Tenant, &elsewhere, 1)));
    assert!(!faults(&items).is_empty());
}

#[test]
fn an_event_with_changed_or_unknown_attributes_is_a_fault() {
    for name in [keys::LISTED, keys::GSI3_PK, "other"] {
        let mut items = items();
        items[1].insert(name.to_owned(), text("elsewhere"));
        assert_eq!(faults(&items).len(), 1, "{name}");
    }
}

#[test]
fn newer_items_and_unknown_types_are_not_checked() {
    let changes: [fn(&mut Vec<Item>); 3] = [
        |items| drop(items[3].insert("v".to_owned(), number(2))),
        |items| drop(items[1].insert("v".to_owned(), number(2))),
        |items| drop(items[1].insert("event_type".to_owned(), text("customer.merged"))),
    ];
    for change in changes {
        let mut items = items();
        change(&mut items);
        let audited = audit(&items);
        assert_eq!((audited.faults, audited.unchecked), (vec![], vec![format!("TENANT#{}", tenant())]));
    }
    let other = ItemBuilder::new(Key { pk: "OTHER#x".into(), sk: "OTHER".into() }).build();
    assert_eq!(audit([&other]).unchecked, ["OTHER#x / OTHER"]);
}

#[test]
fn a_changed_hash_is_a_fault() {
    let mut items = items();
    items[3].insert("event_hash".to_owned(), bytes(&[1; 32]));
    let fault = Problem::Chain(BrokenChain::Changed(3));
    assert_eq!(audit(&items).faults, [Fault { record: format!("TENANT#{}", tenant()), problem: fault }]);
}

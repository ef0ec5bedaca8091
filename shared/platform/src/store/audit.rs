//! Verifies the chains of all events. It needs every item of the table, so it is for tools and tests, not for functions.

use std::collections::BTreeMap;

use super::event::{event_item, read_event};
use super::item::{CorruptItem, Item, ItemReader, key_of};
use super::keys::{self, ItemKind};
use domain::{BrokenChain, Chain, Event, verify_chain};

/// Collects the items of a table, in any order, and verifies that every aggregate's events are those that were written.
#[derive(Debug, Default)]
pub struct Audit {
    /// By the partition of their events.
    aggregates: BTreeMap<String, Aggregate>,
}

#[derive(Debug, Default)]
struct Aggregate {
    head: Option<Chain>,
    events: Vec<(Event, [u8; 32])>,
}

/// What was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    pub aggregates: usize,
    pub events: usize,
}

/// The first fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Corrupt(#[from] CorruptItem),
    /// An aggregate's events are not those that were written. `aggregate` is its kind and id.
    #[error("{aggregate}: {fault}")]
    Chain { aggregate: String, fault: BrokenChain },
    /// There are events of an aggregate that does not exist.
    #[error("{aggregate}: there are events, but their aggregate does not exist")]
    Orphaned { aggregate: String },
}

impl Audit {
    /// # Errors
    /// [`CorruptItem`] if the item is an event or an aggregate and cannot be read.
    pub fn take(&mut self, item: &Item) -> Result<(), CorruptItem> {
        let Some(key) = key_of(item) else { return Ok(()) };
        if key.kind() == ItemKind::Event {
            let (event, hash) = (read_event(item)?, ItemReader::new(item)?.hash("event_hash")?);
            check_attributes(item, &event, hash)?;
            self.aggregates.entry(key.pk).or_default().events.push((event, hash));
        } else if let Some(events) = key.events() {
            self.aggregates.entry(events).or_default().head = Some(ItemReader::new(item)?.chain()?);
        }
        Ok(())
    }

    /// Verifies all items that were taken.
    ///
    /// # Errors
    /// The first [`AuditError`], in the order of the aggregates' names.
    pub fn finish(self) -> Result<Audited, AuditError> {
        let mut audited = Audited::default();
        for (partition, mut found) in self.aggregates {
            let aggregate = keys::aggregate_name(&partition).to_owned();
            let Some(head) = found.head else { return Err(AuditError::Orphaned { aggregate }) };
            found.events.sort_by_key(|(event, _)| event.sequence);
            verify_chain(&found.events, &head).map_err(|fault| AuditError::Chain { aggregate, fault })?;
            audited.aggregates += 1;
            audited.events += found.events.len();
        }
        Ok(audited)
    }
}

/// The attributes by which an event is found are not part of its hash. They must be those that follow from the event.
fn check_attributes(item: &Item, event: &Event, hash: [u8; 32]) -> Result<(), CorruptItem> {
    let written = event_item(event, &Chain { sequence: event.sequence, hash }).build();
    match written.iter().find(|(name, value)| item.get(*name) != Some(value)) {
        Some((name, _)) => Err(ItemReader::new(item)?.corrupt(name, "has been changed")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::{ItemBuilder, key_item, text};
    use super::super::keys::Key;
    use super::*;
    use domain::{
        Actor, AggregateKind, Cloud, EndpointId, EventType, GrantId, InvitationId, KeyId, Owner, PartnerId, Subject,
        Subscription, SubscriptionId, TenantId, Timestamp, digest,
    };

    fn event(chain: &Chain, aggregate_id: &str, event_type: EventType) -> Event {
        Event {
            event_type,
            aggregate_id: aggregate_id.to_owned(),
            sequence: chain.sequence + 1,
            occurred_at: Timestamp::from_millis(5),
            subject: Subject::default(),
            actor: Actor::system("x#y"),
            policy_version: 1,
            data: Default::default(),
        }
    }

    /// The items of an aggregate: its events, then its own item.
    fn items(own: Key, aggregate_id: &str, event_type: EventType, count: usize) -> Vec<Item> {
        let mut chain = Chain::default();
        let mut items = Vec::new();
        for _ in 0..count {
            let event = event(&chain, aggregate_id, event_type);
            chain = event.chain_after(&chain.hash);
            items.push(event_item(&event, &chain).build());
        }
        items.push(ItemBuilder::new(own).chain(chain).build());
        items
    }

    fn tenant() -> TenantId {
        TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap()
    }

    fn tenants_items() -> Vec<Item> {
        items(keys::tenant(&tenant()), tenant().as_str(), EventType::CustomerUpdated, 3)
    }

    fn audit<'a>(items: impl IntoIterator<Item = &'a Item>) -> Result<Audited, AuditError> {
        let mut audit = Audit::default();
        for item in items {
            audit.take(item)?;
        }
        audit.finish()
    }

    #[test]
    fn events_of_every_kind_of_aggregate_are_verified() {
        let (tenant, hash) = (tenant(), digest("t", &[]));
        let partner = PartnerId::from_tenant(&tenant);
        let (invitation, grant) = (InvitationId::from_hash(&hash), GrantId::from_hash(&hash));
        let endpoint = EndpointId::from_hash(&hash);
        let (key, subscription) = (KeyId::from_hash(&hash), SubscriptionId::parse("Azure-1").unwrap());
        let of_subscription = Subscription::aggregate_id(Cloud::UsGov, &subscription);
        let aggregates = [
            (keys::invitation(&invitation), invitation.to_string(), EventType::InvitationCreated),
            (keys::relationship(&tenant, &partner), format!("{tenant}#{partner}"), EventType::RelationshipEnded),
            (keys::grant(&tenant, &partner, &grant), grant.to_string(), EventType::GrantEnded),
            (keys::subscription(Cloud::UsGov, &subscription), of_subscription, EventType::SubscriptionRegistered),
            (keys::tenant(&tenant), tenant.to_string(), EventType::CustomerRegistered),
            (keys::partner(&partner), partner.to_string(), EventType::PartnerEnrolled),
            (keys::access_key(&key), key.to_string(), EventType::KeyIssued),
            (
                keys::endpoint(&Owner::Customer(tenant.clone()), &endpoint),
                endpoint.to_string(),
                EventType::EndpointDeleted,
            ),
        ];
        for kind in EventType::ALL.iter().map(|event_type| event_type.aggregate()) {
            assert!(aggregates.iter().any(|(.., event_type)| event_type.aggregate() == kind), "{kind:?} is not tested");
        }
        let all: Vec<Item> =
            aggregates.into_iter().flat_map(|(own, id, event_type)| items(own, &id, event_type, 2)).collect();
        assert_eq!(audit(&all), Ok(Audited { aggregates: 8, events: 16 }));
        assert_eq!(audit(all.iter().rev()), Ok(Audited { aggregates: 8, events: 16 }), "the order does not matter");
    }

    #[test]
    fn other_items_and_aggregates_without_events_are_valid() {
        let none = items(keys::tenant(&tenant()), "", EventType::CustomerUpdated, 0);
        let other = ItemBuilder::new(Key { pk: "DELIVERY#evt".into(), sk: "x".into() }).build();
        assert_eq!(audit([&none[0], &other]), Ok(Audited { aggregates: 1, events: 0 }));
    }

    #[test]
    fn the_first_fault_is_reported() {
        let mut items = tenants_items();
        items.remove(1);
        let error = audit(&items).unwrap_err();
        assert_eq!(error.to_string(), format!("TENANT#{}: event 2 is missing", tenant()));
        items.pop();
        assert!(matches!(audit(&items), Err(AuditError::Orphaned { .. })));
    }

    #[test]
    fn an_event_under_another_aggregates_key_is_a_fault() {
        let (mut items, elsewhere) = (tenants_items(), tenant().to_string().replace("64ff", "64fe"));
        let moved = keys::event(AggregateKind::Tenant, &elsewhere, 1);
        items[0].extend(key_item(&moved));
        assert!(audit(&items).is_err());
    }

    #[test]
    fn an_event_with_changed_list_attributes_is_a_fault() {
        for name in [keys::LISTED, keys::GSI4_PK] {
            let mut items = tenants_items();
            items[1].insert(name.to_owned(), text("elsewhere"));
            let error = audit(&items).unwrap_err().to_string();
            assert!(error.ends_with(&format!("attribute {name} has been changed")), "{error}");
        }
    }

    #[test]
    fn an_unreadable_event_is_a_fault() {
        let mut items = tenants_items();
        items[0].remove("event_data");
        assert!(matches!(audit(&items), Err(AuditError::Corrupt(_))));
    }
}

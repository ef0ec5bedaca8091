//! What an item is, by its key.

use super::events::events;
use super::key::Key;
use super::prefix::{
    ACCESS_KEY, CUSTOMER, DELIVERY, ENDPOINT, ENDPOINT_LIST, ENDPOINTS, EVENTS, GRANT, INVITATION, PARTNER, POISON,
    SESSION, SUBSCRIPTION, TENANT,
};
use domain::AggregateKind;

/// What an item is. The ids in its key may still be malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Aggregate(AggregateKind),
    Event,
    /// A delivery or its message.
    Delivery,
    Other,
}

/// What the partition key of an aggregate begins with, and what its sort key contains. The first match counts.
const AGGREGATES: [(&str, &str, AggregateKind); 8] = [
    (INVITATION, "", AggregateKind::Invitation),
    (SUBSCRIPTION, "", AggregateKind::Subscription),
    (TENANT, "", AggregateKind::Tenant),
    (PARTNER, "", AggregateKind::Partner),
    (ACCESS_KEY, "", AggregateKind::Key),
    (CUSTOMER, GRANT, AggregateKind::Grant),
    (CUSTOMER, PARTNER, AggregateKind::Relationship),
    (ENDPOINTS, ENDPOINT, AggregateKind::Endpoint),
];

impl Key {
    pub fn kind(&self) -> ItemKind {
        let is = |prefix: &str| self.pk.starts_with(prefix);
        if is(EVENTS) {
            return ItemKind::Event;
        }
        if is(DELIVERY) {
            return ItemKind::Delivery;
        }
        let found = AGGREGATES.iter().find(|(pk, sk, _)| is(pk) && self.sk.contains(sk));
        found.map_or(ItemKind::Other, |(.., kind)| ItemKind::Aggregate(*kind))
    }

    /// The kind of record whose events are in this partition.
    pub fn kind_of_events(&self) -> Option<AggregateKind> {
        let (kind, _) = self.pk.strip_prefix(EVENTS)?.split_once('#')?;
        AggregateKind::parse(kind)
    }

    /// Whether the item lists the endpoints of an owner.
    pub fn is_endpoint_list(&self) -> bool {
        self.pk.starts_with(ENDPOINTS) && self.sk == ENDPOINT_LIST
    }

    /// Whether the item is a session, which has no events.
    pub fn is_session(&self) -> bool {
        self.pk.starts_with(SESSION)
    }

    /// Whether the item is a note about something that can never be published.
    pub fn is_poison(&self) -> bool {
        self.pk.starts_with(POISON)
    }

    /// The partition of the events of the aggregate with this key; `None` if the item is not an aggregate.
    pub fn events(&self) -> Option<String> {
        let ItemKind::Aggregate(kind) = self.kind() else { return None };
        let (_, id) = self.pk.split_once('#')?;
        Some(match kind {
            AggregateKind::Grant => events(kind, self.sk.split_once(GRANT)?.1),
            AggregateKind::Relationship => events(kind, &format!("{id}#{}", self.sk.strip_prefix(PARTNER)?)),
            AggregateKind::Endpoint => events(kind, self.sk.strip_prefix(ENDPOINT)?),
            _ => events(kind, id),
        })
    }
}

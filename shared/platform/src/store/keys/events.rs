//! Keys of events: a partition for each aggregate, sorted by sequence.

use super::key::Key;
use super::prefix::EVENTS;
use domain::{AggregateKind, Cloud, Subscription, SubscriptionId};

/// An event's key. The aggregate's id is the one that its `event` function in the domain uses.
pub fn event(kind: AggregateKind, aggregate_id: &str, sequence: u64) -> Key {
    Key { pk: events(kind, aggregate_id), sk: format!("{sequence:010}") }
}

/// The aggregate's id and the sequence of an event of this kind of aggregate.
pub fn parse_event(kind: AggregateKind, key: &Key) -> Option<(String, u64)> {
    let aggregate_id = key.pk.strip_prefix(&events(kind, ""))?;
    Some((aggregate_id.to_owned(), key.sk.parse().ok()?))
}

/// The word of the aggregate's kind, the aggregate's id, and the sequence of an event. Newer code may know more kinds.
pub fn parse_any_event(key: &Key) -> Option<(String, String, u64)> {
    let (kind, aggregate_id) = key.pk.strip_prefix(EVENTS)?.split_once('#')?;
    Some((kind.to_owned(), aggregate_id.to_owned(), key.sk.parse().ok()?))
}

/// The partition of a subscription's events.
pub fn subscription_events(cloud: Cloud, id: &SubscriptionId) -> String {
    events(AggregateKind::Subscription, &Subscription::aggregate_id(cloud, id))
}

/// The partition of an aggregate's events.
pub(super) fn events(kind: AggregateKind, aggregate_id: &str) -> String {
    format!("{EVENTS}{}#{aggregate_id}", kind.as_str())
}

/// The kind and id of the aggregate whose events are in this partition, for people to read.
pub fn aggregate_name(partition: &str) -> &str {
    partition.strip_prefix(EVENTS).unwrap_or(partition)
}

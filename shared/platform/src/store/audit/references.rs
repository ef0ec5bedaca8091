//! Every record that an event names must exist.

use std::collections::BTreeMap;

use super::super::invitation::PENDING;
use super::super::item::text_of;
use super::found::{Found, partition_of};
use super::report::{Fault, Problem};
use super::state::cancels;
use domain::{AggregateKind, Event, EventType};

pub(super) fn check(found: &Found) -> Vec<Fault> {
    let mut missing: BTreeMap<String, &Event> = BTreeMap::new();
    for event in found.records.values().flat_map(|record| record.events()) {
        for partition in named(event) {
            let exists = found.unread.contains(&partition)
                || found
                    .records
                    .get(&partition)
                    .is_some_and(|record| record.item.is_some() || !record.events.is_empty());
            if !exists {
                missing.entry(partition).or_insert(event);
            }
        }
    }
    let fault = |(partition, event): (String, &Event)| {
        let name = format!("{} of {}", event.event_type.as_str(), event.aggregate_id);
        Fault::new(&partition, Problem::Named(name))
    };
    missing.into_iter().map(fault).chain(reopened(found)).collect()
}

/// Invitations that the end of their relationship cancelled, and that have no answer.
fn reopened(found: &Found) -> Vec<Fault> {
    let ended = found.checked_of(AggregateKind::Relationship).flat_map(|(_, record)| record.events());
    let cancelled = ended.filter_map(cancels).map(|id| partition_of(AggregateKind::Invitation, id));
    let is_pending = |partition: &String| {
        let item = found.records.get(partition).and_then(|record| record.item.as_ref());
        item.is_some_and(|item| text_of(item, "answer") == Some(PENDING))
    };
    let fault = |partition: String| Fault::new(&partition, Problem::Derived("answer".to_owned()));
    cancelled.filter(is_pending).map(fault).collect()
}

/// The partitions of the events of all records that an event names.
fn named(event: &Event) -> Vec<String> {
    use AggregateKind::{Endpoint, Grant, Invitation, Key, Partner, Relationship, Tenant};
    let subject = &event.subject;
    let ids = [
        (Invitation, subject.invitation_id.as_ref().map(ToString::to_string)),
        (Grant, subject.grant_id.as_ref().map(ToString::to_string)),
        (Key, subject.key_id.as_ref().map(ToString::to_string)),
        (Endpoint, subject.endpoint_id.as_ref().map(ToString::to_string)),
        (Partner, subject.partner_id.as_ref().map(ToString::to_string)),
        (Tenant, subject.customer_tenant_id.as_ref().map(ToString::to_string)),
    ];
    let mut named: Vec<String> = ids.into_iter().filter_map(|(kind, id)| Some(partition_of(kind, &id?))).collect();
    // An enrollment names the partner's own tenant.
    if let (Some(partner), Some(customer)) = (&subject.partner_id, &subject.customer_tenant_id)
        && event.event_type != EventType::PartnerEnrolled
    {
        named.push(partition_of(Relationship, &format!("{customer}#{partner}")));
    }
    named
}

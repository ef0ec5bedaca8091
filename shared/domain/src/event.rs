//! Events: exactly one for each command that changed something, written in the same transaction. They are timeline, audit
//! log and outbox. The events of one record form a hash chain.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::hashed_event::HashedEvent;
use super::words::words;
use super::{
    ActorKind, EndpointId, EventId, GrantId, InvitationId, KeyId, PartnerId, Role, SubscriptionId, TenantId, Timestamp,
    digest,
};

words! {
    /// The kinds of records that have events, as keys in the table spell them.
    AggregateKind {
        Invitation = "INVITATION",
        Relationship = "RELATIONSHIP",
        Grant = "GRANT",
        Subscription = "SUBSCRIPTION",
        Tenant = "TENANT",
        Partner = "PARTNER",
        Key = "KEY",
        Endpoint = "ENDPOINT",
    }
}

macro_rules! event_types {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal of $kind:ident;)*) => {
        words! {
            /// Types of events.
            EventType { $($(#[doc = $doc])* $variant = $name,)* }
        }

        impl EventType {
            /// The kind of record whose event it is.
            pub fn aggregate(self) -> AggregateKind {
                match self { $(Self::$variant => AggregateKind::$kind,)* }
            }
        }
    };
}

event_types! {
    InvitationCreated = "invitation.created" of Invitation;
    /// Has the relationship and the grant that the acceptance started.
    InvitationAccepted = "invitation.accepted" of Invitation;
    InvitationDeclined = "invitation.declined" of Invitation;
    InvitationCancelled = "invitation.cancelled" of Invitation;
    InvitationRenewed = "invitation.renewed" of Invitation;
    InvitationExpired = "invitation.expired" of Invitation;
    /// Has the ids of the grants that ended with it.
    RelationshipEnded = "relationship.ended" of Relationship;
    GrantEnded = "grant.ended" of Grant;
    /// The grant extended itself.
    GrantExtended = "grant.extended" of Grant;
    /// The grant ends in 30, 7 or 1 days.
    GrantExpiring = "grant.expiring" of Grant;
    GrantExpired = "grant.expired" of Grant;
    SubscriptionRegistered = "subscription.registered" of Subscription;
    CustomerRegistered = "customer.registered" of Tenant;
    CustomerRenamed = "customer.renamed" of Tenant;
    PartnerEnrolled = "partner.enrolled" of Partner;
    PartnerRenamed = "partner.renamed" of Partner;
    PartnerSuspended = "partner.suspended" of Partner;
    PartnerResumed = "partner.resumed" of Partner;
    /// Signing secrets of partners. Rotating the secret of an endpoint is `endpoint.updated`.
    SecretRotated = "secret.rotated" of Partner;
    KeyIssued = "key.issued" of Key;
    KeyRevoked = "key.revoked" of Key;
    EndpointCreated = "endpoint.created" of Endpoint;
    /// The owner changed the address, filter, description, state or secret.
    EndpointUpdated = "endpoint.updated" of Endpoint;
    /// The endpoint answered its challenge.
    EndpointActivated = "endpoint.activated" of Endpoint;
    /// Has the reason.
    EndpointDisabled = "endpoint.disabled" of Endpoint;
    EndpointDeleted = "endpoint.deleted" of Endpoint;
}

/// The end of the chain of a record's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The number of events.
    pub sequence: u64,
    /// The hash of the last event; zeros if there are no events.
    pub hash: [u8; 32],
}

/// Where a record's events differ from those that were written. This detects mistakes and changes of single items. Someone who
/// can write the whole table can write a valid chain, which only a hash that was kept elsewhere reveals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    #[error("event {0} is missing")]
    Missing(u64),
    /// There are two events with this number, or it is larger than the record's own count.
    #[error("event {0} is unexpected")]
    Surplus(u64),
    /// The event or its hash was changed.
    #[error("event {0} does not match its hash")]
    Changed(u64),
}

/// Recomputes the chain of a record's events and compares it with the end that the record itself has. The events are in order,
/// each with its stored hash.
///
/// # Errors
/// The first [`BrokenChain`].
pub fn verify_chain<'a>(
    events: impl IntoIterator<Item = &'a (Event, [u8; 32])>,
    head: &Chain,
) -> Result<(), BrokenChain> {
    let mut chain = Chain::default();
    for (event, stored) in events {
        let expected = chain.sequence + 1;
        match event.sequence.cmp(&expected) {
            Ordering::Greater => return Err(BrokenChain::Missing(expected)),
            Ordering::Less => return Err(BrokenChain::Surplus(event.sequence)),
            Ordering::Equal => chain = event.chain_after(&chain.hash),
        }
        if chain.hash != *stored {
            return Err(BrokenChain::Changed(expected));
        }
    }
    match chain.sequence.cmp(&head.sequence) {
        Ordering::Less => Err(BrokenChain::Missing(chain.sequence + 1)),
        Ordering::Greater => Err(BrokenChain::Surplus(head.sequence + 1)),
        Ordering::Equal if chain.hash != head.hash => Err(BrokenChain::Changed(head.sequence)),
        Ordering::Equal => Ok(()),
    }
}

/// The ids of everything that an event is about. The event is shown and sent to this partner and this customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    pub invitation_id: Option<InvitationId>,
    pub grant_id: Option<GrantId>,
    pub subscription_id: Option<SubscriptionId>,
    pub key_id: Option<KeyId>,
    pub endpoint_id: Option<EndpointId>,
    pub partner_id: Option<PartnerId>,
    pub customer_tenant_id: Option<TenantId>,
}

/// Who caused an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    pub kind: ActorKind,
    /// The id of an operator's key, a partner, a tenant, an invitation (for links) or a job.
    pub id: String,
    /// The role in which the actor acted.
    pub role: Option<Role>,
}

impl Actor {
    /// A job of the system.
    pub fn system(job: &str) -> Self {
        Self { kind: ActorKind::System, id: job.to_owned(), role: None }
    }
}

/// When something happens, who causes it, and which policy is in force.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    pub at: Timestamp,
    pub actor: &'a Actor,
    pub policy_version: u32,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub event_type: EventType,
    /// The id of the record, as its items spell it.
    pub aggregate_id: String,
    /// Counts the events of the record, from 1.
    pub sequence: u64,
    pub occurred_at: Timestamp,
    pub subject: Subject,
    pub actor: Actor,
    /// The version of the policy that was in force.
    pub policy_version: u32,
    /// Depends on the type.
    pub data: Map<String, Value>,
}

impl Event {
    /// The event that follows a record's chain.
    pub fn next<const N: usize>(
        event_type: EventType,
        aggregate_id: impl Into<String>,
        chain: &Chain,
        subject: Subject,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Self {
        Self {
            event_type,
            aggregate_id: aggregate_id.into(),
            sequence: chain.sequence + 1,
            occurred_at: occurrence.at,
            subject,
            actor: occurrence.actor.clone(),
            policy_version: occurrence.policy_version,
            data: Map::from_iter(data.map(|(name, value)| (name.to_owned(), value))),
        }
    }

    /// Derived from the record and the sequence, so that a retry has the same id.
    pub fn event_id(&self) -> EventId {
        let kind = self.event_type.aggregate().as_str();
        let parts = [kind.as_bytes(), self.aggregate_id.as_bytes(), &self.sequence.to_be_bytes()];
        EventId::from_hash(&digest("event", &parts))
    }

    /// The chain with this event at its end.
    pub fn chain_after(&self, previous: &[u8; 32]) -> Chain {
        Chain { sequence: self.sequence, hash: HashedEvent::new(self).hash_after(previous) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(sequence: u64) -> Event {
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        Event {
            event_type: EventType::CustomerRenamed,
            aggregate_id: tenant.to_string(),
            sequence,
            occurred_at: Timestamp::from_millis(1_795_369_200_123),
            subject: Subject { customer_tenant_id: Some(tenant), ..Subject::default() },
            actor: Actor { kind: ActorKind::Operator, id: "key_x".into(), role: None },
            policy_version: 1,
            data: Map::from_iter([
                ("name".to_owned(), json!(format!("Contoso {sequence}"))),
                ("a".to_owned(), json!(1)),
            ]),
        }
    }

    /// Events 1 to `count` with their hashes, and the end of their chain.
    fn written(count: u64) -> (Vec<(Event, [u8; 32])>, Chain) {
        let mut head = Chain::default();
        let mut events = Vec::new();
        for sequence in 1..=count {
            let event = event(sequence);
            head = event.chain_after(&head.hash);
            events.push((event, head.hash));
        }
        (events, head)
    }

    #[test]
    fn an_unchanged_chain_is_valid() {
        for count in 0..4 {
            let (events, head) = written(count);
            assert_eq!(verify_chain(&events, &head), Ok(()));
        }
    }

    #[test]
    fn a_changed_event_breaks_the_chain() {
        let (events, head) = written(3);
        let changes: [fn(&mut Event); 7] = [
            |event| event.event_type = EventType::CustomerRegistered,
            |event| event.aggregate_id.push('0'),
            |event| event.occurred_at = event.occurred_at + std::time::Duration::from_millis(1),
            |event| event.subject.customer_tenant_id = None,
            |event| event.actor.id.push('y'),
            |event| event.policy_version = 2,
            |event| drop(event.data.insert("name".into(), json!("Fabrikam"))),
        ];
        for at in 0..3 {
            for change in changes {
                let mut changed = events.clone();
                change(&mut changed[at].0);
                let broken = Err(BrokenChain::Changed(at as u64 + 1));
                assert_eq!(verify_chain(&changed, &head), broken);
                // With the event's own hash recomputed, the next event or the record's own item does not match.
                let before = if at == 0 { [0; 32] } else { events[at - 1].1 };
                changed[at].1 = changed[at].0.chain_after(&before).hash;
                assert_eq!(verify_chain(&changed, &head), Err(BrokenChain::Changed((at as u64 + 2).min(3))));
            }
        }
    }

    #[test]
    fn removed_inserted_and_repeated_events_break_the_chain() {
        let (events, head) = written(3);
        for at in 0..3 {
            let mut removed = events.clone();
            removed.remove(at);
            assert_eq!(verify_chain(&removed, &head), Err(BrokenChain::Missing(at as u64 + 1)));
            let mut repeated = events.clone();
            repeated.insert(at, events[at].clone());
            assert_eq!(verify_chain(&repeated, &head), Err(BrokenChain::Surplus(at as u64 + 1)));
        }
        assert_eq!(verify_chain(&written(4).0, &head), Err(BrokenChain::Surplus(4)));
        assert_eq!(verify_chain(&events[..1], &head), Err(BrokenChain::Missing(2)));
        assert_eq!(verify_chain(&[], &head), Err(BrokenChain::Missing(1)));
        assert_eq!(verify_chain(&events, &Chain { hash: [1; 32], ..head }), Err(BrokenChain::Changed(3)));
    }
}

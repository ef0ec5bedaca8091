//! Events: exactly one per command that changed something, written in the same transaction. They are timeline, audit and
//! outbox at once, and each aggregate's form a hash chain.

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
    /// A partner invited a customer.
    InvitationCreated = "invitation.created" of Invitation;
    /// The customer accepted; carries the relationship and the grant it started.
    InvitationAccepted = "invitation.accepted" of Invitation;
    /// The customer said no.
    InvitationDeclined = "invitation.declined" of Invitation;
    /// The partner withdrew it.
    InvitationCancelled = "invitation.cancelled" of Invitation;
    /// The partner renewed it; the old link is dead.
    InvitationRenewed = "invitation.renewed" of Invitation;
    /// Nobody answered in time.
    InvitationExpired = "invitation.expired" of Invitation;
    /// A side ended the relationship; carries the grants that ended with it.
    RelationshipEnded = "relationship.ended" of Relationship;
    /// A side ended the grant.
    GrantEnded = "grant.ended" of Grant;
    /// The grant extended itself.
    GrantExtended = "grant.extended" of Grant;
    /// The grant ends in 30, 7 or 1 days.
    GrantExpiring = "grant.expiring" of Grant;
    /// The grant's time is over.
    GrantExpired = "grant.expired" of Grant;
    /// A partner registered a subscription.
    SubscriptionRegistered = "subscription.registered" of Subscription;
    /// A customer was registered.
    CustomerRegistered = "customer.registered" of Tenant;
    /// A customer got another name.
    CustomerRenamed = "customer.renamed" of Tenant;
    /// A tenant enrolled as a partner.
    PartnerEnrolled = "partner.enrolled" of Partner;
    /// A partner got another name.
    PartnerRenamed = "partner.renamed" of Partner;
    /// A partner was suspended.
    PartnerSuspended = "partner.suspended" of Partner;
    /// A suspended partner may act again.
    PartnerResumed = "partner.resumed" of Partner;
    /// A partner's signing secret was rotated.
    SecretRotated = "secret.rotated" of Partner;
    /// A key was issued.
    KeyIssued = "key.issued" of Key;
    /// A key was revoked.
    KeyRevoked = "key.revoked" of Key;
    /// A webhook endpoint was registered.
    EndpointCreated = "endpoint.created" of Endpoint;
    /// An endpoint's address, filter, description, state or secret was changed by its owner.
    EndpointUpdated = "endpoint.updated" of Endpoint;
    /// An endpoint answered its challenge.
    EndpointActivated = "endpoint.activated" of Endpoint;
    /// Nothing is sent to an endpoint any more; says why.
    EndpointDisabled = "endpoint.disabled" of Endpoint;
    /// An endpoint was removed.
    EndpointDeleted = "endpoint.deleted" of Endpoint;
}

/// Where an aggregate's events stand: how many there are, and the last one's hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The number of events.
    pub sequence: u64,
    /// The last event's hash; zeros when there is none.
    pub hash: [u8; 32],
}

/// Where an aggregate's events are not those that were written. Whoever can write the whole table can write a chain that
/// holds: this finds mistakes and tampering with single items, and anything at all when a hash was kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// An event is not there.
    #[error("event {0} is missing")]
    Missing(u64),
    /// There are two events of this number, or it lies beyond the aggregate's own count.
    #[error("event {0} is one too many")]
    Surplus(u64),
    /// The event, or its hash, is not what was written.
    #[error("event {0} has been changed")]
    Changed(u64),
}

/// Recomputes the chain of an aggregate's events, given in order, each with the hash that is stored with it, and holds it
/// against where the aggregate itself says that they stand.
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

/// What an event is about: every id that is known, and no other member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    /// The invitation.
    pub invitation_id: Option<InvitationId>,
    /// The grant.
    pub grant_id: Option<GrantId>,
    /// The subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// The key.
    pub key_id: Option<KeyId>,
    /// The webhook endpoint.
    pub endpoint_id: Option<EndpointId>,
    /// The partner.
    pub partner_id: Option<PartnerId>,
    /// The customer.
    pub customer_tenant_id: Option<TenantId>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    /// How the actor was known.
    pub kind: ActorKind,
    /// A key's id for operators, else the partner's, the tenant's or the invitation's.
    pub id: String,
    /// The role acted in.
    pub role: Option<Role>,
}

impl Actor {
    /// A job of the system.
    pub fn system(job: &str) -> Self {
        Self { kind: ActorKind::System, id: job.to_owned(), role: None }
    }
}

/// When something happens, who does it, and under which policy.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: &'a Actor,
    /// The policy it is decided under.
    pub policy_version: u32,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// The aggregate's own id, as its items spell it.
    pub aggregate_id: String,
    /// The aggregate's own count, from 1.
    pub sequence: u64,
    /// When.
    pub occurred_at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// Who did it.
    pub actor: Actor,
    /// The policy it was decided under.
    pub policy_version: u32,
    /// What else a reader needs.
    pub data: Map<String, Value>,
}

impl Event {
    /// The event that follows an aggregate's chain.
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

    /// The id: made of the aggregate and the sequence, so that a repeated attempt names the same event.
    pub fn event_id(&self) -> EventId {
        let kind = self.event_type.aggregate().as_str();
        EventId::from_hash(&digest(
            "event",
            &[kind.as_bytes(), self.aggregate_id.as_bytes(), &self.sequence.to_be_bytes()],
        ))
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

    /// Events 1 to `count` as they are written, and where they stand then.
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
    fn a_chain_as_it_was_written_holds() {
        for count in 0..4 {
            let (events, head) = written(count);
            assert_eq!(verify_chain(&events, &head), Ok(()));
        }
    }

    #[test]
    fn every_changed_member_breaks_it() {
        let (events, head) = written(3);
        let changes: [fn(&mut Event); 7] = [
            |event| event.event_type = EventType::CustomerRegistered,
            |event| event.aggregate_id.push('0'),
            |event| event.occurred_at = event.occurred_at.plus_millis(1),
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
                // Whoever changes the hash beside it as well breaks the next event, or the aggregate's own item.
                let before = if at == 0 { [0; 32] } else { events[at - 1].1 };
                changed[at].1 = changed[at].0.chain_after(&before).hash;
                assert_eq!(verify_chain(&changed, &head), Err(BrokenChain::Changed((at as u64 + 2).min(3))));
            }
        }
    }

    #[test]
    fn removed_inserted_and_repeated_events_break_it() {
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

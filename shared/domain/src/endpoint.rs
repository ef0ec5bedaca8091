//! Webhook endpoints: where a partner or customer wants to hear of events.

use serde_json::Value;

use super::event::{Chain, Event, EventType, Occurrence, Subject};
use super::{
    ActorKind, EndpointId, EndpointState, MessageId, PartnerId, SecretGeneration, TenantId, Timestamp, digest,
};

/// Who has endpoints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A partner.
    Partner(PartnerId),
    /// A customer.
    Customer(TenantId),
}

impl Owner {
    /// How it is known as an actor.
    pub fn kind(&self) -> ActorKind {
        match self {
            Self::Partner(_) => ActorKind::Partner,
            Self::Customer(_) => ActorKind::Customer,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Partner(id) => id.as_str(),
            Self::Customer(id) => id.as_str(),
        }
    }

    /// Reads kind and id; `None` when they are none.
    pub fn parse(kind: &str, id: &str) -> Option<Self> {
        match ActorKind::parse(kind)? {
            ActorKind::Partner => PartnerId::parse(id).map(Self::Partner),
            ActorKind::Customer => TenantId::parse(id).map(Self::Customer),
            _ => None,
        }
    }

    /// Those whom an event is sent to: whoever finds it in their own list.
    pub fn of_event(event: &Event) -> impl Iterator<Item = Self> {
        let partner = event.subject.partner_id.clone().map(Self::Partner);
        partner.into_iter().chain(event.subject.customer_tenant_id.clone().map(Self::Customer))
    }
}

/// A webhook endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Its id.
    pub endpoint_id: EndpointId,
    /// Whose it is.
    pub owner: Owner,
    /// Where messages go, as [`crate::outbound::EndpointUrl`] has it.
    pub url: String,
    /// Which events go there; all when there is no filter.
    pub event_types: Option<Vec<EventType>>,
    /// What its owner says of it.
    pub description: Option<String>,
    /// Whether events go there.
    pub state: EndpointState,
    /// Signing secrets, newest first; at most two.
    pub secrets: Vec<SecretGeneration>,
    /// What it was created with, by which a repeat is told from another use of its idempotency key.
    pub fingerprint: [u8; 32],
    /// When it last had to answer a challenge anew.
    pub pending_since: Timestamp,
    /// Since when every attempt failed.
    pub failing_since: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Where its events stand.
    pub chain: Chain,
}

impl Endpoint {
    /// How much older than its commit an event can look: a write is at most 4 s old, clocks differ by up to 2 s.
    pub const LATE_MS: i64 = 10_000;

    /// Its next event.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let mut subject = Subject { endpoint_id: Some(self.endpoint_id.clone()), ..Subject::default() };
        match &self.owner {
            Owner::Partner(id) => subject.partner_id = Some(id.clone()),
            Owner::Customer(id) => subject.customer_tenant_id = Some(id.clone()),
        }
        Event::next(event_type, self.endpoint_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// Whether an event is for it: one of the types it wants, and not committed before it was there. An event's time is when
    /// its request began, up to [`LATE_MS`](Self::LATE_MS) before its commit; so a few from just before come along.
    pub fn wants(&self, event: &Event) -> bool {
        let wanted = self.event_types.as_ref().is_none_or(|types| types.contains(&event.event_type));
        let reachable = matches!(self.state, EndpointState::Pending | EndpointState::Active);
        wanted && reachable && self.created_at.plus_millis(-Self::LATE_MS) <= event.occurred_at
    }

    /// The challenge that an event of this endpoint calls for, once it is pending: the same for the same event.
    pub fn challenge(&self, sequence: u64) -> MessageId {
        MessageId::from_hash(&digest("challenge", &[self.endpoint_id.as_str().as_bytes(), &sequence.to_be_bytes()]))
    }

    /// Whether a challenge that was begun then is the present one: not from before the endpoint was last pending.
    pub fn awaits_challenge_of(&self, begun: Timestamp) -> bool {
        self.state == EndpointState::Pending && self.pending_since.plus_millis(-Self::LATE_MS) <= begun
    }

    /// The secrets its messages are signed with at a time, newest first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SecretGeneration> {
        SecretGeneration::live(&self.secrets, now)
    }
}

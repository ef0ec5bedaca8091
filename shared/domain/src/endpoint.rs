//! Webhook endpoints: addresses to which events are sent.

use serde_json::Value;

use super::clock_budget::EVENT_LATENESS;
use super::{
    ActorKind, Chain, EndpointId, EndpointState, Event, EventType, MessageId, Occurrence, PartnerId, SecretVersion,
    Subject, TenantId, Timestamp, digest,
};

/// The owner of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    Partner(PartnerId),
    Customer(TenantId),
}

impl Owner {
    pub fn kind(&self) -> ActorKind {
        match self {
            Self::Partner(_) => ActorKind::Partner,
            Self::Customer(_) => ActorKind::Customer,
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Partner(id) => id.as_str(),
            Self::Customer(id) => id.as_str(),
        }
    }

    /// Returns `None` unless `kind` is `partner` or `customer` and `id` is an id of that kind.
    pub fn parse(kind: &str, id: &str) -> Option<Self> {
        match ActorKind::parse(kind)? {
            ActorKind::Partner => PartnerId::parse(id).map(Self::Partner),
            ActorKind::Customer => TenantId::parse(id).map(Self::Customer),
            _ => None,
        }
    }

    /// The owners whose endpoints receive an event: the partner and the customer in its subject, who also find it in
    /// their lists.
    pub fn recipients_of(event: &Event) -> impl Iterator<Item = Self> {
        let partner = event.subject.partner_id.clone().map(Self::Partner);
        partner.into_iter().chain(event.subject.customer_tenant_id.clone().map(Self::Customer))
    }
}

/// A webhook endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub endpoint_id: EndpointId,
    pub owner: Owner,
    /// In normalized form, so that two endpoints with the same address can be detected.
    pub url: String,
    /// The types of events to send; `None` for all.
    pub event_types: Option<Vec<EventType>>,
    pub description: Option<String>,
    pub state: EndpointState,
    /// Versions of the signing secret, newest first; at most two are live.
    pub secrets: Vec<SecretVersion>,
    /// SHA-256 of the request that created it. A repeat with the same idempotency key must have the same.
    pub fingerprint: [u8; 32],
    /// When it last became pending and had to answer a challenge.
    pub pending_since: Timestamp,
    /// The time of the first failure since the last success.
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub chain: Chain,
}

impl Endpoint {
    /// The next event of this endpoint.
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

    /// Whether an event is sent here: its type is wanted, and it was not committed before the endpoint was created. The time of
    /// an event is the start of its request, up to [`EVENT_LATENESS`] before its commit. So a few events from
    /// just before the creation are sent too.
    pub fn wants(&self, event: &Event) -> bool {
        let wanted = self.event_types.as_ref().is_none_or(|types| types.contains(&event.event_type));
        let reachable = matches!(self.state, EndpointState::Pending | EndpointState::Active);
        wanted && reachable && self.created_at - EVENT_LATENESS <= event.occurred_at
    }

    /// The id of the challenge that this endpoint's event with that sequence calls for. It is the same when the event is
    /// published again.
    pub fn challenge_id(&self, sequence: u64) -> MessageId {
        MessageId::from_hash(&digest("challenge", &[self.endpoint_id.as_str().as_bytes(), &sequence.to_be_bytes()]))
    }

    /// Whether a challenge created at that time is current: not from before the endpoint last became pending.
    pub fn awaits_challenge_from(&self, created_at: Timestamp) -> bool {
        self.state == EndpointState::Pending && self.pending_since - EVENT_LATENESS <= created_at
    }

    /// The secrets with which messages are signed, newest first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SecretVersion> {
        SecretVersion::live(&self.secrets, now)
    }
}

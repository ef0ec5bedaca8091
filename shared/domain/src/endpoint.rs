//! Webhook endpoints: addresses to which events are sent.

use std::time::Duration;

use serde_json::Value;

use super::clock_budget::EVENT_LATENESS;
use super::{
    ActorKind, Chain, EndpointId, EndpointState, Event, EventType, Failing, MessageId, Occurrence, PartnerId, Period,
    SecretVersion, Subject, TenantId, Timestamp, Uses, digest,
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
    /// The sequence of the event with which it last became pending.
    pub period: u64,
    /// The failures since the last success.
    pub failing: Option<Failing>,
    /// When its owner last asked to resend.
    pub resends: Uses,
    pub created_at: Timestamp,
    pub chain: Chain,
}

impl Endpoint {
    /// An endpoint that became pending is challenged within this time, then it waits for its owner.
    pub const CHALLENGED_FOR: Duration = Duration::from_mins(5);

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

    /// Whether a challenge of that period is current: not from before the endpoint last became pending.
    pub fn awaits_challenge_of(&self, period: Option<Period>) -> bool {
        self.state == EndpointState::Pending && period.is_some_and(|period| period.endpoint == self.period)
    }

    /// Whether its automatic challenges are over, so that it waits for its owner.
    pub fn waits_for_owner(&self, now: Timestamp) -> bool {
        self.state == EndpointState::Pending && now.since(self.pending_since) >= Self::CHALLENGED_FOR
    }

    /// The endpoint, pending from `now` on. It must answer a new challenge.
    pub fn pending_from(&self, now: Timestamp) -> Self {
        let period = self.chain.sequence + 1;
        Self { state: EndpointState::Pending, pending_since: now, period, failing: None, ..self.clone() }
    }

    /// What two URLs have in common if they are spellings of one address: percent-encoding does not matter where it changes
    /// nothing ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986) 6.2.2), nor does an empty query. The URL must have a
    /// lower-case host and a path.
    pub fn address(url: &str) -> String {
        let (mut address, mut rest) = (String::new(), url);
        while let Some((before, after)) = rest.split_once('%') {
            address.push_str(before);
            let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            match code.map(char::from) {
                Some(plain) if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => address.push(plain),
                _ => address.extend(["%", &after.get(..2).unwrap_or_default().to_ascii_uppercase()]),
            }
            rest = after.get(2..).unwrap_or_default();
        }
        address.push_str(rest);
        if address.ends_with('?') {
            address.pop();
        }
        address
    }

    /// The secrets with which messages are signed, newest first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SecretVersion> {
        SecretVersion::live(&self.secrets, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal_and_others_are_not() {
        const PLAIN: &str = "https://hooks.example.com/a~b/c";
        for same in [
            PLAIN,
            "https://hooks.example.com/a%7Eb/c",
            "https://hooks.example.com/%61%7eb/%63",
            "https://hooks.example.com/a~b/c?",
        ] {
            assert_eq!(Endpoint::address(same), PLAIN, "{same}");
        }
        assert_eq!(Endpoint::address("https://h.example/%2f%c3%a9"), Endpoint::address("https://h.example/%2F%C3%A9"));
        for other in [
            "https://hooks.example.com/A~b/c",
            "https://hooks.example.com/a~b%2Fc",
            "https://hooks.example.com/a~b/c/",
            "https://hooks.example.com/a~b/c?x",
            "https://hooks.example.com:8443/a~b/c",
        ] {
            assert_ne!(Endpoint::address(other), PLAIN, "{other}");
        }
        assert_eq!(Endpoint::address("https://h.example/%"), "https://h.example/%", "a URL is never cut off");
    }
}

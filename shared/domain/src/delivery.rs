//! Deliveries: one message on its way to one endpoint. What is sent is kept as bytes, so that every attempt sends the same.

use std::fmt;

use serde::{Serialize, Serializer};

use super::describe::describe;
use super::{DeliveryPurpose, DeliveryState, EndpointId, EventId, MessageId, Owner, Timestamp};

/// The `webhook-id` of a message: an event's id, or that of a message which tells of no event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(String);

impl WebhookId {
    /// Reads the text form; `None` when it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        (EventId::parse(text).is_some() || MessageId::parse(text).is_some()).then(|| Self(text.to_owned()))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<EventId> for WebhookId {
    fn from(id: EventId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl From<MessageId> for WebhookId {
    fn from(id: MessageId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for WebhookId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

describe!(WebhookId: crate::describe::text(&["Id of an event or of a message without event."], "^(evt|msg)_[a-z2-7]{26}$"));

/// One message on its way to one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What is sent.
    pub webhook_id: WebhookId,
    /// Where.
    pub endpoint_id: EndpointId,
    /// Whose endpoint that is.
    pub owner: Owner,
    /// What it is for.
    pub purpose: DeliveryPurpose,
    /// How it stands.
    pub state: DeliveryState,
    /// Attempts begun.
    pub attempt: u32,
    /// When the next attempt is due, while there is one.
    pub next_at: Option<Timestamp>,
    /// How the last attempt ended.
    pub last: Option<LastAttempt>,
    /// When it was begun; what is kept of it ends [`Delivery::KEPT_DAYS`] later.
    pub created_at: Timestamp,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAttempt {
    /// The receiver's status; `None` when there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub failure: Option<String>,
    /// How long it took.
    pub latency_ms: u64,
    /// The first 1 KiB of the answer's body; what is no text in it stands as U+FFFD.
    pub excerpt: String,
}

impl Delivery {
    /// How long a delivery and its message are kept.
    pub const KEPT_DAYS: i64 = 30;

    /// The longest wait in the queue. What waits longer waits in the table: the queue holds no more than so many tickets that
    /// were received and are not done (120 000), and one endpoint that fails must not bring it there for all.
    pub const QUEUED_MS: i64 = 900_000;

    /// A ticket that nobody has heard of for so long after it was due counts as lost.
    pub const LOST_MS: i64 = 3_600_000;

    /// When to see to it that there is a ticket for what is to be tried then: at that time, if it waits in the table, else
    /// when it is overdue.
    pub fn ticket_at(next_at: Timestamp, now: Timestamp) -> Timestamp {
        let waits_in_table = next_at.millis() - now.millis() > Self::QUEUED_MS;
        if waits_in_table { next_at } else { next_at.plus_millis(Self::LOST_MS) }
    }

    /// When to see to it again, once there is a ticket. What can't be delivered or settled however many tickets there are gets
    /// them ever more rarely.
    pub fn missed_at(&self, now: Timestamp) -> Timestamp {
        let overdue = self.next_at.map_or(0, |due| now.millis() - due.millis());
        now.plus_millis(overdue.max(Self::LOST_MS))
    }

    /// A message that has not been sent yet.
    pub fn new(
        webhook_id: WebhookId,
        endpoint_id: EndpointId,
        owner: Owner,
        purpose: DeliveryPurpose,
        now: Timestamp,
    ) -> Self {
        Self {
            webhook_id,
            endpoint_id,
            owner,
            purpose,
            state: DeliveryState::Pending,
            attempt: 0,
            next_at: Some(now),
            last: None,
            created_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PartnerId, digest};

    #[test]
    fn what_never_ends_needs_tickets_ever_more_rarely() {
        let (hash, due) = (digest("t", &[]), Timestamp::from_millis(1_795_369_200_000));
        let owner = Owner::Partner(PartnerId::from_hash(&hash));
        let (id, endpoint) = (MessageId::from_hash(&hash).into(), EndpointId::from_hash(&hash));
        let delivery = Delivery::new(id, endpoint, owner, DeliveryPurpose::Test, due);
        let mut hours = vec![0];
        while hours.len() < 6 {
            let now = due.plus_millis(hours[hours.len() - 1] * 3_600_000);
            hours.push((delivery.missed_at(now).millis() - due.millis()) / 3_600_000);
        }
        assert_eq!(hours, [0, 1, 2, 4, 8, 16]);
    }

    #[test]
    fn a_short_wait_is_seen_to_when_it_is_overdue_and_a_long_one_when_it_is_due() {
        let now = Timestamp::from_millis(1_795_369_200_000);
        for (wait, look) in [(0, 3_600_000), (900_000, 4_500_000), (900_001, 900_001), (86_400_000, 86_400_000)] {
            assert_eq!(Delivery::ticket_at(now.plus_millis(wait), now), now.plus_millis(look), "{wait}");
        }
    }
}

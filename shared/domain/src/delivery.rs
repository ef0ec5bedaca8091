//! Deliveries: one message to one endpoint. The message is kept as bytes, so that every attempt sends the same.

use std::fmt;
use std::time::Duration;

use super::describe::{describe, text_in_json};
use super::{DeliveryPurpose, DeliveryState, EndpointId, EventId, MessageId, Owner, Period, Timestamp};

/// The `webhook-id` of a message: the id of an event, or of a challenge or test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(String);

impl WebhookId {
    /// Returns `None` unless the text is an [`EventId`] or a [`MessageId`].
    pub fn parse(text: &str) -> Option<Self> {
        (EventId::parse(text).is_some() || MessageId::parse(text).is_some()).then(|| Self(text.to_owned()))
    }

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

text_in_json!(WebhookId, "the id of an event or message");

describe!(WebhookId: crate::describe::text(
    &["The `webhook-id` of a message: the id of an event, or of a challenge or test."],
    "^(evt|msg)_[a-z2-7]{26}$"
));

/// One message to one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub webhook_id: WebhookId,
    pub endpoint_id: EndpointId,
    pub owner: Owner,
    pub purpose: DeliveryPurpose,
    pub state: DeliveryState,
    /// The number of attempts begun.
    pub attempt: u32,
    /// Raised when all attempts start over. A result of an earlier round is ignored.
    pub round: u32,
    /// When the next attempt is due; `None` if there is none, and while the delivery waits for its recipient.
    pub next_at: Option<Timestamp>,
    /// The recipient's period when the last attempt began, or when a challenge was created.
    pub period: Option<Period>,
    pub last: Option<LastAttempt>,
    /// The delivery is deleted [`Delivery::RETENTION`] after this time.
    pub created_at: Timestamp,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAttempt {
    /// The HTTP status; `None` if there was no response.
    pub status: Option<u16>,
    /// Why there was no response.
    pub failure: Option<String>,
    pub latency_ms: u64,
    /// The first 1 KiB of the response body; bytes that are not UTF-8 are replaced by U+FFFD.
    pub excerpt: String,
}

impl Delivery {
    /// How long a delivery and its message are kept.
    pub const RETENTION: Duration = Duration::from_hours(30 * 24);

    /// The longest wait in the queue; longer waits are kept in the table. SQS allows 120 000 messages in flight, and one
    /// failing endpoint must not use them up for all the others.
    pub const MAX_QUEUE_DELAY: Duration = Duration::from_mins(15);

    /// A ticket that is overdue by this much counts as lost.
    pub const LOST_AFTER: Duration = Duration::from_hours(1);

    /// A delivery whose first attempt is due now.
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
            round: 0,
            next_at: Some(now),
            period: None,
            last: None,
            created_at: now,
        }
    }

    /// When the sweep looks at a delivery whose next attempt is due at `next_at`. A long wait is kept in the table, so the
    /// sweep creates its ticket when it is due. For a short wait there is a ticket, so the sweep checks whether it was lost.
    pub fn sweep_at(next_at: Timestamp, now: Timestamp) -> Timestamp {
        let waits_in_table = next_at.since(now) > Self::MAX_QUEUE_DELAY;
        if waits_in_table { next_at } else { next_at + Self::LOST_AFTER }
    }

    /// A challenge of an endpoint in this period.
    pub fn challenge(id: MessageId, endpoint: EndpointId, owner: Owner, period: Period, now: Timestamp) -> Self {
        Self { period: Some(period), ..Self::new(id.into(), endpoint, owner, DeliveryPurpose::Challenge, now) }
    }

    /// When the sweep looks at this delivery again after it created a ticket. The interval grows with the time overdue, so
    /// that a delivery that can never be settled, or waits for its recipient, gets ever fewer tickets.
    pub fn sweep_again_at(&self, now: Timestamp) -> Timestamp {
        now + now.since(self.next_at.unwrap_or(self.created_at)).max(Self::LOST_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PartnerId, digest};

    const DUE: Timestamp = Timestamp::from_millis(1_795_369_200_000);

    #[test]
    fn a_delivery_that_is_never_settled_gets_tickets_at_growing_intervals() {
        let hash = digest("t", &[]);
        let owner = Owner::Partner(PartnerId::from_hash(&hash));
        let (id, endpoint) = (MessageId::from_hash(&hash).into(), EndpointId::from_hash(&hash));
        let delivery = Delivery::new(id, endpoint, owner, DeliveryPurpose::Test, DUE);
        let mut hours = vec![0];
        while hours.len() < 6 {
            let now = DUE + Duration::from_hours(hours[hours.len() - 1]);
            hours.push(delivery.sweep_again_at(now).since(DUE).as_secs() / 3600);
        }
        assert_eq!(hours, [0, 1, 2, 4, 8, 16]);
    }

    #[test]
    fn a_short_wait_is_swept_when_overdue_and_a_long_one_when_due() {
        for (wait, sweep) in [(0, 3_600_000), (900_000, 4_500_000), (900_001, 900_001), (86_400_000, 86_400_000)] {
            let [wait, sweep] = [wait, sweep].map(Duration::from_millis);
            assert_eq!(Delivery::sweep_at(DUE + wait, DUE), DUE + sweep, "{wait:?}");
        }
    }
}

//! The queue between publishing and delivering. What stands in it only names a delivery; how that stands is in the table, so
//! a ticket may come twice or late. It holds what is due soon: what waits for long waits in the table.

pub mod sqs;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Value, json};

use domain::{Delivery, EndpointId, Owner, WebhookId};

/// A future of a [`Queue`].
pub type Queued<'a> = Pin<Box<dyn Future<Output = Result<(), QueueError>> + Send + 'a>>;

/// The longest that a ticket is put back for.
pub const LONGEST_POSTPONEMENT: Duration = Delivery::MAX_QUEUE_DELAY;

/// The queue.
pub trait Queue: Send + Sync {
    /// Puts tickets into the queue: all, or it is an error and some may be in it.
    fn send(&self, tickets: Vec<Ticket>) -> Queued<'_>;

    /// Puts a received ticket back for this long, at most [`LONGEST_POSTPONEMENT`]. Longer waits are the table's.
    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a>;
}

/// The queue failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue failed: {0}")]
pub struct QueueError(pub String);

/// What stands in the queue: the name of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The message.
    pub webhook_id: WebhookId,
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Whose endpoint it is.
    pub owner: Owner,
}

impl Ticket {
    /// The ticket of a delivery.
    pub fn of(delivery: &Delivery) -> Self {
        Self {
            webhook_id: delivery.webhook_id.clone(),
            endpoint_id: delivery.endpoint_id.clone(),
            owner: delivery.owner.clone(),
        }
    }

    /// `{v:1,event_id,endpoint_id,owner:{kind,id}}`
    pub fn to_text(&self) -> String {
        let owner = json!({"kind": self.owner.kind(), "id": self.owner.id()});
        json!({"v": 1, "event_id": self.webhook_id, "endpoint_id": self.endpoint_id, "owner": owner}).to_string()
    }

    /// Reads the text; `None` when it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let part = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        if value.get("v").and_then(Value::as_u64) != Some(1) {
            return None;
        }
        Some(Self {
            webhook_id: WebhookId::parse(part("/event_id")?)?,
            endpoint_id: EndpointId::parse(part("/endpoint_id")?)?,
            owner: Owner::parse(part("/owner/kind")?, part("/owner/id")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{EventId, PartnerId, TenantId, digest};

    #[test]
    fn a_ticket_reads_back_and_nothing_else_is_one() {
        let hash = digest("t", &[]);
        let tenant = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        for owner in [Owner::Partner(PartnerId::from_hash(&hash)), Owner::Customer(tenant)] {
            let endpoint_id = EndpointId::from_hash(&hash);
            let ticket = Ticket { webhook_id: EventId::from_hash(&hash).into(), endpoint_id, owner };
            assert_eq!(Ticket::parse(&ticket.to_text()), Some(ticket.clone()));
            for wrong in ["", "{}", "null", "[1]", &ticket.to_text().replace("\"v\":1", "\"v\":2")] {
                assert_eq!(Ticket::parse(wrong), None, "{wrong}");
            }
        }
    }
}

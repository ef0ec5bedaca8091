//! The bodies of webhooks. They are built once and kept as bytes, so that every attempt sends the same.

use domain::{DeliveryPurpose, EndpointId, Event, EventId, EventType, MessageId, Timestamp};

use super::EventView;

crate::views! {
    /// The envelope of Standard Webhooks.
    struct Message<T, D> {
        #[serde(rename = "type")]
        message_type: T,
        timestamp: Timestamp,
        data: D,
    }

    struct EventData {
        id: EventId,
        #[serde(flatten)]
        event: EventView,
    }

    /// The data of a challenge or a test.
    struct OtherData {
        id: MessageId,
        endpoint_id: EndpointId,
    }
}

/// The body of a webhook for an event: `{type, timestamp, data}`. `data` is the event as in lists, and `id`.
///
/// # Errors
/// When it can't be written as JSON.
pub fn event_message(event: &Event) -> serde_json::Result<Vec<u8>> {
    let data = EventData { id: event.event_id(), event: EventView::new(event) };
    serde_json::to_vec(&Message::<EventType, _> { message_type: event.event_type, timestamp: event.occurred_at, data })
}

/// The body of a challenge or a test: `{type, timestamp, data: {id, endpoint_id}}`. `type` is `endpoint.challenge` or
/// `endpoint.test`.
///
/// # Errors
/// When it can't be written as JSON.
pub fn other_message(
    purpose: DeliveryPurpose,
    id: &MessageId,
    endpoint: &EndpointId,
    now: Timestamp,
) -> serde_json::Result<Vec<u8>> {
    let data = OtherData { id: id.clone(), endpoint_id: endpoint.clone() };
    serde_json::to_vec(&Message { message_type: format!("endpoint.{purpose}"), timestamp: now, data })
}

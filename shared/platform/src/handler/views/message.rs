//! The bodies of webhooks. They are built once and kept as bytes, so that every attempt sends the same.

use domain::{DeliveryPurpose, EndpointId, Event, EventId, EventName, MessageId, Timestamp};

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
pub fn event_message<T: EventName>(event: &Event<T>) -> serde_json::Result<Vec<u8>> {
    let data = EventData { id: event.event_id(), event: EventView::new(event, None) };
    serde_json::to_vec(&Message { message_type: event.event_type.name(), timestamp: event.occurred_at, data })
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

#[cfg(test)]
mod tests {
    use domain::{Actor, Chain, EventType, KeyId, Occurrence, Principal, Role, Subject, TenantId};
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_owners_of_the_key_and_operators_see_the_key_of_an_actor() {
        let tenant = |last: char| TenantId::parse(&format!("6f9619ff-8b86-d011-b42d-00cf4fc964f{last}")).unwrap();
        let (ours, other) = (tenant('a'), tenant('b'));
        let (owner, key_id) = (Principal::Customer(ours.clone()), KeyId::from_hash(&[7; 32]));
        let actor = Actor::with_key(&owner, Some(Role::GlobalAdmin), key_id.clone());
        let occurrence = Occurrence { at: Timestamp::from_millis(1), actor: &actor, policy_version: 1 };
        let subject = Subject { customer_tenant_id: Some(ours), ..Subject::default() };
        let event = Event::next(EventType::GrantEnded, "x", &Chain::default(), subject, occurrence, []);
        let shown = |reader: &Principal| EventView::new(&event, Some(reader)).actor.key_id;
        assert_eq!([&owner, &Principal::Operator].map(shown), [Some(key_id.clone()), Some(key_id)]);
        assert_eq!(shown(&Principal::Customer(other)), None);
        let message: Value = serde_json::from_slice(&event_message(&event).unwrap()).unwrap();
        assert_eq!(message["data"]["actor"]["proof"], "key");
        assert_eq!(message["data"]["actor"].get("key_id"), None);
    }
}

//! A message of each type: the examples of the schemas in `docs/events`, with new ids and the current time.

use domain::Timestamp;
use platform::random::Random;
use serde_json::{Value, json};

use super::new_id;

macro_rules! samples {
    ($($kind:literal),* $(,)?) => {
        /// The types, and their schemas.
        const SCHEMAS: &[(&str, &str)] =
            &[$(($kind, include_str!(concat!("../../../docs/events/", $kind, ".json")))),*];
    };
}

samples![
    "customer.registered",
    "customer.sessions_ended",
    "customer.updated",
    "endpoint.activated",
    "endpoint.challenge",
    "endpoint.created",
    "endpoint.deleted",
    "endpoint.disabled",
    "endpoint.test",
    "endpoint.updated",
    "grant.ended",
    "grant.expired",
    "grant.expiring",
    "grant.extended",
    "grant.narrowed",
    "invitation.accepted",
    "invitation.cancelled",
    "invitation.created",
    "invitation.declined",
    "invitation.erased",
    "invitation.expired",
    "invitation.renewed",
    "key.issued",
    "key.revoked",
    "partner.enrolled",
    "partner.resumed",
    "partner.suspended",
    "partner.updated",
    "relationship.ended",
    "relationship.imported",
    "secret.rotated",
    "subscription.registered",
];

/// A message: its id, which belongs into `webhook-id`, and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub id: String,
    pub body: Vec<u8>,
}

/// The types of messages.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|(kind, _)| *kind)
}

/// A message of this type; `None` if the type is unknown.
pub fn sample(kind: &str, now: Timestamp, random: &dyn Random) -> Option<Sample> {
    let (_, schema) = SCHEMAS.iter().find(|(name, _)| *name == kind)?;
    let schema: Value = serde_json::from_str(schema).ok()?;
    let mut message = schema.pointer("/examples/0")?.clone();
    let is_event = message.pointer("/data/event_id").is_some();
    let id = new_id(if is_event { "evt_" } else { "msg_" }, random);
    message["timestamp"] = json!(now);
    message["data"]["id"] = json!(id);
    if is_event {
        message["data"]["event_id"] = json!(id);
        message["data"]["occurred_at"] = json!(now);
    }
    Some(Sample { id, body: message.to_string().into_bytes() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{EventId, EventType};
    use platform::random::SystemRandom;

    use super::*;

    #[test]
    fn there_is_a_sample_of_each_type() {
        let mut expected: BTreeSet<_> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
        expected.extend(["endpoint.challenge", "endpoint.test"]);
        assert_eq!(kinds().collect::<BTreeSet<_>>(), expected);
        assert_eq!(sample("x.y", Timestamp::from_millis(0), &SystemRandom), None);
    }

    #[test]
    fn a_sample_has_a_new_id_and_the_current_time() {
        let now = Timestamp::parse("2026-11-27T12:00:00.000Z").unwrap();
        for kind in kinds() {
            let Sample { id, body } = sample(kind, now, &SystemRandom).unwrap();
            let message: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&message["type"], &message["data"]["id"]), (&json!(kind), &json!(id)));
            assert_eq!(message["timestamp"], json!(now));
            let is_event = message["data"].get("type").is_some();
            assert_eq!(is_event, EventId::parse(&id).is_some(), "{kind}");
            assert!(!is_event || message["data"]["event_id"] == id, "{kind}");
            assert_ne!(sample(kind, now, &SystemRandom).unwrap().id, id);
        }
    }
}

//! An event as the feed returns it. Its bytes are kept, so members that this program does not know are neither lost nor changed.

use std::fmt;

use domain::text::is_forbidden;
use domain::{EventId, Timestamp};
use platform::serde::de::{MapAccess, Visitor};
use platform::serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// An event of the feed.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    pub id: EventId,
    /// Its type. It may be newer than this program.
    pub kind: String,
    pub occurred_at: Timestamp,
    text: Box<RawValue>,
}

/// The response has something that is not an event.
#[derive(Debug, thiserror::Error)]
#[error("the response has an event that cannot be read: {0}")]
pub struct EventError(#[from] serde_json::Error);

/// The members of every event.
#[derive(Deserialize)]
#[serde(crate = "platform::serde")]
struct Known {
    event_id: String,
    #[serde(rename = "type")]
    kind: String,
    occurred_at: Timestamp,
}

/// The envelope of Standard Webhooks, as a deployment sends it.
#[derive(Serialize)]
#[serde(crate = "platform::serde")]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Timestamp,
    data: Members,
}

impl FeedEvent {
    /// Reads an item of the feed.
    ///
    /// # Errors
    /// [`EventError`] if it has no id, type or time.
    pub fn read(text: Box<RawValue>) -> Result<Self, EventError> {
        let Known { event_id, kind, occurred_at } = serde_json::from_str(text.get())?;
        let id = EventId::parse(&event_id);
        let id = id.ok_or_else(|| <serde_json::Error as platform::serde::de::Error>::custom("`event_id` is no id"))?;
        Ok(Self { id, kind, occurred_at, text })
    }

    /// The event as one line of JSON. A character that could control a terminal is escaped, which does not change the value.
    pub fn line(&self) -> String {
        let mut line = String::with_capacity(self.text.get().len());
        for c in self.text.get().chars() {
            match c {
                // JSON has them only between values.
                '\n' | '\r' | '\t' => line.push(' '),
                c if is_forbidden(c) => {
                    c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| line.push_str(&format!("\\u{unit:04x}")));
                }
                c => line.push(c),
            }
        }
        line
    }

    /// The body of the webhook that an endpoint gets for this event: byte for byte what a deployment sends.
    ///
    /// # Errors
    /// [`EventError`] if `actor` is no object.
    pub fn message(&self) -> Result<Vec<u8>, EventError> {
        let mut data: Members = serde_json::from_str(self.text.get())?;
        if let Some((_, actor)) = data.0.iter_mut().find(|(name, _)| name == "actor") {
            let mut members: Members = serde_json::from_str(actor.get())?;
            // The feed shows the key to its owner. A webhook never has it.
            members.0.retain(|(name, _)| name != "key_id");
            *actor = serde_json::value::to_raw_value(&members)?;
        }
        data.0.insert(0, ("id".to_owned(), serde_json::value::to_raw_value(&self.id)?));
        Ok(serde_json::to_vec(&Envelope { kind: &self.kind, timestamp: self.occurred_at, data })?)
    }
}

/// The members of a JSON object in their order, each with its own bytes.
struct Members(Vec<(String, Box<RawValue>)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "evt_sdttlwrwomzoeltl3bioitjnyu";

    fn event(text: &str) -> FeedEvent {
        FeedEvent::read(RawValue::from_string(text.to_owned()).unwrap()).unwrap()
    }

    fn with(rest: &str) -> String {
        format!(r#"{{"event_id":"{ID}","type":"a.b","occurred_at":"2026-11-22T17:40:00.123Z"{rest}}}"#)
    }

    #[test]
    fn a_message_has_the_members_in_their_order_and_not_the_key() {
        let event =
            event(&with(r#","zebra":1.50,"actor":{"kind":"partner","key_id":"key_x","proof":"key"},"data":{}"#));
        let expected = format!(
            r#"{{"type":"a.b","timestamp":"2026-11-22T17:40:00.123Z","data":{{"id":"{ID}",{}"#,
            &with(r#","zebra":1.50,"actor":{"kind":"partner","proof":"key"},"data":{}"#)[1..]
        );
        assert_eq!(String::from_utf8(event.message().unwrap()).unwrap(), expected + "}");
    }

    #[test]
    fn a_line_is_one_line_with_the_same_value_and_controls_no_terminal() {
        let text = with(",\n\t\"name\": \"\u{9b}2J\u{202e}\u{e0001}é日\"");
        let line = event(&text).line();
        assert!(!line.contains(is_forbidden), "{line:?}");
        assert!(line.contains(r"\u009b2J\u202e\udb40\udc01é日"), "{line:?}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&line), value(&text));
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        for text in ["1", "{}", &with("").replace(ID, "evt_other"), &with("").replace("2026", "year")] {
            assert!(FeedEvent::read(RawValue::from_string(text.to_owned()).unwrap()).is_err(), "{text}");
        }
    }
}

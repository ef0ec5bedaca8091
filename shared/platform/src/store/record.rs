//! A record's change with the event that describes it. The event is written in the transaction of the change, and the record's
//! item moves on to it. The event has digests of the state in which it leaves the record.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::error::StoreError;
use super::event::event_item;
use super::item::{Item, bytes, number};
use super::keys::{self, Key, Mark};
use super::state::{PERSONAL, SALT, encode, left_out, record_kind};
use super::table::Store;
use super::write::{Effect, Write};
use domain::{Chain, Event, RecordState, StateDigest, StateDigests, text_digest};

/// The two writes of a change, and the end of the record's chain after it.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    /// The change of the record.
    pub(super) record: Write,
    /// The event, marked as waiting to be published.
    pub(super) event: Write,
    pub(super) chain: Chain,
}

/// Digests of personal texts by attribute; `None` for one that is removed.
type Texts = BTreeMap<String, Option<StateDigest>>;

impl Store {
    /// A new record with its first event. `item` has no chain yet.
    ///
    /// # Errors
    /// [`StoreError::Failed`], in all methods here, if the state after the change does not follow from the write.
    pub(super) fn begin(&self, event: &Event, item: Item) -> Result<Recorded, StoreError> {
        self.record(&Chain::default(), event, Write::create(item))
    }

    /// A change of a record, with its next event.
    pub(super) fn record(&self, before: &Chain, event: &Event, change: Write) -> Result<Recorded, StoreError> {
        self.record_with(before, event, change, None)
    }

    /// As [`Store::record`]. The same transaction creates another record, if it does not exist, and that record has no event
    /// of its own.
    pub(super) fn record_with(
        &self,
        before: &Chain,
        event: &Event,
        change: Write,
        created: Option<&Write>,
    ) -> Result<Recorded, StoreError> {
        let (change, salt, texts) = self.protect_texts(&before.state, change);
        let state = state_after(&before.state, &change, salt)?;
        let created = created.map(|write| state_after(&RecordState::default(), write, None)).transpose()?;
        let state_digests =
            StateDigests { record: state.digest(), created: created.map(|state| state.digest()), texts };
        let data = event.data_with_approver_role();
        let event = Event { state: state_digests, data, ..event.clone() };
        let chain = Chain { sequence: event.sequence, hash: event.hash_after(&before.hash), state };
        Ok(Recorded { record: change.advance(&chain), event: put_event(&event, &chain), chain })
    }

    /// The digests of the personal texts that are written. The record gets a salt for them if it has none. Texts that are
    /// erased, together with the salt, keep the digests that they have.
    fn protect_texts(&self, before: &RecordState, change: Write) -> (Write, Option<[u8; 16]>, Texts) {
        let effects = change.effects();
        let effect = |name: &str| effects.iter().find(|(written, _)| written == name).map(|(_, effect)| effect);
        let written: Vec<(&str, &Effect)> = PERSONAL.iter().filter_map(|name| Some((*name, effect(name)?))).collect();
        let erases = matches!(effect(SALT), Some(Effect::Removed));
        let old = before.salt().filter(|_| !erases);
        let is_text = |(_, effect): &(&str, &Effect)| matches!(effect, Effect::Value(_));
        if !written.iter().any(is_text) {
            let removed = written.iter().filter(|_| !erases).map(|(name, _)| ((*name).to_owned(), None)).collect();
            return (change, old, removed);
        }
        let salt = old.unwrap_or_else(|| {
            let mut salt = [0; 16];
            salt.copy_from_slice(&self.random.bytes()[..16]);
            salt
        });
        let texts = written.iter().map(|(name, effect)| {
            let text = match effect {
                Effect::Value(AttributeValue::S(text)) => Some(text_digest(&salt, name, text)),
                _ => None,
            };
            ((*name).to_owned(), text)
        });
        let texts: Texts = texts.collect();
        let change = if old.is_some() { change } else { change.with(SALT, bytes(&salt)) };
        (change, Some(salt), texts)
    }
}

impl Recorded {
    /// Whether a record's item already ends with this event. Then an earlier try, whose response was lost, wrote it.
    pub(super) fn is_end_of(&self, item: &Item) -> bool {
        item.get("event_hash") == Some(&bytes(&self.chain.hash))
    }
}

fn put_event(event: &Event, chain: &Chain) -> Write {
    let key = keys::event(event.event_type.aggregate(), &event.aggregate_id, event.sequence);
    let mark = Mark::outbox(&key, event.occurred_at);
    Write::create(event_item(event, &chain.hash).mark(mark).build())
}

/// The state of the record that a write leaves. It follows from the state before only if the write assigns values.
fn state_after(before: &RecordState, write: &Write, salt: Option<[u8; 16]>) -> Result<RecordState, StoreError> {
    let key = write.key().ok_or_else(|| StoreError::failed("record", "the item has no key"))?;
    let kind = record_kind(&key).ok_or_else(|| StoreError::failed("record", "the item is not a record"))?;
    let mut changes = Vec::new();
    if before.is_empty() {
        let Key { pk, sk } = &key;
        changes.extend(
            [(keys::PK, pk), (keys::SK, sk)]
                .map(|(name, value)| (name.to_owned(), Some(encode(&AttributeValue::S(value.clone()))))),
        );
    }
    for (name, effect) in write.effects().into_iter().filter(|(name, _)| left_out(kind, name).is_none()) {
        let value = match effect {
            Effect::Value(value) => Some(encode(&value)),
            Effect::IfAbsent(value) if before.is_empty() => Some(encode(&value)),
            Effect::Removed => None,
            Effect::IfAbsent(_) | Effect::Computed => {
                let reason =
                    format!("the state after the change of {name} is unknown: assign a value, or see store::state");
                return Err(StoreError::failed("record", reason));
            }
        };
        changes.push((name, value));
    }
    Ok(before.changed(changes, salt))
}

impl Write {
    /// Moves a record's item on to the end of its chain.
    fn advance(self, chain: &Chain) -> Self {
        self.with("event_seq", number(chain.sequence)).with("event_hash", bytes(&chain.hash))
    }

    /// An update of a record, unless it has had another event since it was read.
    pub(super) fn change(key: Key, before: &Chain) -> Self {
        Self::update(key, "event_seq = :before").value(":before", number(before.sequence))
    }
}

//! The state of a record: all attributes of its item, except those in the tables here. Every event has a digest of the state in
//! which it leaves its record. A new attribute belongs to the state without further work.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{CorruptItem, Item, ItemReader, key_of};
use super::keys::{self, ItemKind, Key};
use domain::{AggregateKind, Chain, RecordState};

/// The salt of a record's personal texts.
pub(super) const SALT: &str = "salt";

/// Personal texts with that salt. They can be erased, so events have a salted digest of each. The name and email of an acceptance
/// have a digest and a salt of their own ([`domain::AcceptedBy`]).
pub(super) const PERSONAL: &[&str] = &["message", "contact_email", "reason"];

/// Why an attribute is not part of its record's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is the end of the chain, which is compared with the events.
    Chain,
    /// It is a personal text or its salt, which have digests of their own.
    Personal,
    /// Commands write it without reading the record. The audit computes it from other records and their events.
    Rebuilt,
    /// It has no meaning for readers, and no event reports it.
    NoMeaning,
}

/// Attributes of every kind of record that are not part of its state.
const OF_ALL: &[(&str, Why)] = &[
    ("event_seq", Why::Chain),
    ("event_hash", Why::Chain),
    (SALT, Why::Personal),
    ("by_salt", Why::Personal),
    ("message", Why::Personal),
    ("contact_email", Why::Personal),
    ("reason", Why::Personal),
    ("by_name", Why::Personal),
    ("by_email", Why::Personal),
];

/// Attributes of one kind of record that are not part of its state. A name that ends with `_` is a prefix.
const LEFT_OUT: &[(AggregateKind, &str, Why)] = &[
    (AggregateKind::Relationship, "relation", Why::Rebuilt),
    (AggregateKind::Relationship, "period", Why::Rebuilt),
    (AggregateKind::Relationship, "since", Why::Rebuilt),
    (AggregateKind::Relationship, "proof", Why::Rebuilt),
    (AggregateKind::Relationship, "ended", Why::Rebuilt),
    (AggregateKind::Relationship, "ended_", Why::Rebuilt),
    (AggregateKind::Relationship, "open_invitation", Why::Rebuilt),
    (AggregateKind::Relationship, "open_until", Why::Rebuilt),
    (AggregateKind::Relationship, "invited_", Why::Rebuilt),
    (AggregateKind::Relationship, "renewed_", Why::Rebuilt),
    (AggregateKind::Relationship, keys::GSI1_PK, Why::Rebuilt),
    (AggregateKind::Relationship, keys::GSI2_PK, Why::Rebuilt),
    (AggregateKind::Relationship, keys::LISTED, Why::Rebuilt),
    // Counts the updates, so that a change between reading and writing is noticed.
    (AggregateKind::Relationship, "version", Why::NoMeaning),
    (AggregateKind::Tenant, "csp_partner", Why::Rebuilt),
    // Since when deliveries fail. Each delivery may change it.
    (AggregateKind::Endpoint, "failing", Why::NoMeaning),
    (AggregateKind::Endpoint, "failed", Why::NoMeaning),
    // The times of the last resends, for their limit.
    (AggregateKind::Endpoint, "resends", Why::NoMeaning),
];

/// Why an attribute is not part of the state of this kind of record; `None` if it is.
pub(super) fn left_out(kind: AggregateKind, attribute: &str) -> Option<Why> {
    let is = |name: &str| name == attribute || (name.ends_with('_') && attribute.starts_with(name));
    let of_all = OF_ALL.iter().find(|(name, _)| is(name)).map(|(_, why)| *why);
    of_all.or_else(|| LEFT_OUT.iter().find(|(of, name, _)| *of == kind && is(name)).map(|(.., why)| *why))
}

/// The kind of record with this key; `None` if it is no record.
pub(super) fn record_kind(key: &Key) -> Option<AggregateKind> {
    match key.kind() {
        ItemKind::Aggregate(kind) => Some(kind),
        _ => None,
    }
}

/// The state of a record's item.
pub(super) fn state_of(item: &Item) -> RecordState {
    let kind = key_of(item).as_ref().and_then(record_kind);
    let is_state = |name: &str| kind.is_none_or(|kind| left_out(kind, name).is_none());
    let attributes = item.iter().filter(|(name, _)| is_state(name));
    RecordState::new(attributes.map(|(name, value)| (name.clone(), encode(value))).collect(), salt_of(item))
}

pub(super) fn salt_of(item: &Item) -> Option<[u8; 16]> {
    item.get(SALT)?.as_b().ok()?.as_ref().try_into().ok()
}

/// The bytes of a value: its type, then its content. Lists and maps have their parts with their lengths.
pub(super) fn encode(value: &AttributeValue) -> Vec<u8> {
    let parts = |tag: u8, parts: &mut dyn Iterator<Item = Vec<u8>>| {
        let mut bytes = vec![tag];
        for part in parts {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    };
    match value {
        AttributeValue::S(text) => [b"S".as_slice(), text.as_bytes()].concat(),
        AttributeValue::N(number) => [b"N".as_slice(), number.as_bytes()].concat(),
        AttributeValue::B(blob) => [b"B".as_slice(), blob.as_ref()].concat(),
        AttributeValue::Bool(value) => vec![b'?', u8::from(*value)],
        AttributeValue::L(items) => parts(b'L', &mut items.iter().map(encode)),
        AttributeValue::M(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let each = |(name, value): (&String, &AttributeValue)| [name.clone().into_bytes(), encode(value)];
            parts(b'M', &mut members.into_iter().flat_map(each))
        }
        // Sets and nulls are not used.
        other => format!("{other:?}").into_bytes(),
    }
}

impl ItemReader<'_> {
    /// The end of a record's chain, and the record's state.
    ///
    /// # Errors
    /// [`CorruptItem`].
    pub fn chain(&self) -> Result<Chain, CorruptItem> {
        let (sequence, hash) = (self.number("event_seq")?, self.hash("event_hash")?);
        // A damaged salt must not be replaced: the digests of the texts depend on it.
        if self.get(SALT).is_some() {
            self.bytes::<16>(SALT)?;
        }
        Ok(Chain { sequence, hash, state: state_of(self.item()) })
    }
}

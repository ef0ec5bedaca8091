//! The items of a table, sorted by the records that they belong to.

use std::collections::{BTreeMap, BTreeSet};

use super::super::access_key::read_access_key;
use super::super::endpoint::read_endpoint;
use super::super::event::read_event;
use super::super::grant::read_grant;
use super::super::invitation::read_invitation;
use super::super::item::{CorruptItem, Item, ItemReader, SCHEMA, key_of, text_of};
use super::super::keys::{self, ItemKind, Key};
use super::super::partner::read_partner;
use super::super::relationship::read_relationship;
use super::super::subscription::read_subscription;
use super::super::tenant::read_tenant;
use super::event_items::check_attributes;
use super::report::{Fault, Problem};
use domain::{AggregateKind, Event, EventType};

#[derive(Debug, Default)]
pub(super) struct Found {
    /// By the partition of their events.
    pub(super) records: BTreeMap<String, Record>,
    /// The items that list an owner's endpoints, by partition.
    pub(super) endpoint_lists: BTreeMap<String, Item>,
    /// Records that have an item of a newer version.
    pub(super) unread: BTreeSet<String>,
    /// Customers and partners whose relationship can't be computed, because an item of theirs is unread.
    pub(super) unread_pairs: BTreeSet<(String, String)>,
    pub(super) messages: usize,
    pub(super) others: Vec<String>,
    pub(super) faults: Vec<Fault>,
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) kind: AggregateKind,
    pub(super) item: Option<Item>,
    /// With their stored hashes.
    pub(super) events: Vec<(Event, [u8; 32])>,
}

impl Record {
    /// The events, from the first to the last.
    pub(super) fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter().map(|(event, _)| event)
    }
}

impl Found {
    pub(super) fn take(&mut self, item: &Item) {
        let Some(key) = key_of(item) else { return };
        match key.kind() {
            ItemKind::Event => self.take_event(&key, item),
            ItemKind::Aggregate(kind) => self.take_record(kind, &key, item),
            ItemKind::Delivery => self.messages += 1,
            ItemKind::Other if key.is_endpoint_list() && !is_newer(item) => {
                self.endpoint_lists.insert(key.pk, item.clone());
            }
            ItemKind::Other if key.is_poison() => self.messages += 1,
            // Sessions have no events, and live for minutes.
            ItemKind::Other if key.is_session() => {}
            ItemKind::Other => self.others.push(format!("{} / {}", key.pk, key.sk)),
        }
    }

    /// The records that can be checked, by the partition of their events.
    pub(super) fn checked(&self) -> impl Iterator<Item = (&String, &Record)> {
        self.records.iter().filter(|(partition, _)| !self.unread.contains(*partition))
    }

    pub(super) fn checked_of(&self, kind: AggregateKind) -> impl Iterator<Item = (&String, &Record)> {
        self.checked().filter(move |(_, record)| record.kind == kind)
    }

    /// The record of this kind and id.
    pub(super) fn record(&self, kind: AggregateKind, id: &str) -> Option<&Record> {
        self.records.get(&partition_of(kind, id))
    }

    fn take_event(&mut self, key: &Key, item: &Item) {
        let Some(kind) = key.kind_of_events() else {
            return self.others.push(format!("{} / {}", key.pk, key.sk));
        };
        let is_known = text_of(item, "event_type").is_none_or(|name| EventType::parse(name).is_some());
        if is_newer(item) || !is_known {
            return self.leave(kind, &key.pk, item);
        }
        match read_event(item).and_then(|event| Ok((event, ItemReader::new(item)?.hash("event_hash")?))) {
            Ok(event) => {
                if let Err(fault) = check_attributes(key, item, &event) {
                    self.corrupt(&key.pk, fault);
                }
                self.entry(kind, &key.pk).events.push(event);
            }
            Err(fault) => {
                self.entry(kind, &key.pk);
                self.corrupt(&key.pk, fault);
            }
        }
    }

    fn take_record(&mut self, kind: AggregateKind, key: &Key, item: &Item) {
        let Some(partition) = key.events() else {
            return self.others.push(format!("{} / {}", key.pk, key.sk));
        };
        if is_newer(item) {
            return self.leave(kind, &partition, item);
        }
        if let Err(fault) = read(kind, item) {
            self.corrupt(&partition, fault);
        }
        let record = self.entry(kind, &partition);
        if record.item.replace(item.clone()).is_some() {
            self.faults.push(Fault::new(&partition, Problem::Twice));
        }
    }

    fn entry(&mut self, kind: AggregateKind, partition: &str) -> &mut Record {
        let new = || Record { kind, item: None, events: Vec::new() };
        self.records.entry(partition.to_owned()).or_insert_with(new)
    }

    fn corrupt(&mut self, partition: &str, fault: CorruptItem) {
        self.faults.push(Fault::new(partition, Problem::Corrupt(fault)));
    }

    /// Leaves a record unchecked, and the relationship that depends on it.
    fn leave(&mut self, kind: AggregateKind, partition: &str, item: &Item) {
        self.entry(kind, partition);
        self.unread.insert(partition.to_owned());
        // If the newer item does not have these attributes, no relationship is checked.
        let view = |name: &str| text_of(item, name).unwrap_or_default().to_owned();
        if matches!(kind, AggregateKind::Invitation | AggregateKind::Relationship | AggregateKind::Grant) {
            self.unread_pairs.insert((view(keys::GSI2_PK), view(keys::GSI1_PK)));
        }
    }
}

/// The partition of the events of a record.
pub(super) fn partition_of(kind: AggregateKind, id: &str) -> String {
    keys::event(kind, id, 1).pk
}

/// Whether a newer version of this code wrote the item.
fn is_newer(item: &Item) -> bool {
    let version = item.get("v").and_then(|value| value.as_n().ok()?.parse::<u64>().ok());
    version.is_some_and(|version| version > SCHEMA)
}

fn read(kind: AggregateKind, item: &Item) -> Result<(), CorruptItem> {
    ItemReader::new(item)?.chain()?;
    match kind {
        AggregateKind::Invitation => read_invitation(item).map(drop),
        AggregateKind::Relationship => read_relationship(item).map(drop),
        AggregateKind::Grant => read_grant(item).map(drop),
        AggregateKind::Subscription => read_subscription(item).map(drop),
        AggregateKind::Tenant => read_tenant(item).map(drop),
        AggregateKind::Partner => read_partner(item).map(drop),
        AggregateKind::Key => read_access_key(item).map(drop),
        AggregateKind::Endpoint => read_endpoint(item).map(drop),
    }
}

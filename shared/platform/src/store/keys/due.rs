//! Marks in the index of due work ([`GSI3`](super::GSI3)). A mark is a partition, one of a few shards, and the time when
//! the work is due.

use super::key::Key;
use super::shard::{shard, shard_of};
use domain::Timestamp;

/// The prefix of the partitions of the outbox.
pub const OUTBOX: &str = "OUTBOX#";
/// The prefix of the partitions of unfinished deliveries. The table's stream ignores these marks.
const LATER: &str = "LATER#";
const DUE: &str = "DUE#";

/// A mark: partition and entry in the index of due work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub partition: String,
    pub entry: String,
}

impl Mark {
    fn new(partition: String, at: Timestamp) -> Self {
        Self { partition, entry: at.sortable() }
    }

    /// An invitation or grant with this id has work that is due at this time.
    pub fn due(id: &str, at: Timestamp) -> Self {
        Self::new(due_shard(shard_of("due", &[id.as_bytes()])), at)
    }

    /// The item has waited to be published since this time.
    pub fn outbox(item: &Key, since: Timestamp) -> Self {
        Self::new(outbox_shard(key_shard("outbox", item)), since)
    }

    /// The delivery needs a ticket at this time.
    pub fn later(item: &Key, at: Timestamp) -> Self {
        Self::new(later_shard(key_shard("later", item)), at)
    }

    pub fn is_outbox(&self) -> bool {
        self.partition.starts_with(OUTBOX)
    }

    pub fn is_later(&self) -> bool {
        self.partition.starts_with(LATER)
    }
}

fn key_shard(label: &str, key: &Key) -> u8 {
    shard_of(label, &[key.pk.as_bytes(), key.sk.as_bytes()])
}

pub fn due_shard(number: u8) -> String {
    shard(DUE, number)
}

pub fn outbox_shard(number: u8) -> String {
    shard(OUTBOX, number)
}

pub fn later_shard(number: u8) -> String {
    shard(LATER, number)
}

//! Shards. A partition of the table or of an index takes about 1 000 write units a second, so no partition may take the writes
//! of the whole system. So what every command writes to is split into [`SHARDS`] partitions.

use domain::digest;

/// The number of partitions of each list of the operator and of each kind of due work.
///
/// An event costs a partition family at most three write units of 1 KB: an event is put into the operator's list and rewritten
/// there when its mark is removed; a mark is put and removed; a delivery is put, claimed and finished. So 32 shards take
/// 32 × 1 000 / 3 > 10 000 events a second. `tests/store/shards.rs` counts the units in the keys that are really written.
/// A page of the operator's lists and a sweep cost one query per shard.
pub const SHARDS: u8 = 32;

/// The shard of what these parts identify. `label` names the family, so that families are spread independently.
pub(super) fn shard_of(label: &str, parts: &[&[u8]]) -> u8 {
    digest(label, parts)[0] % SHARDS
}

/// The partition of a shard of a family, which is a prefix.
pub(super) fn shard(family: &str, number: u8) -> String {
    format!("{family}{number}")
}

/// The number of the shard with this partition.
pub fn parse_shard(family: &str, partition: &str) -> Option<u8> {
    parse_shard_number(partition.strip_prefix(family)?)
}

/// A shard's number in decimal digits, without a sign or leading zeros.
pub fn parse_shard_number(digits: &str) -> Option<u8> {
    digits.parse().ok().filter(|number: &u8| *number < SHARDS && number.to_string() == digits)
}

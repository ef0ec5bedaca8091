//! The chain of a record's events.

use super::super::item::ItemReader;
use super::found::Record;
use super::report::{Head, Problem};
use domain::verify_chain;

/// Verifies the chain of a record.
pub(super) fn check(record: &Record) -> Result<Head, Problem> {
    let item = record.item.as_ref().ok_or(Problem::Deleted)?;
    let head = ItemReader::new(item).and_then(|reader| reader.chain()).map_err(Problem::Corrupt)?;
    verify_chain(&record.events, &head)?;
    Ok(Head { sequence: head.sequence, hashes: record.events.iter().map(|(_, hash)| *hash).collect() })
}

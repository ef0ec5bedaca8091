//! The attributes of events that their hash does not cover.

use super::super::event::event_item;
use super::super::item::{CorruptItem, Item, ItemReader, mark_of};
use super::super::keys::{self, Key, Mark};
use domain::Event;

/// The attributes by which an event is found are not part of its hash. They must be those that follow from the event.
pub(super) fn check_attributes(key: &Key, item: &Item, (event, hash): &(Event, [u8; 32])) -> Result<(), CorruptItem> {
    let (written, reader) = (event_item(event, hash).build(), ItemReader::new(item)?);
    if let Some((name, _)) = written.iter().find(|(name, value)| item.get(*name) != Some(value)) {
        return Err(reader.corrupt(name, "was changed"));
    }
    let marked = |name: &str| name == keys::GSI3_PK || name == keys::GSI3_SK;
    if let Some(name) = item.keys().find(|name| !written.contains_key(*name) && !marked(name)) {
        return Err(reader.corrupt(name, "is not known"));
    }
    let is_marked = item.keys().any(|name| marked(name));
    if is_marked && mark_of(item) != Some(Mark::outbox(key, event.occurred_at)) {
        return Err(reader.corrupt(keys::GSI3_PK, "was changed"));
    }
    Ok(())
}

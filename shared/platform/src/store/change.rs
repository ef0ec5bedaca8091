//! Registering one item, and changing it only if it has not changed since it was read.

use super::error::StoreError;
use super::item::{CorruptItem, Item, bytes};
use super::keys::{self, Key};
use super::op_context::OpContext;
use super::record::Recorded;
use super::table::Store;
use domain::{Chain, Event};

/// The result of registering something.
#[derive(Clone, Debug, PartialEq)]
pub enum Registered<T> {
    New,
    /// The registered thing, as it is now.
    AlreadyExists(T),
}

impl Store {
    /// Puts a new item and its first event.
    pub(super) async fn register<T>(
        &self,
        op: OpContext,
        key: &Key,
        item: Item,
        event: &Event,
        read: impl Fn(&Item) -> Result<T, CorruptItem>,
    ) -> Result<Registered<T>, StoreError> {
        let Recorded { record, event, .. } = self.begin(event, item)?;
        let outcome = self.transact(op, &[record, event]).await?;
        match outcome.conflicting(key) {
            _ if outcome.is_committed() => Ok(Registered::New),
            Some(existing) => Ok(Registered::AlreadyExists(read(existing)?)),
            None => Err(StoreError::Contention),
        }
    }

    /// Whether an event was written, although the response to its transaction was lost. `chain` is the record's chain with it.
    pub(super) async fn was_written(&self, op: OpContext, event: &Event, chain: &Chain) -> Result<bool, StoreError> {
        let key = keys::event(event.event_type.aggregate(), &event.aggregate_id, chain.sequence);
        let item = self.get(op, &key).await?;
        Ok(item.is_some_and(|item| item.get("event_hash") == Some(&bytes(&chain.hash))))
    }

    /// Changes one item, with its event. Returns `false` if the item has changed since it was read.
    pub(super) async fn change(&self, op: OpContext, key: &Key, recorded: &Recorded) -> Result<bool, StoreError> {
        let outcome = self.transact(op, &[recorded.record.clone(), recorded.event.clone()]).await?;
        Ok(outcome.is_committed() || outcome.conflicting(key).is_some_and(|item| recorded.is_end_of(item)))
    }
}

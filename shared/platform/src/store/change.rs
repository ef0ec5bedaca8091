//! Registering one item, and changing it only if it has not changed since it was read.

use super::chain::NextEvent;
use super::error::StoreError;
use super::item::{CorruptItem, Item};
use super::keys::Key;
use super::op_context::OpContext;
use super::table::Store;
use super::write::Write;

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
        next: &NextEvent<'_>,
        read: impl Fn(&Item) -> Result<T, CorruptItem>,
    ) -> Result<Registered<T>, StoreError> {
        let outcome = self.transact(op, &[Write::create(item), next.put()]).await?;
        match outcome.conflicting(key) {
            _ if outcome.is_committed() => Ok(Registered::New),
            Some(existing) => Ok(Registered::AlreadyExists(read(existing)?)),
            None => Err(StoreError::Contention),
        }
    }

    /// Changes one item, with its event. `write` is built by [`Write::change`]. Returns `false` if the item has changed.
    pub(super) async fn change(
        &self,
        op: OpContext,
        key: &Key,
        write: Write,
        next: &NextEvent<'_>,
    ) -> Result<bool, StoreError> {
        let outcome = self.transact(op, &[write, next.put()]).await?;
        Ok(outcome.is_committed() || outcome.conflicting(key).is_some_and(|item| next.is_end_of(item)))
    }
}

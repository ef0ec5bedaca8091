//! What single items have in common: registered once, and changed only as they were read, each time with their event.

use super::item::{CorruptItem, Item, bytes, number};
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError, event};
use domain::{Chain, Event};

/// What became of something that should be registered once.
#[derive(Clone, Debug, PartialEq)]
pub enum Registered<T> {
    /// It is new.
    New,
    /// It was there before, as it is now.
    Before(T),
}

impl Store {
    /// Puts a new item and its event.
    pub(super) async fn register<T>(
        &self,
        attempt: OpContext,
        item: Item,
        event: &Event,
        chain: &Chain,
        read: impl Fn(&Item) -> Result<T, CorruptItem>,
    ) -> Result<Registered<T>, StoreError> {
        let writes = [((), Write::create(item)), ((), event::write(event, chain))];
        match self.transact(attempt, &writes).await? {
            Outcome::Committed => Ok(Registered::New),
            Outcome::Refused(refused) => match refused.first().and_then(|refusal| refusal.item.as_ref()) {
                Some(before) if refused[0].position == 0 => Ok(Registered::Before(read(before)?)),
                _ => Err(StoreError::Contention),
            },
        }
    }

    /// One guarded update and its event: the guard is that the aggregate's chain stands where it was read.
    pub(super) async fn change(
        &self,
        attempt: OpContext,
        write: Write,
        before: &Chain,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let chain = event.chain_after(&before.hash);
        let write = write
            .value(":before", number(before.sequence))
            .value(":sequence", number(chain.sequence))
            .value(":hash", bytes(&chain.hash));
        let writes = [((), write), ((), event::write(event, &chain))];
        Ok(match self.transact(attempt, &writes).await? {
            Outcome::Committed => true,
            // An earlier attempt of this very change, whose answer was lost, may be what stands in the way.
            Outcome::Refused(refused) => refused.iter().any(|refusal| {
                refusal.position == 0
                    && refusal.item.as_ref().is_some_and(|item| item.get("event_hash") == Some(&bytes(&chain.hash)))
            }),
        })
    }
}

/// The guard of [`Store::change`].
pub(super) const UNCHANGED: &str = "event_seq = :before";

/// The update expression of [`Store::change`].
pub(super) fn set(assignments: &str) -> String {
    format!("SET {assignments}, event_seq = :sequence, event_hash = :hash")
}

//! An aggregate's next event. It is written in the transaction of the change it describes, and the aggregate's item moves on
//! to it.

use super::event::event_item;
use super::item::{Item, bytes, number};
use super::keys::{self, Key, Mark};
use super::write::Write;
use domain::{Chain, Event};

/// The next event of an aggregate, and the chain that ends with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NextEvent<'a> {
    event: &'a Event,
    before: Chain,
    pub(super) chain: Chain,
}

impl<'a> NextEvent<'a> {
    /// The first event of a new aggregate.
    pub(super) fn first(event: &'a Event) -> Self {
        Self::after(&Chain::default(), event)
    }

    pub(super) fn after(before: &Chain, event: &'a Event) -> Self {
        Self { event, before: *before, chain: event.chain_after(&before.hash) }
    }

    /// The write of the event, marked as waiting to be published.
    pub(super) fn put(&self) -> Write {
        let key = keys::event(self.event.event_type.aggregate(), &self.event.aggregate_id, self.event.sequence);
        let mark = Mark::outbox(&key, self.event.occurred_at);
        Write::create(event_item(self.event, &self.chain).mark(mark).build())
    }

    /// Whether an aggregate's item already ends with this event. Then an earlier try, whose response was lost, wrote it.
    pub(super) fn is_end_of(&self, item: &Item) -> bool {
        item.get("event_hash") == Some(&bytes(&self.chain.hash))
    }
}

impl Write {
    /// Moves an aggregate's item on to its next event.
    pub(super) fn advance(self, next: &NextEvent<'_>) -> Self {
        self.set("event_seq = :sequence, event_hash = :hash")
            .value(":sequence", number(next.chain.sequence))
            .value(":hash", bytes(&next.chain.hash))
    }

    /// An update that moves an aggregate on to its next event, unless it has had another one since it was read.
    pub(super) fn change(key: Key, next: &NextEvent<'_>) -> Self {
        Self::update(key, "event_seq = :before").value(":before", number(next.before.sequence)).advance(next)
    }
}

//! The outbox: marked items wait to be published. The mark is a sparse entry in the index of due work, so a waiting item is
//! found even if the table's stream does not report it. An unfinished delivery has another mark, which the stream ignores: the
//! time when it needs a ticket ([`Delivery::sweep_at`]).

use super::delivery::read_delivery;
use super::error::StoreError;
use super::event::read_event;
use super::item::{CorruptItem, Item, ItemBuilder, key_of, mark_of, ttl};
use super::keys::{self, ItemKind, Key, Mark};
use super::op_context::OpContext;
use super::query::PageQuery;
use super::table::Store;
use super::write::Write;
use domain::{Delivery, Event, Timestamp};

/// A shard of the waiting items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Items to be published, marked with the time since when they wait.
    Outbox(u8),
    /// Deliveries, marked with the time when they need a ticket.
    Later(u8),
}

impl Waiting {
    pub fn outbox() -> impl Iterator<Item = Self> {
        (0..keys::SHARDS).map(Self::Outbox)
    }

    pub fn later() -> impl Iterator<Item = Self> {
        (0..keys::SHARDS).map(Self::Later)
    }

    pub fn all() -> impl Iterator<Item = Self> {
        Self::outbox().chain(Self::later())
    }

    fn partition(self) -> String {
        match self {
            Self::Outbox(shard) => keys::outbox_shard(shard),
            Self::Later(shard) => keys::later_shard(shard),
        }
    }
}

/// A marked item.
#[derive(Clone, Debug)]
pub struct Marked {
    key: Key,
    mark: Mark,
    pub what: Outgoing,
}

/// What a marked item is.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// An event, to be sent to the endpoints of the partner and customer in its subject.
    Event(Box<Event>),
    /// A message to one endpoint, to be put into the queue.
    Delivery(Box<Delivery>),
    /// An item that this code cannot read.
    Unreadable(CorruptItem),
}

/// A page of waiting items.
#[derive(Clone, Debug)]
pub struct OutboxPage {
    /// Longest waiting first.
    pub items: Vec<Marked>,
    /// The start of the next page of this shard; `None` at the end.
    pub next: Option<Item>,
}

impl Store {
    /// A page of the items in a shard that are marked with `until` or an earlier time.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn waiting(
        &self,
        op: OpContext,
        shard: Waiting,
        until: Timestamp,
        limit: usize,
        start: Option<Item>,
    ) -> Result<OutboxPage, StoreError> {
        let page = self.query(op, &PageQuery::due(shard.partition(), until, limit, start)).await?;
        Ok(OutboxPage { items: page.items.iter().filter_map(read_marked).collect(), next: page.next })
    }

    /// The items with these keys (partition and sort key), read now, if they are in the outbox. At most 100.
    pub async fn marked(&self, op: OpContext, keys: &[(String, String)]) -> Result<Vec<Option<Marked>>, StoreError> {
        let keys: Vec<Key> = keys.iter().map(|(pk, sk)| Key { pk: pk.clone(), sk: sk.clone() }).collect();
        let items = self.get_many(op, &keys, true).await?;
        let read = |item: &Option<Item>| read_marked(item.as_ref()?).filter(|marked| marked.mark.is_outbox());
        Ok(items.iter().map(read).collect())
    }

    /// Removes the mark, unless there is a newer one. A delivery now has a ticket, so it gets the mark by which a lost ticket
    /// is noticed.
    pub async fn unmark(&self, op: OpContext, marked: &Marked) -> Result<(), StoreError> {
        let write = Write::update(marked.key.clone(), "gsi3pk = :partition AND gsi3sk = :since")
            .text(":partition", &marked.mark.partition)
            .text(":since", &marked.mark.entry);
        let write = match marked.delivery() {
            Some(delivery) => {
                let later = Mark::later(&marked.key, delivery.sweep_again_at(op.occurred_at));
                let write = write.set("gsi3pk = :later, gsi3sk = :at");
                write.text(":later", later.partition).text(":at", later.entry)
            }
            None => write.remove("gsi3pk, gsi3sk"),
        };
        self.transact(op, &[write]).await.map(drop)
    }

    /// Stores a note, for an operator, about something that can never be published.
    pub async fn note_poison(&self, op: OpContext, named: &str, reason: &str) -> Result<(), StoreError> {
        let id = domain::digest("poison", &[named.as_bytes()]);
        let item = ItemBuilder::new(keys::poison(&id))
            .text("named", named)
            .text("reason", reason)
            .time("noted", op.occurred_at)
            .number("ttl", ttl(op.occurred_at))
            .build();
        // If there is a note already, it stays.
        self.transact(op, &[Write::create(item)]).await.map(drop)
    }
}

/// `None` if the item has no mark.
fn read_marked(item: &Item) -> Option<Marked> {
    let mark = mark_of(item).filter(|mark| mark.is_outbox() || mark.is_later())?;
    let key = key_of(item)?;
    let what = if key.kind() == ItemKind::Delivery {
        read_delivery(item).map(|delivery| Outgoing::Delivery(Box::new(delivery)))
    } else {
        read_event(item).map(|event| Outgoing::Event(Box::new(event)))
    };
    Some(Marked { key, mark, what: what.unwrap_or_else(Outgoing::Unreadable) })
}

impl Marked {
    /// A delivery that was just marked.
    pub(super) fn delivery_of(key: Key, mark: Mark, delivery: Delivery) -> Self {
        Self { key, mark, what: Outgoing::Delivery(Box::new(delivery)) }
    }

    /// Partition key and sort key.
    pub fn key(&self) -> (&str, &str) {
        (&self.key.pk, &self.key.sk)
    }

    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.what {
            Outgoing::Delivery(delivery) => Some(delivery),
            _ => None,
        }
    }

    /// Why only newer code can publish it. Its mark must stay.
    pub fn newer(&self) -> Option<&CorruptItem> {
        match &self.what {
            Outgoing::Unreadable(item) if item.is_newer => Some(item),
            _ => None,
        }
    }

    /// The time of the mark, in a form that sorts by time.
    pub fn since(&self) -> &str {
        &self.mark.entry
    }

    /// The item's name in logs.
    pub fn name(&self) -> String {
        format!("{} / {}", self.key.pk, self.key.sk)
    }
}

//! The outbox: items that carry a mark wait to be published. The mark is a sparse entry of the index of due work, so what
//! waits is found whether or not the table's stream told of it. A delivery that is not finished carries another mark, of which
//! the stream doesn't tell: when to see to it that there is a ticket for it ([`Delivery::sweep_at`]).

use super::delivery::read_delivery;
use super::event::read_event;
use super::item::{CorruptItem, Item, ItemBuilder, text};
use super::keys::{self, Key};
use super::read::PageQuery;
use super::write::{Write, key_of};
use super::{OpContext, Store, StoreError};
use domain::{Delivery, Event, Timestamp};

/// Marks an item: an entry of [`keys::outbox`] or [`keys::later`].
pub(super) fn mark(item: &mut Item, (partition, entry): (String, String)) {
    item.insert(keys::GSI3_PK.to_owned(), text(partition));
    item.insert(keys::GSI3_SK.to_owned(), text(entry));
}

/// A part of what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A shard of the outbox: since some time, to be published.
    Outbox(u8),
    /// A shard of the deliveries that need a ticket at some time.
    Later(u8),
}

impl Waiting {
    /// The outbox.
    pub fn outbox() -> impl Iterator<Item = Self> {
        (0..keys::OUTBOX_SHARDS).map(Self::Outbox)
    }

    /// The deliveries that are not finished.
    pub fn later() -> impl Iterator<Item = Self> {
        (0..keys::LATER_SHARDS).map(Self::Later)
    }

    /// Every part.
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

/// Something that waits.
#[derive(Clone, Debug)]
pub struct Marked {
    key: Key,
    partition: String,
    since: String,
    /// What it is.
    pub what: Outgoing,
}

/// What can wait.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// An event, to be told to whom it concerns.
    Event(Box<Event>),
    /// A message to one endpoint, to be put into the queue.
    Delivery(Box<Delivery>),
    /// Something that this code can't read.
    Unreadable(CorruptItem),
}

/// A page of what waits.
#[derive(Clone, Debug)]
pub struct OutboxPage {
    /// What waits, longest first.
    pub items: Vec<Marked>,
    /// Where to go on in this part; `None` at the end.
    pub next: Option<Item>,
}

impl Store {
    /// A page of what waits in a part, marked with `until` or a time before.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn waiting(
        &self,
        attempt: OpContext,
        part: Waiting,
        until: Timestamp,
        limit: usize,
        start: Option<Item>,
    ) -> Result<OutboxPage, StoreError> {
        let query = PageQuery::due(part.partition(), until, limit, start);
        let page = self.query(attempt, &query).await?;
        Ok(OutboxPage { items: page.items.iter().filter_map(read_marked).collect(), next: page.next })
    }

    /// What waits in the outbox at these keys (partition and sort key), as it is now; `None` where nothing does. At most 100.
    pub async fn marked(
        &self,
        attempt: OpContext,
        keys: &[(String, String)],
    ) -> Result<Vec<Option<Marked>>, StoreError> {
        let keys: Vec<Key> = keys.iter().map(|(pk, sk)| Key { pk: pk.clone(), sk: sk.clone() }).collect();
        let items = self.get_many(attempt, &keys, true).await?;
        let read = |item: &Option<Item>| {
            read_marked(item.as_ref()?).filter(|marked| marked.partition.starts_with(keys::OUTBOX))
        };
        Ok(items.iter().map(read).collect())
    }

    /// Takes the mark off, unless there is a newer one. A delivery, for which there is a ticket now, gets the mark by which
    /// that is missed if it is lost.
    pub async fn unmark(&self, attempt: OpContext, marked: &Marked) -> Result<(), StoreError> {
        let guard = "gsi3pk = :partition AND gsi3sk = :since";
        let write = match marked.delivery() {
            Some(delivery) => {
                let (partition, entry) = keys::later(&marked.key, delivery.sweep_again_at(attempt.occurred_at));
                Write::update(marked.key.clone(), "SET gsi3pk = :later, gsi3sk = :at", guard)
                    .text(":later", partition)
                    .text(":at", entry)
            }
            None => Write::update(marked.key.clone(), "REMOVE gsi3pk, gsi3sk", guard),
        };
        let write = write.text(":partition", &marked.partition).text(":since", &marked.since);
        self.transact(attempt, &[((), write)]).await.map(drop)
    }

    /// Keeps a note of something that nobody can publish, for an operator to look at.
    pub async fn note_poison(&self, attempt: OpContext, named: &str, reason: &str) -> Result<(), StoreError> {
        let id = domain::digest("poison", &[named.as_bytes()]);
        let item = ItemBuilder::new(keys::poison(&id))
            .text("named", named)
            .text("reason", reason)
            .time("noted", attempt.occurred_at)
            .number("ttl", ttl(attempt.occurred_at))
            .build();
        // Whatever is noted already is noted.
        self.transact(attempt, &[((), Write::create(item))]).await.map(drop)
    }
}

/// When the table may forget something of today, in Unix seconds.
pub(super) fn ttl(now: Timestamp) -> i64 {
    (now + Delivery::RETENTION).seconds()
}

/// Reads an item with a mark; `None` when it has none.
fn read_marked(item: &Item) -> Option<Marked> {
    let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let partition = part(keys::GSI3_PK)?.clone();
    let is_ours = [keys::OUTBOX, keys::LATER].iter().any(|ours| partition.starts_with(ours));
    let key = key_of(item).filter(|_| is_ours)?;
    let what = if key.pk.starts_with(keys::DELIVERY) {
        read_delivery(item).map(|delivery| Outgoing::Delivery(Box::new(delivery)))
    } else {
        read_event(item).map(|event| Outgoing::Event(Box::new(event)))
    };
    Some(Marked {
        key,
        partition,
        since: part(keys::GSI3_SK)?.clone(),
        what: what.unwrap_or_else(Outgoing::Unreadable),
    })
}

impl Marked {
    /// Its partition and sort key.
    pub fn key(&self) -> (&str, &str) {
        (&self.key.pk, &self.key.sk)
    }

    /// The delivery, if it is one.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.what {
            Outgoing::Delivery(delivery) => Some(delivery),
            _ => None,
        }
    }

    /// Since or until when it waits, in a form that sorts by time.
    pub fn since(&self) -> &str {
        &self.since
    }

    /// What names it in a log: its key.
    pub fn name(&self) -> String {
        format!("{} / {}", self.key.pk, self.key.sk)
    }
}

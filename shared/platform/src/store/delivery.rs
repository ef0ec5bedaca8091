//! Deliveries: a message's bytes, kept once, and an item for each endpoint on how far it got.

use std::collections::HashMap;

use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, bytes, number, text};
use super::keys::{self, Listed};
use super::outbox::{mark, ttl};
use super::read::{Index, PageQuery, Range};
use super::transact::Outcome;
use super::write::Write;
use super::{OpContext, Store, StoreError};
use domain::{
    Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointId, LastAttempt, Owner, Timestamp, WebhookId,
};

/// How an attempt leaves its delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// How it stands now.
    pub state: DeliveryState,
    /// When to try again, if at all.
    pub next_at: Option<Timestamp>,
    /// How the attempt ended; `None` when there was none.
    pub last: Option<LastAttempt>,
}

/// What an attempt says of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing new.
    Same,
    /// The first of a row of attempts that failed.
    Failing,
    /// It took a message after a row of failures.
    Well,
}

impl Store {
    /// Keeps a message and begins its deliveries. What was begun before stays as it is.
    ///
    /// # Errors
    /// [`StoreError`], here and below.
    pub async fn begin_deliveries(
        &self,
        attempt: OpContext,
        message: &[u8],
        deliveries: &[Delivery],
    ) -> Result<(), StoreError> {
        let Some(first) = deliveries.first() else { return Ok(()) };
        let writes = std::iter::once(message_item(message, first))
            .chain(deliveries.iter().map(|delivery| delivery_item(delivery, false)));
        let writes: Vec<_> = writes.map(|item| ((), Write::create(item))).collect();
        if let Outcome::Refused(_) = self.transact(attempt, &writes).await? {
            for write in writes {
                self.transact(attempt, &[write]).await?;
            }
        }
        Ok(())
    }

    /// Keeps a message for one endpoint and marks it as waiting to be published. `false` when there is one already.
    pub async fn post_message(
        &self,
        attempt: OpContext,
        message: &[u8],
        delivery: &Delivery,
    ) -> Result<bool, StoreError> {
        let kept = Write::create(message_item(message, delivery));
        let writes = [((), kept), ((), Write::create(delivery_item(delivery, true)))];
        Ok(matches!(self.transact(attempt, &writes).await?, Outcome::Committed))
    }

    /// A delivery, as it is now.
    pub async fn delivery(
        &self,
        attempt: OpContext,
        id: &WebhookId,
        endpoint: &EndpointId,
    ) -> Result<Option<Delivery>, StoreError> {
        let item = self.get(attempt, &keys::delivery(id, endpoint)).await?;
        Ok(item.as_ref().map(read_delivery).transpose()?)
    }

    /// A delivery, the bytes of its message and its endpoint, as they are now.
    pub async fn delivery_with_endpoint(
        &self,
        attempt: OpContext,
        id: &WebhookId,
        owner: &Owner,
        endpoint: &EndpointId,
    ) -> Result<(Option<Delivery>, Option<Vec<u8>>, Option<Endpoint>), StoreError> {
        let keys = [keys::delivery(id, endpoint), keys::message(id), keys::endpoint(owner, endpoint)];
        let found = self.get_many(attempt, &keys, true).await?;
        let [delivery, message, endpoint] = [0, 1, 2].map(|at| found.get(at).and_then(Option::as_ref));
        Ok((
            delivery.map(read_delivery).transpose()?,
            message.map(read_message).transpose()?,
            endpoint.map(super::endpoint::read_endpoint).transpose()?,
        ))
    }

    /// Begins the next attempt; `next_at` is when to try again should nobody say how it ended. `None` when somebody else
    /// began it, or nothing is to be tried any more.
    pub async fn claim(
        &self,
        attempt: OpContext,
        delivery: &Delivery,
        next_at: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let claimed = Delivery { attempt: delivery.attempt + 1, next_at: Some(next_at), ..delivery.clone() };
        let write = Write::update(
            keys::delivery(&delivery.webhook_id, &delivery.endpoint_id),
            "SET attempt = :next, next_at = :at",
            "delivery_state = :pending AND attempt = :before",
        )
        .text(":pending", DeliveryState::Pending.as_str())
        .value(":before", number(delivery.attempt))
        .value(":next", number(claimed.attempt))
        .value(":at", number(next_at.millis()));
        Ok(match self.transact(attempt, &[((), write)]).await? {
            Outcome::Committed => Some(claimed),
            Outcome::Refused(_) => None,
        })
    }

    /// Says how an attempt ended; one that is to be followed by another is found by [`Store::waiting`] when it needs a ticket.
    /// `false` when the delivery has moved on meanwhile.
    pub async fn settle(&self, attempt: OpContext, delivery: &Delivery, settled: &Settled) -> Result<bool, StoreError> {
        let writes = [((), settling(delivery, settled, attempt.occurred_at))];
        Ok(matches!(self.transact(attempt, &writes).await?, Outcome::Committed))
    }

    /// Keeps a delivery, as it is, until then. `false` when it has moved on meanwhile, or is to be published anew.
    pub async fn keep(&self, attempt: OpContext, delivery: &Delivery, until: Timestamp) -> Result<bool, StoreError> {
        let key = keys::delivery(&delivery.webhook_id, &delivery.endpoint_id);
        let (partition, entry) = keys::later(&key, until);
        let guard = "delivery_state = :pending AND attempt = :attempt AND NOT begins_with(gsi3pk, :outbox)";
        let write = Write::update(key, "SET gsi3pk = :partition, gsi3sk = :entry", guard)
            .text(":pending", DeliveryState::Pending.as_str())
            .text(":outbox", keys::OUTBOX)
            .value(":attempt", number(delivery.attempt))
            .text(":partition", partition)
            .text(":entry", entry);
        Ok(matches!(self.transact(attempt, &[((), write)]).await?, Outcome::Committed))
    }

    /// Notes what an attempt says of its endpoint, unless another attempt has noted it. A write of its own: no delivery waits
    /// for the item that all deliveries of an endpoint share.
    pub async fn note_health(&self, attempt: OpContext, delivery: &Delivery, health: Health) -> Result<(), StoreError> {
        let key = keys::endpoint(&delivery.owner, &delivery.endpoint_id);
        let write = match health {
            Health::Same => return Ok(()),
            Health::Failing => {
                let guard = "attribute_exists(pk) AND attribute_not_exists(failing)";
                let now = number(attempt.occurred_at.millis());
                Write::update(key, "SET failing = :now", guard).value(":now", now)
            }
            Health::Well => Write::update(key, "REMOVE failing", "attribute_exists(failing)"),
        };
        self.transact(attempt, &[((), write)]).await.map(drop)
    }

    /// Begins a delivery anew, with all its attempts, and marks it as waiting to be published. `false` when it has moved on
    /// meanwhile.
    pub async fn resend(&self, attempt: OpContext, delivery: &Delivery) -> Result<bool, StoreError> {
        let key = keys::delivery(&delivery.webhook_id, &delivery.endpoint_id);
        let (partition, entry) = keys::outbox(&key, attempt.occurred_at);
        let write = Write::update(
            key,
            "SET delivery_state = :pending, attempt = :zero, next_at = :now, #ttl = :ttl, gsi3pk = :partition, \
             gsi3sk = :entry",
            "delivery_state = :before AND attempt = :attempt",
        )
        .name("#ttl", "ttl")
        .text(":pending", DeliveryState::Pending.as_str())
        .text(":before", delivery.state.as_str())
        .value(":attempt", number(delivery.attempt))
        .value(":zero", number(0))
        .value(":now", number(attempt.occurred_at.millis()))
        .text(":partition", partition)
        .text(":entry", entry);
        let write = write.value(":ttl", number(ttl(attempt.occurred_at)));
        // The message must not be forgotten before its last attempt.
        let kept = Write::update(keys::message(&delivery.webhook_id), "SET #ttl = :ttl", "attribute_exists(pk)");
        let kept = kept.name("#ttl", "ttl").value(":ttl", number(ttl(attempt.occurred_at)));
        Ok(matches!(self.transact(attempt, &[((), write), ((), kept)]).await?, Outcome::Committed))
    }

    /// Deliveries of an endpoint that were begun at `since` or later and are in one of these states, oldest first, as far as
    /// one page goes. One that can't be read stops no other.
    pub async fn deliveries_since(
        &self,
        attempt: OpContext,
        endpoint: &EndpointId,
        since: Timestamp,
        states: &[DeliveryState],
        start: Option<Item>,
    ) -> Result<DeliveryPage, StoreError> {
        let placeholders: Vec<String> = (0..states.len()).map(|at| format!(":state{at}")).collect();
        let values = placeholders.iter().cloned().zip(states.iter().map(|state| text(state.as_str())));
        let query = PageQuery {
            index: Index::PARTNER,
            partition: keys::endpoint_view(endpoint),
            // `~` comes after every digit and letter of a time.
            range: Range::Between(Listed::Delivery.at(since), format!("{}~", Listed::Delivery.prefix())),
            limit: 100,
            start,
            ascending: true,
            consistent: false,
            filter: Some((
                format!("delivery_state IN ({})", placeholders.join(", ")),
                values.collect::<HashMap<_, _>>(),
            )),
        };
        let page = self.query(attempt, &query).await?;
        let read =
            |item| read_delivery(item).inspect_err(|error| tracing::error!(%error, "a delivery was skipped")).ok();
        Ok(DeliveryPage { deliveries: page.items.iter().filter_map(read).collect(), next: page.next })
    }
}

/// A page of deliveries.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    /// Those that were asked for; there may be none, and more on the next page.
    pub deliveries: Vec<Delivery>,
    /// Where to go on; `None` at the end.
    pub next: Option<Item>,
}

impl DeliveryPage {
    /// The time up to which everything has been looked at; `None` at the end.
    pub fn reached(&self) -> Option<Timestamp> {
        let entry = self.next.as_ref()?.get(keys::LISTED)?.as_s().ok()?;
        Timestamp::parse_sortable(entry.strip_prefix(&Listed::Delivery.prefix())?)
    }
}

fn settling(delivery: &Delivery, settled: &Settled, now: Timestamp) -> Write {
    let key = keys::delivery(&delivery.webhook_id, &delivery.endpoint_id);
    let later = settled.next_at.map(|at| keys::later(&key, Delivery::sweep_at(at, now))).unzip();
    let mut set = vec!["delivery_state = :state".to_owned()];
    let mut remove = Vec::new();
    let mut values = vec![
        (":state", text(settled.state.as_str())),
        (":pending", text(DeliveryState::Pending.as_str())),
        (":attempt", number(delivery.attempt)),
    ];
    let mut put = |name: &str, placeholder: &'static str, value: Option<_>| match value {
        Some(value) => {
            set.push(format!("{name} = {placeholder}"));
            values.push((placeholder, value));
        }
        None => remove.push(name.to_owned()),
    };
    put("next_at", ":at", settled.next_at.map(|at| number(at.millis())));
    put(keys::GSI3_PK, ":partition", later.0.map(text));
    put(keys::GSI3_SK, ":entry", later.1.map(text));
    if let Some(last) = &settled.last {
        put("last_status", ":status", last.status.map(number));
        put("failure", ":failure", last.failure.clone().map(text));
        put("latency", ":latency", Some(number(last.latency_ms)));
        put("excerpt", ":excerpt", Some(text(&last.excerpt)));
    }
    let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
    let write = Write::update(
        key,
        &format!("SET {}{remove}", set.join(", ")),
        "delivery_state = :pending AND attempt = :attempt",
    );
    values.into_iter().fold(write, |write, (placeholder, value)| write.value(placeholder, value))
}

/// The message that a delivery is of.
fn message_item(message: &[u8], delivery: &Delivery) -> Item {
    ItemBuilder::new(keys::message(&delivery.webhook_id))
        .with("message", bytes(message))
        .number("ttl", ttl(delivery.created_at))
        .build()
}

fn delivery_item(delivery: &Delivery, in_outbox: bool) -> Item {
    let key = keys::delivery(&delivery.webhook_id, &delivery.endpoint_id);
    let mut item = ItemBuilder::new(key.clone())
        .text("purpose", delivery.purpose.as_str())
        .text("delivery_state", delivery.state.as_str())
        .number("attempt", delivery.attempt)
        .text("owner", delivery.owner.kind().as_str())
        .text("owner_id", delivery.owner.id())
        .time("created", delivery.created_at)
        .number("ttl", ttl(delivery.created_at))
        .text(keys::GSI1_PK, keys::endpoint_view(&delivery.endpoint_id))
        .text(keys::LISTED, Listed::Delivery.at(delivery.created_at))
        .build();
    if let Some(next_at) = delivery.next_at {
        item.insert("next_at".to_owned(), number(next_at.millis()));
    }
    let now = delivery.created_at;
    mark(&mut item, if in_outbox { keys::outbox(&key, now) } else { keys::later(&key, Delivery::sweep_at(now, now)) });
    item
}

/// Reads a delivery's item.
pub(super) fn read_delivery(item: &Item) -> Result<Delivery, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let owner = Owner::parse(reader.text("owner")?, reader.text("owner_id")?);
    let last = match reader.maybe_number("latency")? {
        None => None,
        Some(latency_ms) => Some(LastAttempt {
            status: reader.maybe_number("last_status")?,
            failure: reader.maybe_text("failure")?.map(str::to_owned),
            latency_ms,
            excerpt: reader.maybe_text("excerpt")?.unwrap_or_default().to_owned(),
        }),
    };
    Ok(Delivery {
        webhook_id: reader.parsed(keys::PK, |pk| WebhookId::parse(pk.strip_prefix(keys::DELIVERY)?))?,
        endpoint_id: reader.parsed(keys::SK, EndpointId::parse)?,
        owner: owner.ok_or_else(|| reader.corrupt("owner", "is malformed"))?,
        purpose: reader.parsed("purpose", DeliveryPurpose::parse)?,
        state: reader.parsed("delivery_state", DeliveryState::parse)?,
        attempt: reader.number("attempt")?,
        next_at: reader.maybe_time("next_at")?,
        last,
        created_at: reader.time("created")?,
    })
}

fn read_message(item: &Item) -> Result<Vec<u8>, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let message = reader.get("message").and_then(|value| value.as_b().ok());
    message.map(|blob| blob.as_ref().to_vec()).ok_or_else(|| reader.corrupt("message", "is malformed"))
}

//! Deliveries: the bytes of a message, stored once, and an item for each endpoint that gets it.

use std::collections::HashMap;

use super::endpoint::{read_endpoint, read_owner};
use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, bytes, number, text, text_of, ttl};
use super::keys::{self, Key, Listed, Mark};
use super::op_context::OpContext;
use super::query::{Index, PageQuery, Range};
use super::table::Store;
use super::write::Write;
use domain::{
    Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointId, LastAttempt, Owner, Timestamp, WebhookId,
};

/// The state of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    pub state: DeliveryState,
    /// The time of the next attempt, if there is one.
    pub next_at: Option<Timestamp>,
    /// `None` if there was no attempt.
    pub last: Option<LastAttempt>,
}

/// What an attempt shows about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Same,
    /// The first failure in a row.
    Failing,
    /// The first success after failures.
    Well,
}

impl Store {
    /// Stores a message and its deliveries. Existing ones do not change.
    ///
    /// # Errors
    /// [`StoreError`], in all methods here.
    pub async fn begin_deliveries(
        &self,
        op: OpContext,
        message: &[u8],
        deliveries: &[Delivery],
    ) -> Result<(), StoreError> {
        let Some(first) = deliveries.first() else { return Ok(()) };
        let items = std::iter::once(message_item(message, first)).chain(deliveries.iter().map(|delivery| {
            let next_ticket = Delivery::sweep_at(delivery.created_at, delivery.created_at);
            delivery_item(delivery, Mark::later(&key_of(delivery), next_ticket))
        }));
        let writes: Vec<_> = items.map(Write::create).collect();
        if !self.transact(op, &writes).await?.is_committed() {
            for write in writes {
                self.transact(op, &[write]).await?;
            }
        }
        Ok(())
    }

    /// Stores a message for one endpoint and marks it as waiting to be published. Returns `false` if it exists already.
    pub async fn post_message(&self, op: OpContext, message: &[u8], delivery: &Delivery) -> Result<bool, StoreError> {
        let mark = Mark::outbox(&key_of(delivery), delivery.created_at);
        let writes = [Write::create(message_item(message, delivery)), Write::create(delivery_item(delivery, mark))];
        Ok(self.transact(op, &writes).await?.is_committed())
    }

    /// A delivery, read now.
    pub async fn delivery(
        &self,
        op: OpContext,
        id: &WebhookId,
        endpoint: &EndpointId,
    ) -> Result<Option<Delivery>, StoreError> {
        let item = self.get(op, &keys::delivery(id, endpoint)).await?;
        Ok(item.as_ref().map(read_delivery).transpose()?)
    }

    /// A delivery, the bytes of its message, and its endpoint, read now.
    pub async fn delivery_with_endpoint(
        &self,
        op: OpContext,
        id: &WebhookId,
        owner: &Owner,
        endpoint: &EndpointId,
    ) -> Result<(Option<Delivery>, Option<Vec<u8>>, Option<Endpoint>), StoreError> {
        let keys = [keys::delivery(id, endpoint), keys::message(id), keys::endpoint(owner, endpoint)];
        let found = self.get_many(op, &keys, true).await?;
        let [delivery, message, endpoint] = [0, 1, 2].map(|at| found.get(at).and_then(Option::as_ref));
        Ok((
            delivery.map(read_delivery).transpose()?,
            message.map(read_message).transpose()?,
            endpoint.map(read_endpoint).transpose()?,
        ))
    }

    /// Counts the next attempt before it is made. `next_at` is the time to try again if the result is never written. Returns
    /// `None` if another process began the attempt, or if the delivery is finished.
    pub async fn claim(
        &self,
        op: OpContext,
        delivery: &Delivery,
        next_at: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let claimed = Delivery { attempt: delivery.attempt + 1, next_at: Some(next_at), ..delivery.clone() };
        let write = update_pending(delivery)
            .set("attempt = :next, next_at = :at")
            .value(":next", number(claimed.attempt))
            .value(":at", number(next_at.millis()));
        Ok(self.transact(op, &[write]).await?.is_committed().then_some(claimed))
    }

    /// Writes the result of an attempt. If there is a next attempt, [`Store::waiting`] finds the delivery when it needs a
    /// ticket. Returns `false` if the delivery has changed since it was read.
    pub async fn settle(&self, op: OpContext, delivery: &Delivery, settled: &Settled) -> Result<bool, StoreError> {
        Ok(self.transact(op, &[settle(delivery, settled, op.occurred_at)]).await?.is_committed())
    }

    /// Postpones a delivery without any other change. Returns `false` if it has changed since it was read, or waits to be
    /// published again.
    pub async fn keep(&self, op: OpContext, delivery: &Delivery, until: Timestamp) -> Result<bool, StoreError> {
        let mark = Mark::later(&key_of(delivery), until);
        let write = update_pending(delivery)
            .and("NOT begins_with(gsi3pk, :outbox)")
            .set("gsi3pk = :partition, gsi3sk = :entry")
            .text(":outbox", keys::OUTBOX)
            .text(":partition", mark.partition)
            .text(":entry", mark.entry);
        Ok(self.transact(op, &[write]).await?.is_committed())
    }

    /// Writes what an attempt shows about its endpoint, unless another attempt has written it. This is a separate write, so
    /// that no delivery waits for the item that all deliveries of an endpoint share.
    pub async fn note_health(&self, op: OpContext, delivery: &Delivery, health: Health) -> Result<(), StoreError> {
        let key = keys::endpoint(&delivery.owner, &delivery.endpoint_id);
        let write = match health {
            Health::Same => return Ok(()),
            Health::Failing => Write::update(key, "attribute_exists(pk) AND attribute_not_exists(failing)")
                .set("failing = :now")
                .value(":now", number(op.occurred_at.millis())),
            Health::Well => Write::update(key, "attribute_exists(failing)").remove("failing"),
        };
        self.transact(op, &[write]).await.map(drop)
    }

    /// Restarts a delivery, with all its attempts, and marks it as waiting to be published. Returns `false` if it has changed
    /// since it was read.
    pub async fn resend(&self, op: OpContext, delivery: &Delivery) -> Result<bool, StoreError> {
        let (key, expires) = (key_of(delivery), number(ttl(op.occurred_at)));
        let mark = Mark::outbox(&key, op.occurred_at);
        let restart = Write::update(key, "delivery_state = :before AND attempt = :attempt")
            .set("delivery_state = :pending, attempt = :zero, next_at = :now, #ttl = :ttl")
            .set("gsi3pk = :partition, gsi3sk = :entry")
            .name("#ttl", "ttl")
            .text(":pending", DeliveryState::Pending.as_str())
            .text(":before", delivery.state.as_str())
            .value(":attempt", number(delivery.attempt))
            .value(":zero", number(0))
            .value(":now", number(op.occurred_at.millis()))
            .text(":partition", mark.partition)
            .text(":entry", mark.entry)
            .value(":ttl", expires.clone());
        // The message must not expire before its last attempt.
        let keep = Write::update(keys::message(&delivery.webhook_id), "attribute_exists(pk)")
            .set("#ttl = :ttl")
            .name("#ttl", "ttl")
            .value(":ttl", expires);
        Ok(self.transact(op, &[restart, keep]).await?.is_committed())
    }

    /// One page of the deliveries of an endpoint that began at `since` or later and are in one of these states, oldest first.
    /// Items that cannot be read are skipped.
    pub async fn deliveries_since(
        &self,
        op: OpContext,
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
            range: Range::Between(Listed::Delivery.at(since), Listed::Delivery.end()),
            limit: 100,
            start,
            ascending: true,
            consistent: false,
            filter: Some((
                format!("delivery_state IN ({})", placeholders.join(", ")),
                values.collect::<HashMap<_, _>>(),
            )),
        };
        let page = self.query(op, &query).await?;
        let read =
            |item| read_delivery(item).inspect_err(|error| tracing::error!(%error, "a delivery was skipped")).ok();
        Ok(DeliveryPage { deliveries: page.items.iter().filter_map(read).collect(), next: page.next })
    }
}

/// A page of deliveries.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    /// May be empty although there is a next page.
    pub deliveries: Vec<Delivery>,
    /// The start of the next page; `None` at the end.
    pub next: Option<Item>,
}

impl DeliveryPage {
    /// The time up to which deliveries were read; `None` at the end.
    pub fn reached(&self) -> Option<Timestamp> {
        Listed::Delivery.parse_time(text_of(self.next.as_ref()?, keys::LISTED)?)
    }
}

fn key_of(delivery: &Delivery) -> Key {
    keys::delivery(&delivery.webhook_id, &delivery.endpoint_id)
}

/// An update of a delivery that is pending and has had no other attempt since it was read.
fn update_pending(delivery: &Delivery) -> Write {
    Write::update(key_of(delivery), "delivery_state = :pending AND attempt = :attempt")
        .text(":pending", DeliveryState::Pending.as_str())
        .value(":attempt", number(delivery.attempt))
}

fn settle(delivery: &Delivery, settled: &Settled, now: Timestamp) -> Write {
    let mark = settled.next_at.map(|at| Mark::later(&key_of(delivery), Delivery::sweep_at(at, now)));
    let (partition, entry) = mark.map(|mark| (text(mark.partition), text(mark.entry))).unzip();
    let write = update_pending(delivery)
        .set("delivery_state = :state")
        .text(":state", settled.state.as_str())
        .set_or_remove("next_at", ":at", settled.next_at.map(|at| number(at.millis())))
        .set_or_remove(keys::GSI3_PK, ":partition", partition)
        .set_or_remove(keys::GSI3_SK, ":entry", entry);
    let Some(last) = &settled.last else { return write };
    write
        .set_or_remove("last_status", ":status", last.status.map(number))
        .set_or_remove("failure", ":failure", last.failure.clone().map(text))
        .set("latency = :latency, excerpt = :excerpt")
        .value(":latency", number(last.latency_ms))
        .text(":excerpt", &last.excerpt)
}

fn message_item(message: &[u8], delivery: &Delivery) -> Item {
    ItemBuilder::new(keys::message(&delivery.webhook_id))
        .with("message", bytes(message))
        .number("ttl", ttl(delivery.created_at))
        .build()
}

fn delivery_item(delivery: &Delivery, mark: Mark) -> Item {
    let item = ItemBuilder::new(key_of(delivery))
        .text("purpose", delivery.purpose.as_str())
        .text("delivery_state", delivery.state.as_str())
        .number("attempt", delivery.attempt)
        .text("owner", delivery.owner.kind().as_str())
        .text("owner_id", delivery.owner.id())
        .time("created", delivery.created_at)
        .number("ttl", ttl(delivery.created_at))
        .text(keys::GSI1_PK, keys::endpoint_view(&delivery.endpoint_id))
        .text(keys::LISTED, Listed::Delivery.at(delivery.created_at))
        .mark(mark);
    match delivery.next_at {
        Some(next_at) => item.time("next_at", next_at).build(),
        None => item.build(),
    }
}

pub(super) fn read_delivery(item: &Item) -> Result<Delivery, CorruptItem> {
    let reader = ItemReader::new(item)?;
    let (webhook_id, endpoint_id) = reader.key(keys::parse_delivery)?;
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
        webhook_id,
        endpoint_id,
        owner: read_owner(&reader)?,
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

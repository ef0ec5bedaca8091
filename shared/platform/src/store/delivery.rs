//! Deliveries: the bytes of a message, stored once, and an item for each endpoint that gets it.

use std::collections::HashMap;

use super::endpoint::{read_owner, read_recipient, recipient_keys};
use super::endpoint_list::list_challenge;
use super::error::StoreError;
use super::item::{CorruptItem, Item, ItemBuilder, ItemReader, bytes, number, text, text_of, ttl};
use super::keys::{self, Key, Listed, Mark};
use super::op_context::OpContext;
use super::query::{Index, PageQuery, Range};
use super::table::Store;
use super::write::Write;
use domain::{
    Delivery, DeliveryPurpose, DeliveryState, Endpoint, EndpointId, Failing, LastAttempt, Owner, Period, Recipient,
    Timestamp, Use, WebhookId,
};

/// The state of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    pub state: DeliveryState,
    /// The time of the next attempt, if there is one.
    pub next_at: Option<Timestamp>,
    /// `None` if there was no attempt.
    pub last: Option<LastAttempt>,
    /// The attempt says nothing about the recipient as it is now, so it is not counted.
    pub is_uncounted: bool,
}

/// A delivery with all that an attempt needs. What is absent was deleted.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub delivery: Option<Delivery>,
    pub message: Option<Vec<u8>>,
    pub recipient: Option<Recipient>,
}

/// The result of restarting a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    Done,
    /// The delivery has changed since it was read.
    Changed,
    /// The message was deleted after its retention time.
    MessageGone,
}

/// What an attempt shows about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Same,
    /// It failed.
    Failing(Failing),
    /// The first sign of life after failures.
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

    /// Stores a message for one endpoint, marks it as waiting to be published, and counts it. Returns `false` if another
    /// request was counted meanwhile.
    pub async fn post_message(
        &self,
        op: OpContext,
        message: &[u8],
        delivery: &Delivery,
        counted: &Use,
    ) -> Result<bool, StoreError> {
        let mark = Mark::outbox(&key_of(delivery), delivery.created_at);
        let items = [message_item(message, delivery), delivery_item(delivery, mark)].map(Write::create);
        let [message, delivery_write] = items;
        let writes = [message, delivery_write, list_challenge(&delivery.owner, counted)];
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

    /// A delivery, the bytes of its message, and its recipient, read now.
    pub async fn incoming(
        &self,
        op: OpContext,
        id: &WebhookId,
        owner: &Owner,
        endpoint: &EndpointId,
    ) -> Result<Incoming, StoreError> {
        let mut keys = vec![keys::delivery(id, endpoint), keys::message(id)];
        keys.extend(recipient_keys(owner, endpoint));
        let found = self.get_many(op, &keys, true).await?;
        let [delivery, message] = [0, 1].map(|at| found.get(at).and_then(Option::as_ref));
        Ok(Incoming {
            delivery: delivery.map(read_delivery).transpose()?,
            message: message.map(read_message).transpose()?,
            recipient: read_recipient(found.get(2..).unwrap_or_default())?,
        })
    }

    /// Counts the next attempt before it is made, in this period of the recipient. `next_at` is the time to try again if the
    /// result is never written. Returns `None` if another process began the attempt, or if the delivery is finished.
    pub async fn claim(
        &self,
        op: OpContext,
        delivery: &Delivery,
        period: Period,
        next_at: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let attempt = delivery.attempt + 1;
        let claimed = Delivery { attempt, next_at: Some(next_at), period: Some(period), ..delivery.clone() };
        let write = update_pending(delivery)
            .set("attempt = :next, next_at = :at, period = :period")
            .value(":next", number(claimed.attempt))
            .value(":at", number(next_at.millis()))
            .text(":period", period.to_text());
        Ok(self.transact(op, &[write]).await?.is_committed().then_some(claimed))
    }

    /// Writes the result of an attempt. If there is a next attempt, [`Store::waiting`] finds the delivery when it needs a
    /// ticket. Returns `false` if the delivery has changed since it was read: then the result is void.
    pub async fn settle(&self, op: OpContext, delivery: &Delivery, settled: &Settled) -> Result<bool, StoreError> {
        Ok(self.transact(op, &[settle(delivery, settled, op.occurred_at)]).await?.is_committed())
    }

    /// Makes a delivery wait until [`Store::release`]. Returns `false` if it has changed since it was read, or waits to be
    /// published again.
    pub async fn hold(&self, op: OpContext, delivery: &Delivery) -> Result<bool, StoreError> {
        let mark = Mark::later(&key_of(delivery), delivery.sweep_again_at(op.occurred_at));
        let write = update_pending(delivery)
            .and("NOT begins_with(gsi3pk, :outbox)")
            .remove("next_at")
            .set("gsi3pk = :partition, gsi3sk = :entry")
            .text(":outbox", keys::OUTBOX)
            .text(":partition", mark.partition)
            .text(":entry", mark.entry);
        Ok(self.transact(op, &[write]).await?.is_committed())
    }

    /// Writes what an attempt shows about its endpoint, unless another attempt has written it, or the endpoint became pending
    /// meanwhile. This is a separate write, so that no delivery waits for the item that all deliveries of an endpoint share.
    pub async fn note_health(&self, op: OpContext, endpoint: &Endpoint, health: Health) -> Result<(), StoreError> {
        let key = keys::endpoint(&endpoint.owner, &endpoint.endpoint_id);
        let write = match health {
            Health::Same => return Ok(()),
            Health::Failing(failing) => {
                let write = Write::update(key, "period = :period")
                    .set("failing = :since, failed = :last")
                    .value(":since", number(failing.since.millis()))
                    .value(":last", number(failing.last.millis()));
                match endpoint.failing {
                    None => write.and("attribute_not_exists(failing)"),
                    Some(before) => write.and("failing = :before").value(":before", number(before.since.millis())),
                }
            }
            Health::Well => {
                Write::update(key, "period = :period AND attribute_exists(failing)").remove("failing, failed")
            }
        };
        self.transact(op, &[write.value(":period", number(endpoint.period))]).await.map(drop)
    }

    /// Restarts a delivery, with all its attempts, and marks it as waiting to be published. A result of an earlier attempt is
    /// void.
    pub async fn resend(&self, op: OpContext, delivery: &Delivery) -> Result<Resent, StoreError> {
        let (key, expires) = (key_of(delivery), number(ttl(op.occurred_at)));
        let mark = Mark::outbox(&key, op.occurred_at);
        let restart = Write::update(key, "delivery_state = :before AND attempt = :attempt AND round = :round")
            .set("delivery_state = :pending, attempt = :zero, round = :next, next_at = :now, #ttl = :ttl")
            .set("gsi2pk = :waiting, gsi3pk = :partition, gsi3sk = :entry")
            .name("#ttl", "ttl")
            .text(":pending", DeliveryState::Pending.as_str())
            .text(":before", delivery.state.as_str())
            .value(":attempt", number(delivery.attempt))
            .value(":round", number(delivery.round))
            .value(":next", number(delivery.round + 1))
            .value(":zero", number(0))
            .value(":now", number(op.occurred_at.millis()))
            .text(":waiting", keys::endpoint_waiting(&delivery.endpoint_id))
            .text(":partition", mark.partition)
            .text(":entry", mark.entry)
            .value(":ttl", expires.clone());
        // The message must not expire before its last attempt.
        let keep = Write::update(keys::message(&delivery.webhook_id), "attribute_exists(pk)")
            .set("#ttl = :ttl")
            .name("#ttl", "ttl")
            .value(":ttl", expires);
        let outcome = self.transact(op, &[restart, keep]).await?;
        Ok(if outcome.is_committed() {
            Resent::Done
        } else if outcome.refusal(&keys::message(&delivery.webhook_id)).is_some() {
            Resent::MessageGone
        } else {
            Resent::Changed
        })
    }

    /// One page of the pending deliveries of an endpoint, oldest first. Items that cannot be read are skipped.
    pub async fn waiting_for(
        &self,
        op: OpContext,
        endpoint: &EndpointId,
        start: Option<Item>,
    ) -> Result<DeliveryPage, StoreError> {
        let query = PageQuery {
            index: Index::CUSTOMER,
            partition: keys::endpoint_waiting(endpoint),
            range: Range::Prefix(Listed::Delivery.prefix()),
            limit: 100,
            start,
            ascending: true,
            consistent: false,
            filter: None,
        };
        self.delivery_page(op, &query).await
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
        self.delivery_page(op, &query).await
    }

    async fn delivery_page(&self, op: OpContext, query: &PageQuery) -> Result<DeliveryPage, StoreError> {
        let page = self.query(op, query).await?;
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

pub(super) fn key_of(delivery: &Delivery) -> Key {
    keys::delivery(&delivery.webhook_id, &delivery.endpoint_id)
}

/// An update of a delivery that is pending and has had no other attempt since it was read.
pub(super) fn update_pending(delivery: &Delivery) -> Write {
    Write::update(key_of(delivery), "delivery_state = :pending AND attempt = :attempt AND round = :round")
        .text(":pending", DeliveryState::Pending.as_str())
        .value(":attempt", number(delivery.attempt))
        .value(":round", number(delivery.round))
}

fn settle(delivery: &Delivery, settled: &Settled, now: Timestamp) -> Write {
    let mark = settled.next_at.map(|at| Mark::later(&key_of(delivery), Delivery::sweep_at(at, now)));
    let (partition, entry) = mark.map(|mark| (text(mark.partition), text(mark.entry))).unzip();
    let mut write = update_pending(delivery)
        .set("delivery_state = :state")
        .text(":state", settled.state.as_str())
        .set_or_remove("next_at", ":at", settled.next_at.map(|at| number(at.millis())))
        .set_or_remove(keys::GSI3_PK, ":partition", partition)
        .set_or_remove(keys::GSI3_SK, ":entry", entry);
    if settled.state != DeliveryState::Pending {
        write = write.remove(keys::GSI2_PK);
    }
    if settled.is_uncounted {
        write = write.set("attempt = :counted").value(":counted", number(delivery.attempt.saturating_sub(1)));
    }
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
        .number("round", delivery.round)
        .maybe_text("period", delivery.period.map(Period::to_text))
        .text("owner", delivery.owner.kind().as_str())
        .text("owner_id", delivery.owner.id())
        .time("created", delivery.created_at)
        .number("ttl", ttl(delivery.created_at))
        .text(keys::GSI1_PK, keys::endpoint_view(&delivery.endpoint_id))
        .text(keys::GSI2_PK, keys::endpoint_waiting(&delivery.endpoint_id))
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
        round: reader.number("round")?,
        period: reader.maybe_parsed("period", Period::parse)?,
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

//! Webhooks on this machine, by the same two functions as in the deployment. The embedded table has no stream, so the
//! courier reads the outbox after each commit instead. The queue is in this process.

mod challenge;
mod events;
mod known;
mod lane;
mod message;
pub mod queue;

use std::sync::Arc;
use std::time::Duration;

use deliver_webhook::Deliverer;
use domain::Timestamp;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use platform::deadline::Deadline;
use platform::queue::{Queue, Ticket};
use platform::store::{Marked, OpContext, StoreError, Waiting};
use publish_events::Publisher;
use serde_json::json;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;

use self::known::Known;
use self::queue::{Batch, LocalQueue};
use crate::engine::Engine;
use crate::invoke;

/// The most records in a batch of the stream, as in the template.
pub const STREAM_BATCH: usize = 100;
/// The most messages in a batch of the queue, as in the template.
pub const QUEUE_BATCH: usize = 10;
/// Batches of the queue that are delivered at the same time, each of another endpoint.
const DELIVERING: usize = 64;
/// How long one read of the outbox may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long to wait for a notification before looking anyway.
const POLL: Duration = Duration::from_millis(500);

/// Publishes and delivers.
pub struct Courier {
    /// What `publish-events` works with.
    pub publisher: Arc<Publisher>,
    /// What `deliver-webhook` works with. `None` on a machine without root certificates.
    pub deliverer: Option<Arc<Deliverer>>,
    pub queue: Arc<LocalQueue>,
    /// Notified after each commit.
    pub committed: Arc<Notify>,
    /// The engine with the table. It tells which shards were written to.
    pub engine: Engine,
    /// What earlier looks found. Locked during a look, so that an older one does not overwrite what a newer one found.
    pub known: Mutex<Known>,
}

impl Courier {
    /// Publishes the outbox as the stream would, and deliveries that are due as the schedule would. Returns the number of
    /// published items.
    ///
    /// # Errors
    /// [`StoreError`] if the table cannot be read.
    pub async fn publish(&self) -> Result<usize, StoreError> {
        Ok(self.publish_outbox().await? + self.publish_later().await?)
    }

    async fn publish_outbox(&self) -> Result<usize, StoreError> {
        let (waiting, is_progress) = self.look().await?;
        let (mut published, mut left) = (0, waiting.as_slice());
        while !left.is_empty() {
            let (batch, rest) = left.split_at(left.len().min(STREAM_BATCH));
            let answer = invoke::run(&self.publisher, &publish_events::JOB, &events::of_stream(batch)).await;
            let failed = match &answer {
                Ok(answer) => events::failed(answer).first().and_then(|number| number.parse::<usize>().ok()),
                Err(_) => Some(0),
            };
            // A failed item stays in the outbox. The items after it do not wait for it.
            published += failed.unwrap_or(batch.len());
            left = failed.map_or(rest, |at| &left[(at + 1).min(left.len())..]);
        }
        Ok(if is_progress { published } else { 0 })
    }

    /// The items in the outbox, longest waiting first, and whether they are others than at the last look.
    async fn look(&self) -> Result<(Vec<Marked>, bool), StoreError> {
        let mut known = self.known.lock().await;
        known.refresh(&self.engine);
        let mut waiting = Vec::new();
        for part in known.outbox() {
            // As the stream, it also finds what was marked by a clock that is ahead.
            let page = self.publisher.store.waiting(self.op(), part, end_of_time(), STREAM_BATCH, None).await?;
            if page.items.is_empty() && page.next.is_none() {
                known.emptied(part);
            }
            // What only newer code can publish stays in the outbox. Counting it would look like work that never ends.
            waiting.extend(page.items.into_iter().filter(|marked| marked.newer().is_none()));
        }
        waiting.sort_by(|a, b| a.since().cmp(b.since()));
        let is_new = known.are_new(&waiting);
        Ok((waiting, is_new))
    }

    async fn publish_later(&self) -> Result<usize, StoreError> {
        let now = self.publisher.clock.now();
        if self.first_later(now).await?.is_none_or(|next| next > now) {
            return Ok(0);
        }
        let report = invoke::run(&self.publisher, &publish_events::JOB, &json!({})).await;
        let published = report.ok().and_then(|report| report["published"].as_u64());
        Ok(published.and_then(|count| usize::try_from(count).ok()).unwrap_or_default())
    }

    /// When the first unfinished delivery needs a ticket.
    ///
    /// # Errors
    /// [`StoreError`] if the table cannot be read.
    pub async fn next_later(&self) -> Result<Option<Timestamp>, StoreError> {
        self.first_later(end_of_time()).await
    }

    /// The same, but a time after `until` may be too early.
    async fn first_later(&self, until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut known = self.known.lock().await;
        known.refresh(&self.engine);
        while let Some(part) = known.unread(until) {
            let page = self.publisher.store.waiting(self.op(), part, end_of_time(), 1, None).await?;
            known.has_read(part, page.items.first().and_then(|item| Timestamp::parse_sortable(item.since())));
        }
        Ok(known.first_later())
    }

    /// Receives a batch of one endpoint from the queue and delivers it. Returns the number of received messages.
    pub async fn deliver(&self) -> usize {
        let Some(deliverer) = &self.deliverer else { return 0 };
        let Some(batch) = self.queue.next_batch(QUEUE_BATCH) else { return 0 };
        self.deliver_batch(deliverer, batch).await
    }

    async fn deliver_batch(&self, deliverer: &Arc<Deliverer>, batch: Batch) -> usize {
        let messages = &batch.messages;
        // If the function fails, the whole batch becomes visible again.
        if let Ok(answer) = invoke::run(deliverer, &deliver_webhook::JOB, &events::of_queue(messages)).await {
            let failed = events::failed(&answer);
            messages.iter().filter(|one| !failed.contains(&one.id.as_str())).for_each(|one| self.queue.delete(one));
        }
        challenge::warn(deliverer, self.op(), messages).await;
        messages.len()
    }

    /// Publishes and delivers until nothing is due: for tests, whose clock does not move by itself.
    ///
    /// # Errors
    /// [`StoreError`] if the outbox cannot be read.
    pub async fn settle(&self) -> Result<(), StoreError> {
        loop {
            let published = self.publish().await?;
            if published + self.deliver().await == 0 {
                return Ok(());
            }
        }
    }

    /// Puts a ticket for every unfinished delivery into the queue, because the queue ended with the previous process. Returns
    /// the number of tickets.
    ///
    /// # Errors
    /// [`StoreError`] if the table cannot be read.
    pub async fn rebuild(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        for part in Waiting::later() {
            let mut start = None;
            loop {
                let op = self.op();
                let page = self.publisher.store.waiting(op, part, end_of_time(), STREAM_BATCH, start).await?;
                let tickets: Vec<Ticket> = page.items.iter().filter_map(Marked::delivery).map(Ticket::from).collect();
                count += tickets.len();
                self.queue
                    .send(tickets)
                    .await
                    .map_err(|error| StoreError::Failed { operation: "queue", reason: error.to_string() })?;
                start = page.next;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(count)
    }

    fn op(&self) -> OpContext {
        OpContext { occurred_at: self.publisher.clock.now(), deadline: Deadline::within(TIMEOUT) }
    }

    /// Publishes and delivers until the set is dropped.
    pub fn run(self: &Arc<Self>, running: &mut JoinSet<()>) {
        let courier = Arc::clone(self);
        running.spawn(async move { courier.publish_forever().await });
        let courier = Arc::clone(self);
        running.spawn(async move { courier.deliver_forever().await });
    }

    async fn publish_forever(&self) {
        loop {
            let found = match self.publish().await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the outbox");
                    0
                }
            };
            if found == 0 {
                let _ = tokio::time::timeout(POLL, self.committed.notified()).await;
            }
        }
    }

    async fn deliver_forever(&self) {
        let Some(deliverer) = &self.deliverer else { return };
        let mut delivering = FuturesUnordered::new();
        loop {
            while delivering.len() < DELIVERING
                && let Some(batch) = self.queue.next_batch(QUEUE_BATCH)
            {
                delivering.push(self.deliver_batch(deliverer, batch));
            }
            tokio::select! {
                _ = delivering.next(), if !delivering.is_empty() => {}
                () = self.queue.changed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}

/// Later than any time in the table.
fn end_of_time() -> Timestamp {
    Timestamp::from_millis(9_999_999_999_999)
}

//! A queue in this process with the rules of SQS: a received message is hidden for a while, becomes visible again unless it
//! is deleted, and can be postponed. Each endpoint has a lane of its own, and each batch comes from one lane. While a batch of a
//! lane is being delivered, only other lanes are received from, so a slow receiver delays only itself. The queue ends with the
//! process; `Courier::rebuild` fills it again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{EndpointId, Timestamp};
use platform::clock::Clock;
use platform::queue::{LONGEST_POSTPONEMENT, Queue, QueueError, Queued, Ticket};
use tokio::sync::Notify;

use super::lane::Lane;
use super::message::Received;

/// How long a received message stays hidden, as in the template.
pub const VISIBILITY: Duration = Duration::from_secs(180);

/// Messages of one endpoint. Its lane is busy until this is dropped.
pub struct Batch {
    pub messages: Vec<Received>,
    lane: EndpointId,
    queue: Arc<Shared>,
}

#[derive(Default)]
struct State {
    lanes: BTreeMap<EndpointId, Lane>,
    last: u64,
}

impl State {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The lane whose first message has been visible for longest, among those without a batch on its way.
    fn next_lane(&self, now: Timestamp) -> Option<EndpointId> {
        let due = |lane: &Lane| lane.first().filter(|first| !lane.is_busy() && first.0 <= now);
        let due = self.lanes.iter().filter_map(|(id, lane)| Some((due(lane)?, id)));
        due.min_by_key(|(first, _)| *first).map(|(_, id)| id.clone())
    }

    fn lane_of(&mut self, receipt: &str) -> Option<(u64, &mut Lane)> {
        let receipt = receipt.parse().ok()?;
        self.lanes.values_mut().find(|lane| lane.knows(receipt)).map(|lane| (receipt, lane))
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Notified when a message may have become visible, or a lane free.
    changed: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct LocalQueue {
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

impl LocalQueue {
    /// An empty queue.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, shared: Arc::default() }
    }

    /// Receives up to `most` visible messages of any endpoint, longest visible first, and hides them.
    pub fn receive(&self, most: usize) -> Vec<Received> {
        let now = self.clock.now();
        let mut state = self.shared.state();
        let mut received = Vec::new();
        while received.len() < most {
            let receipt = state.next();
            let lanes = state.lanes.values_mut().filter(|lane| lane.first().is_some());
            let Some(lane) = lanes.min_by_key(|lane| lane.first()) else { break };
            let Some(message) = lane.receive(now, now + VISIBILITY, receipt) else { break };
            received.push(message);
        }
        received
    }

    /// Receives up to `most` visible messages of one endpoint and hides them. `None` if no endpoint has any, or if all those that
    /// do are busy.
    pub fn next_batch(&self, most: usize) -> Option<Batch> {
        let now = self.clock.now();
        let mut state = self.shared.state();
        let id = state.next_lane(now)?;
        let mut messages = Vec::new();
        while messages.len() < most {
            let receipt = state.next();
            let lane = state.lanes.get_mut(&id)?;
            let Some(received) = lane.receive(now, now + VISIBILITY, receipt) else { break };
            messages.push(received);
        }
        state.lanes.get_mut(&id)?.set_busy(true);
        Some(Batch { messages, lane: id, queue: Arc::clone(&self.shared) })
    }

    /// Deletes a message, unless it has been received again.
    pub fn delete(&self, received: &Received) {
        let mut state = self.shared.state();
        if let Some((receipt, lane)) = state.lane_of(&received.receipt) {
            lane.remove(receipt);
        }
        state.lanes.retain(|_, lane| !lane.is_unused());
    }

    /// The number of messages, hidden ones included.
    pub fn len(&self) -> usize {
        self.shared.state().lanes.values().map(Lane::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the next message becomes visible.
    pub fn next_visible(&self) -> Option<Timestamp> {
        self.shared.state().lanes.values().filter_map(Lane::first).min().map(|(visible_at, _)| visible_at)
    }

    /// Waits until something is sent or postponed, or a batch has ended.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }
}

impl Queue for LocalQueue {
    fn send(&self, tickets: Vec<Ticket>) -> Queued<'_> {
        let now = self.clock.now();
        let mut state = self.shared.state();
        for ticket in tickets {
            let id = state.next();
            state.lanes.entry(ticket.endpoint_id.clone()).or_default().put((now, id), ticket.to_text());
        }
        drop(state);
        self.shared.changed.notify_one();
        Box::pin(async { Ok(()) })
    }

    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a> {
        let visible_at = self.clock.now() + wait.min(LONGEST_POSTPONEMENT);
        let known =
            self.shared.state().lane_of(receipt).is_some_and(|(receipt, lane)| lane.postpone(receipt, visible_at));
        self.shared.changed.notify_one();
        Box::pin(async move { if known { Ok(()) } else { Err(QueueError::ExpiredReceipt) } })
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        if let Some(lane) = state.lanes.get_mut(&self.lane) {
            lane.set_busy(false);
        }
        state.lanes.retain(|_, lane| !lane.is_unused());
        drop(state);
        self.queue.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use domain::{MessageId, Owner, PartnerId, digest};

    use super::*;

    struct MovedClock(Mutex<i64>);

    impl MovedClock {
        fn advance(&self, ms: i64) {
            *self.0.lock().unwrap() += ms;
        }
    }

    impl Clock for MovedClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(*self.0.lock().unwrap())
        }
    }

    fn ticket(endpoint: &str, message: &str) -> Ticket {
        let hash = digest(message, &[]);
        Ticket {
            webhook_id: MessageId::from_hash(&hash).into(),
            endpoint_id: EndpointId::from_hash(&digest(endpoint, &[])),
            owner: Owner::Partner(PartnerId::from_hash(&hash)),
        }
    }

    fn queue() -> (Arc<MovedClock>, LocalQueue) {
        let clock = Arc::new(MovedClock(Mutex::new(0)));
        (clock.clone(), LocalQueue::new(clock))
    }

    #[tokio::test]
    async fn a_received_message_is_hidden_and_comes_again_unless_it_is_deleted() {
        let (clock, queue) = queue();
        queue.send(["a", "b", "c"].map(|message| ticket("one", message)).into()).await.unwrap();
        let first = queue.receive(2);
        assert_eq!((first.len(), queue.receive(9).len(), queue.receive(9).len()), (2, 1, 0));
        queue.delete(&first[0]);
        clock.advance(180_000);
        let again = queue.receive(9);
        assert_eq!((again.len(), &again[0].id), (2, &first[1].id));
        assert_ne!(again[0].receipt, first[1].receipt);
        queue.delete(&first[1]);
        assert_eq!(queue.len(), 2, "an old receipt deletes nothing");
    }

    #[tokio::test]
    async fn a_message_can_be_postponed() {
        let (clock, queue) = queue();
        queue.send(vec![ticket("one", "a")]).await.unwrap();
        let first = queue.receive(1).remove(0);
        queue.postpone(&first.receipt, Duration::from_secs(5)).await.unwrap();
        assert!(queue.receive(1).is_empty());
        assert_eq!(queue.next_visible(), Some(Timestamp::from_millis(5_000)));
        clock.advance(5_000);
        assert_eq!(queue.receive(1).len(), 1);
        assert!(queue.postpone(&first.receipt, Duration::from_secs(5)).await.is_err(), "that receipt has expired");
    }

    #[tokio::test]
    async fn an_endpoint_has_one_batch_at_a_time_and_delays_no_other_endpoint() {
        let (clock, queue) = queue();
        queue.send((0..30).map(|number| ticket("slow", &number.to_string())).collect()).await.unwrap();
        clock.advance(1);
        queue.send(vec![ticket("fast", "a")]).await.unwrap();
        let slow = queue.next_batch(10).unwrap();
        assert_eq!(slow.messages.len(), 10);
        let fast = queue.next_batch(10).unwrap();
        assert_eq!(fast.messages.len(), 1, "the other endpoint is next, although its message is newer");
        assert!(queue.next_batch(10).is_none(), "both are busy");
        drop(slow);
        assert_eq!(queue.next_batch(10).unwrap().messages.len(), 10);
    }

    #[tokio::test]
    async fn a_lane_without_messages_is_removed() {
        let (_, queue) = queue();
        queue.send(vec![ticket("one", "a")]).await.unwrap();
        let batch = queue.next_batch(1).unwrap();
        queue.delete(&batch.messages[0]);
        queue.send(vec![ticket("one", "b")]).await.unwrap();
        assert!(queue.next_batch(1).is_none(), "the endpoint is still busy");
        drop(batch);
        queue.delete(&queue.receive(1)[0]);
        assert!(queue.is_empty() && queue.shared.state().lanes.is_empty());
    }
}

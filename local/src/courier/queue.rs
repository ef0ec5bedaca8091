//! A queue in this process with the rules of SQS: a received message is hidden for a while, becomes visible again unless it
//! is deleted, and can be postponed. The queue ends with the process; `Courier::rebuild` fills it again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use platform::clock::Clock;
use platform::queue::{LONGEST_POSTPONEMENT, Queue, QueueError, Queued, Ticket};
use tokio::sync::Notify;

/// How long a received message stays hidden, as in the template.
pub const VISIBILITY: Duration = Duration::from_secs(180);

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The message's own id, the same for every receive.
    pub id: String,
    /// Identifies this one receive.
    pub receipt: String,
    pub body: String,
}

/// When a message becomes visible, and its id. Messages are received in this order.
type Place = (Timestamp, u64);

struct Message {
    body: String,
    /// The receipt of the last receive.
    receipt: Option<u64>,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<Place, Message>,
    /// The message of each valid receipt.
    receipts: HashMap<u64, Place>,
    last: u64,
}

impl State {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Takes the first visible message, under a new receipt.
    fn receive(&mut self, now: Timestamp) -> Option<Received> {
        let ((_, id), message) = self.messages.first_entry().filter(|first| first.key().0 <= now)?.remove_entry();
        if let Some(old) = message.receipt {
            self.receipts.remove(&old);
        }
        let receipt = self.next();
        let received = Received { id: id.to_string(), receipt: receipt.to_string(), body: message.body.clone() };
        self.put((now + VISIBILITY, id), Message { receipt: Some(receipt), ..message });
        Some(received)
    }

    fn put(&mut self, place: Place, message: Message) {
        if let Some(receipt) = message.receipt {
            self.receipts.insert(receipt, place);
        }
        self.messages.insert(place, message);
    }

    /// Removes the message of a valid receipt.
    fn take(&mut self, receipt: &str) -> Option<(u64, Message)> {
        let place = self.receipts.remove(&receipt.parse().ok()?)?;
        Some((place.1, self.messages.remove(&place)?))
    }
}

pub struct LocalQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    sent: Notify,
}

impl LocalQueue {
    /// An empty queue.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), sent: Notify::new() }
    }

    /// Receives up to `most` visible messages, longest visible first, and hides them.
    pub fn receive(&self, most: usize) -> Vec<Received> {
        let now = self.clock.now();
        let mut state = self.state();
        std::iter::from_fn(|| state.receive(now)).take(most).collect()
    }

    /// Deletes a message, unless it has been received again.
    pub fn delete(&self, received: &Received) {
        self.state().take(&received.receipt);
    }

    /// The number of messages, hidden ones included.
    pub fn len(&self) -> usize {
        self.state().messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the next message becomes visible.
    pub fn next_visible(&self) -> Option<Timestamp> {
        self.state().messages.keys().next().map(|(visible_at, _)| *visible_at)
    }

    /// Waits until something is sent.
    pub async fn sent(&self) {
        self.sent.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue for LocalQueue {
    fn send(&self, tickets: Vec<Ticket>) -> Queued<'_> {
        let now = self.clock.now();
        let mut state = self.state();
        for ticket in tickets {
            let id = state.next();
            state.put((now, id), Message { body: ticket.to_text(), receipt: None });
        }
        drop(state);
        self.sent.notify_one();
        Box::pin(async { Ok(()) })
    }

    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a> {
        let visible_at = self.clock.now() + wait.min(LONGEST_POSTPONEMENT);
        let mut state = self.state();
        let known = state.take(receipt).map(|(id, message)| state.put((visible_at, id), message)).is_some();
        drop(state);
        self.sent.notify_one();
        Box::pin(async move { if known { Ok(()) } else { Err(QueueError::ExpiredReceipt) } })
    }
}

#[cfg(test)]
mod tests {
    use domain::{EndpointId, MessageId, Owner, PartnerId, digest};

    use super::*;

    struct MovedClock(Mutex<i64>);

    impl Clock for MovedClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(*self.0.lock().unwrap())
        }
    }

    fn ticket(name: &str) -> Ticket {
        let hash = digest(name, &[]);
        Ticket {
            webhook_id: MessageId::from_hash(&hash).into(),
            endpoint_id: EndpointId::from_hash(&hash),
            owner: Owner::Partner(PartnerId::from_hash(&hash)),
        }
    }

    #[tokio::test]
    async fn a_received_message_is_hidden_and_comes_again_unless_it_is_deleted() {
        let clock = Arc::new(MovedClock(Mutex::new(0)));
        let queue = LocalQueue::new(clock.clone());
        queue.send(vec![ticket("a"), ticket("b"), ticket("c")]).await.unwrap();
        let first = queue.receive(2);
        assert_eq!((first.len(), queue.receive(9).len(), queue.receive(9).len()), (2, 1, 0));
        queue.delete(&first[0]);
        *clock.0.lock().unwrap() += 180_000;
        let again = queue.receive(9);
        assert_eq!((again.len(), &again[0].id), (2, &first[1].id));
        assert_ne!(again[0].receipt, first[1].receipt);
        queue.delete(&first[1]);
        assert_eq!(queue.len(), 2, "an old receipt deletes nothing");
    }

    #[tokio::test]
    async fn a_message_can_be_postponed() {
        let clock = Arc::new(MovedClock(Mutex::new(0)));
        let queue = LocalQueue::new(clock.clone());
        queue.send(vec![ticket("a")]).await.unwrap();
        let received = queue.receive(1).remove(0);
        queue.postpone(&received.receipt, Duration::from_secs(5)).await.unwrap();
        assert!(queue.receive(1).is_empty());
        assert_eq!(queue.next_visible(), Some(Timestamp::from_millis(5_000)));
        *clock.0.lock().unwrap() += 5_000;
        assert_eq!(queue.receive(1).len(), 1);
        assert!(queue.postpone(&received.receipt, Duration::from_secs(5)).await.is_err(), "that receipt has expired");
    }
}

//! A queue in this process with the rules of the real one: a message that was received is hidden for a while, comes again
//! unless it is deleted, and can be put back for a time. What is in it dies with the process; [`Courier::rebuild`](super::Courier::rebuild)
//! finds it again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::domain::{Clock, Timestamp};
use shared::queue::{LONGEST_POSTPONEMENT, Queue, QueueError, Queued, Ticket};
use tokio::sync::Notify;

/// How long a received message stays hidden, as the template has it.
pub const VISIBILITY: Duration = Duration::from_secs(180);

/// A message as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The message's own id, the same every time it comes.
    pub id: String,
    /// What names this one time.
    pub receipt: String,
    /// The text.
    pub body: String,
}

struct Message {
    id: u64,
    body: String,
    visible_at: Timestamp,
    receipt: u64,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    last: u64,
}

/// The queue.
pub struct LocalQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    sent: Notify,
}

impl LocalQueue {
    /// An empty queue that goes by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), sent: Notify::new() }
    }

    /// Messages that can be seen, at most so many, longest visible first. They are hidden from now on.
    pub fn receive(&self, most: usize) -> Vec<Received> {
        let now = self.clock.now();
        let mut state = self.state();
        state.messages.sort_by_key(|message| (message.visible_at, message.id));
        let State { messages, last } = &mut *state;
        let visible = messages.iter_mut().take_while(|message| message.visible_at <= now).take(most);
        visible
            .map(|message| {
                *last += 1;
                message.receipt = *last;
                message.visible_at = after(now, VISIBILITY);
                Received { id: message.id.to_string(), receipt: last.to_string(), body: message.body.clone() }
            })
            .collect()
    }

    /// Removes a message, unless it was received again since.
    pub fn delete(&self, received: &Received) {
        self.state().messages.retain(|message| message.receipt.to_string() != received.receipt);
    }

    /// The number of messages, hidden ones included.
    pub fn len(&self) -> usize {
        self.state().messages.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything, as when its process dies.
    pub fn clear(&self) {
        self.state().messages.clear();
    }

    /// When the next message can be seen.
    pub fn next_visible(&self) -> Option<Timestamp> {
        self.state().messages.iter().map(|message| message.visible_at).min()
    }

    /// Waits until something is sent.
    pub async fn sent(&self) {
        self.sent.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.plus_millis(wait.as_millis().try_into().unwrap_or(i64::MAX))
}

impl Queue for LocalQueue {
    fn send(&self, tickets: Vec<Ticket>) -> Queued<'_> {
        let now = self.clock.now();
        let mut state = self.state();
        for ticket in tickets {
            state.last += 1;
            let id = state.last;
            state.messages.push(Message { id, body: ticket.to_text(), visible_at: now, receipt: id });
        }
        drop(state);
        self.sent.notify_one();
        Box::pin(async { Ok(()) })
    }

    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a> {
        let visible_at = after(self.clock.now(), wait.min(LONGEST_POSTPONEMENT));
        let mut state = self.state();
        let found = state.messages.iter_mut().find(|message| message.receipt.to_string() == receipt);
        let known = found.map(|message| message.visible_at = visible_at).is_some();
        drop(state);
        self.sent.notify_one();
        Box::pin(async move { if known { Ok(()) } else { Err(QueueError("this receipt is no longer good".into())) } })
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::{EndpointId, MessageId, Owner, PartnerId, digest};

    use super::*;

    struct Hand(Mutex<i64>);

    impl Clock for Hand {
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
    async fn a_message_is_hidden_once_received_and_comes_again_unless_it_is_deleted() {
        let hand = Arc::new(Hand(Mutex::new(0)));
        let queue = LocalQueue::new(hand.clone());
        queue.send(vec![ticket("a"), ticket("b"), ticket("c")]).await.unwrap();
        let first = queue.receive(2);
        assert_eq!((first.len(), queue.receive(9).len(), queue.receive(9).len()), (2, 1, 0));
        queue.delete(&first[0]);
        *hand.0.lock().unwrap() += 180_000;
        let again = queue.receive(9);
        assert_eq!((again.len(), &again[0].id), (2, &first[1].id));
        assert_ne!(again[0].receipt, first[1].receipt);
        queue.delete(&first[1]);
        assert_eq!(queue.len(), 2, "an old receipt deletes nothing");
    }

    #[tokio::test]
    async fn a_message_can_be_put_back_for_a_time() {
        let hand = Arc::new(Hand(Mutex::new(0)));
        let queue = LocalQueue::new(hand.clone());
        queue.send(vec![ticket("a")]).await.unwrap();
        let received = queue.receive(1).remove(0);
        queue.postpone(&received.receipt, Duration::from_secs(5)).await.unwrap();
        assert!(queue.receive(1).is_empty());
        assert_eq!(queue.next_visible(), Some(Timestamp::from_millis(5_000)));
        *hand.0.lock().unwrap() += 5_000;
        assert_eq!(queue.receive(1).len(), 1);
        assert!(queue.postpone(&received.receipt, Duration::from_secs(5)).await.is_err(), "that receipt is old");
    }
}

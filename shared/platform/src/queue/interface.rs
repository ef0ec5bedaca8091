use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::ticket::Ticket;
use domain::Delivery;

/// A future of a [`Queue`].
pub type Queued<'a> = Pin<Box<dyn Future<Output = Result<(), QueueError>> + Send + 'a>>;

/// The longest time for which a ticket is postponed.
pub const LONGEST_POSTPONEMENT: Duration = Delivery::MAX_QUEUE_DELAY;

pub trait Queue: Send + Sync {
    /// Puts tickets into the queue. After an error some of them may be in it.
    fn send(&self, tickets: Vec<Ticket>) -> Queued<'_>;

    /// Makes a received ticket visible again after this time, at most [`LONGEST_POSTPONEMENT`].
    fn postpone<'a>(&'a self, receipt: &'a str, wait: Duration) -> Queued<'a>;
}

/// Why the queue failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The request was not built, not sent or not accepted.
    #[error("the queue failed: {source_text}")]
    Failed { source_text: String },
    /// The queue rejected some tickets of a batch.
    #[error("the queue rejected {rejected} of {sent} tickets, the first with {code}")]
    Rejected { rejected: usize, sent: usize, code: String },
    /// The receipt has expired.
    #[error("the receipt has expired")]
    ExpiredReceipt,
}
